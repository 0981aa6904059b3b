//! Who had a sheet in their hands: the chain of custody that hand-over records make.

use crate::HqError;
use crate::init::Headquarters;
use serde::Serialize;
use std::path::Path;
use testigo_wire::TableId;

/// A link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandoverView {
    /// The polling table whose sheet it is, where the record names one.
    pub table: Option<String>,
    /// The pseudonym of who gave it.
    pub from: Option<String>,
    /// The pseudonym of who took it.
    pub to: Option<String>,
    /// When, as the witness's phone told it, RFC 3339.
    pub at: String,
    /// Where, in the witness's words.
    pub place: Option<String>,
    /// The short name of the device that recorded it.
    pub device: String,
    /// Number of the record at headquarters.
    pub record: i64,
}

/// The hand-overs of paper sheets, of one table or of all, by table and time. Works beside a server.
///
/// # Errors
/// [`HqError`] where the folder holds no headquarters, or its database cannot be read.
pub fn custody(data_dir: &Path, table: Option<&TableId>) -> Result<Vec<HandoverView>, HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    Ok(headquarters.reader.custody(table)?)
}
