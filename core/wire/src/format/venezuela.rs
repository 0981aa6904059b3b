use super::{Cut, Declaration, Field, Format, Template};
use crate::WireError;

impl Format {
    /// Venezuela's acta de escrutinio of 2024, which is read where no pack declares another format:
    /// `CENTRE.TABLE.1.0001!v1,...,v38!NULL!FOURTH`.
    ///
    /// Centre: nine digits, a leading zero included. Table: two. The meaning of `.1.0001` and of the fourth field is not
    /// documented; both are kept word for word. Nothing inside protects the text: no checksum, no signature, no election.
    ///
    /// # Errors
    /// None in practice: its templates are part of the program.
    pub fn venezuela_2024() -> Result<Self, WireError> {
        let field = |name: &str| Field {
            name: name.to_owned(),
            ..Field::default()
        };
        let text = "{centre}.{table}.{suffix}!{votes}!{null}!{fourth}";
        Ok(Self::declared(
            "ve-2024",
            Declaration {
                cut: Cut::Template(Template::new(text)?),
                table: Template::new("{centre}.{table}")?,
                votes: vec!["votes".to_owned()],
                blank: None,
                null: Some("null".to_owned()),
                total: None,
                fields: vec![
                    Field {
                        digits: Some(9),
                        ..field("centre")
                    },
                    Field {
                        digits: Some(2),
                        ..field("table")
                    },
                    Field {
                        expect: Some("1.0001".to_owned()),
                        ..field("suffix")
                    },
                    Field {
                        list: Some(",".to_owned()),
                        count: Some(38),
                        ..field("votes")
                    },
                    Field {
                        expect: Some("0".to_owned()),
                        ..field("fourth")
                    },
                ],
                checks: Vec::new(),
                sums: Vec::new(),
                codes: None,
            },
        ))
    }
}
