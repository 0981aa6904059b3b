//! How files of results that others published are read.

use crate::results_file::{ColumnName, Layout};
use clap::Args;

/// How a file of results names its columns.
#[derive(Args)]
pub struct LayoutArgs {
    /// A column under another name: state, municipality, parish, centre, table, registered, valid or null.
    #[arg(long, value_name = "COLUMN=NAME")]
    pub column: Vec<ColumnName>,
    /// The candidates' columns; otherwise all that are nothing else.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub candidates: Vec<String>,
}

impl LayoutArgs {
    /// As the reader of such files wants it.
    pub fn layout(&self) -> Layout {
        Layout {
            columns: self.column.clone(),
            candidates: self.candidates.clone(),
        }
    }
}
