//! `[[format]]` entries of a `pack.toml`: how the election's sheets are written.

use serde::Deserialize;
use testigo_wire::{
    Check, CheckKind, Codes, Cut, Declaration, Field, Format, FormatFault, FormatKind,
    FormatMistake, Language, NamedKey, Sum, Template, VerifyingKey,
};
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

/// A format as its organisers write it down.
///
/// `name`; `text` (a template), `pairs` (between pairs, between key and value) or `json = true`; `table` (a template);
/// `votes`, `blank`, `null`, `total` (names of fields); and as often as needed `[[format.field]]`, `[[format.check]]`,
/// `[[format.sum]]` and `[[format.key]]`; `[format.codes]` for sheets of several codes. Or `kind = "boletim-de-urna"`
/// with `office` and keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatToml {
    name: String,
    #[serde(default)]
    kind: Kind,
    office: Option<String>,
    text: Option<String>,
    pairs: Option<[String; 2]>,
    #[serde(default)]
    json: bool,
    table: Option<String>,
    #[serde(default)]
    votes: Vec<String>,
    blank: Option<String>,
    null: Option<String>,
    total: Option<String>,
    #[serde(default)]
    field: Vec<Spanned<FieldToml>>,
    #[serde(default)]
    check: Vec<Spanned<CheckToml>>,
    #[serde(default)]
    sum: Vec<Spanned<SumToml>>,
    #[serde(default)]
    key: Vec<Spanned<KeyToml>>,
    codes: Option<Spanned<CodesToml>>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Declared,
    BoletimDeUrna,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldToml {
    name: String,
    digits: Option<u32>,
    #[serde(default)]
    pad: bool,
    list: Option<String>,
    pair: Option<String>,
    count: Option<u32>,
    max: Option<u32>,
    expect: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckToml {
    kind: CheckName,
    over: String,
    field: String,
    key: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum CheckName {
    Luhn,
    Mod11,
    Sha256,
    Sha512,
    Ed25519,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SumToml {
    of: Vec<String>,
    is: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyToml {
    #[serde(default)]
    name: String,
    public: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodesToml {
    text: String,
    join: String,
    hash: Option<CheckName>,
}

/// What is wrong with a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatSourceMistake {
    /// The declaration contradicts itself.
    Fault(FormatMistake),
    /// Not one of `text`, `pairs` and `json`.
    Cut,
    /// A text whose braces do not name fields.
    Template(String),
    /// Not the 64 hexadecimal digits of an Ed25519 key.
    Key(String),
}

impl FormatSourceMistake {
    /// What a person is told.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::Fault(mistake) => mistake.sentence(language),
            Self::Cut => language
                .pick(
                    "debe tener uno de «text», «pairs» y «json»",
                    "it must have one of 'text', 'pairs' and 'json'",
                )
                .to_owned(),
            Self::Template(text) => language.pick(
                format!("{text:?} no es un texto con campos, como \"{{centre}}.{{table}}\""),
                format!("{text:?} is no text with fields, such as \"{{centre}}.{{table}}\""),
            ),
            Self::Key(key) => language.pick(
                format!("{key:?} no es una clave Ed25519 de 64 cifras hexadecimales"),
                format!("{key:?} is no Ed25519 key of 64 hexadecimal digits"),
            ),
        }
    }
}

/// A mistake with the byte of the source where its entry begins, and the place within the format.
pub(crate) struct Misplaced {
    /// The format's.
    pub name: String,
    pub at: usize,
    pub place: String,
    pub mistake: FormatSourceMistake,
}

fn check_kind(name: CheckName) -> CheckKind {
    match name {
        CheckName::Luhn => CheckKind::Luhn,
        CheckName::Mod11 => CheckKind::Mod11,
        CheckName::Sha256 => CheckKind::Sha256,
        CheckName::Sha512 => CheckKind::Sha512,
        CheckName::Ed25519 => CheckKind::Ed25519,
    }
}

/// Reads an entry and checks the format that it describes.
///
/// # Errors
/// Where it is of another form; inside, where the format contradicts itself.
pub(crate) fn read(
    entry: Spanned<DeValue<'_>>,
) -> Result<Result<Format, Misplaced>, toml::de::Error> {
    let start = entry.span().start;
    let toml = FormatToml::deserialize(ValueDeserializer::from(entry))?;
    let name = toml.name.clone();
    Ok(format(toml, start).map_err(|misplaced| Misplaced { name, ..misplaced }))
}

/// The format that an entry describes, checked.
fn format(toml: FormatToml, start: usize) -> Result<Format, Misplaced> {
    let template = |text: &str, at: usize, place: String| {
        Template::new(text).map_err(|_| Misplaced {
            name: String::new(),
            at,
            place,
            mistake: FormatSourceMistake::Template(text.to_owned()),
        })
    };
    let fault = |place: &str, mistake| Misplaced {
        name: String::new(),
        at: start,
        place: place.to_owned(),
        mistake,
    };
    let mut keys = Vec::new();
    for (n, key) in toml.key.iter().enumerate() {
        let hex = data_encoding::HEXLOWER_PERMISSIVE.decode(key.get_ref().public.as_bytes());
        let bytes = hex.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let public = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        keys.push(NamedKey {
            name: key.get_ref().name.clone(),
            key: public.ok_or_else(|| Misplaced {
                name: String::new(),
                at: key.span().start,
                place: format!("key {}: public", n + 1),
                mistake: FormatSourceMistake::Key(key.get_ref().public.clone()),
            })?,
        });
    }
    let starts = Starts::of(&toml, start);
    let cut = match (&toml.text, &toml.pairs, toml.json) {
        (Some(text), None, false) => Some(Cut::Template(template(text, start, "text".to_owned())?)),
        (None, Some([between, of]), false) => Some(Cut::Pairs {
            between: between.clone(),
            of: of.clone(),
        }),
        (None, None, true) => Some(Cut::Json),
        (None, None, false) if toml.kind == Kind::BoletimDeUrna => None,
        _ => return Err(fault("text, pairs, json", FormatSourceMistake::Cut)),
    };
    let declaration = match cut {
        None => None,
        Some(cut) => {
            let table = toml.table.as_deref().unwrap_or_default();
            let mut checks = Vec::new();
            for (n, entry) in toml.check.iter().enumerate() {
                let (at, check) = (entry.span().start, entry.get_ref());
                let place = |part: &str| format!("check {}: {part}", n + 1);
                let key = check.key.as_deref();
                checks.push(Check {
                    kind: check_kind(check.kind),
                    over: template(&check.over, at, place("over"))?,
                    field: check.field.clone(),
                    key: key.map(|key| template(key, at, place("key"))).transpose()?,
                });
            }
            let codes = match &toml.codes {
                None => None,
                Some(codes) => {
                    let (at, codes) = (codes.span().start, codes.get_ref());
                    Some(Codes {
                        text: template(&codes.text, at, "codes: text".to_owned())?,
                        join: codes.join.clone(),
                        hash: codes.hash.map(check_kind),
                    })
                }
            };
            Some(Declaration {
                cut,
                table: template(table, start, "table".to_owned())?,
                votes: toml.votes,
                blank: toml.blank,
                null: toml.null,
                total: toml.total,
                fields: toml
                    .field
                    .into_iter()
                    .map(|f| field(f.into_inner()))
                    .collect(),
                checks,
                sums: (toml.sum.into_iter().map(Spanned::into_inner))
                    .map(|sum| Sum {
                        of: sum.of,
                        is: sum.is,
                    })
                    .collect(),
                codes,
            })
        }
    };
    let format = Format {
        name: toml.name,
        kind: match toml.kind {
            Kind::Declared => FormatKind::DECLARED,
            Kind::BoletimDeUrna => FormatKind::BOLETIM_DE_URNA,
        },
        office: toml.office,
        keys,
        declaration,
    };
    match format.check() {
        Ok(()) => Ok(format),
        Err(FormatFault { place, mistake }) => Err(Misplaced {
            name: String::new(),
            at: starts.find(&place),
            place,
            mistake: FormatSourceMistake::Fault(mistake),
        }),
    }
}

fn field(field: FieldToml) -> Field {
    Field {
        name: field.name,
        digits: field.digits,
        pad: field.pad,
        list: field.list,
        pair: field.pair,
        count: field.count,
        max: field.max,
        expect: field.expect,
    }
}

/// Where the entries of a format begin, by the place that a fault names.
struct Starts {
    format: usize,
    entries: Vec<(String, usize)>,
}

impl Starts {
    fn of(toml: &FormatToml, format: usize) -> Self {
        let fields =
            (toml.field.iter()).map(|f| (format!("field {:?}", f.get_ref().name), f.span().start));
        let checks = (toml.check.iter().enumerate())
            .map(|(n, check)| (format!("check {}", n + 1), check.span().start));
        let sums = (toml.sum.iter().enumerate())
            .map(|(n, sum)| (format!("sum {}", n + 1), sum.span().start));
        let codes = (toml.codes.iter()).map(|codes| ("codes".to_owned(), codes.span().start));
        Self {
            format,
            entries: fields.chain(checks).chain(sums).chain(codes).collect(),
        }
    }

    fn find(&self, place: &str) -> usize {
        let entry = place.split(':').next().unwrap_or_default();
        let mut entries = self.entries.iter();
        let found = entries.find(|(name, _)| name == entry);
        found.map_or(self.format, |(_, at)| *at)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use crate::{PackSource, PackSourceError};
    use std::path::Path;
    use testigo_wire::{ElectionId, Format, FormatKind, Language};

    const PACK: &str = "name = 'x'\ndate = '2024-07-28'\ntime_zone = 'UTC'\nslots = 's.csv'\n\
        tables = 't.csv'\n[[candidate]]\ncode = 'A'\nname = 'Ana'\n";
    const VENEZUELA: &str = "[[format]]
name = 've-2024'
text = '{centre}.{table}.{suffix}!{votes}!{null}!{fourth}'
table = '{centre}.{table}'
votes = ['votes']
null = 'null'
field = [
    { name = 'centre', digits = 9 },
    { name = 'table', digits = 2 },
    { name = 'suffix', expect = '1.0001' },
    { name = 'votes', list = ',', count = 38 },
    { name = 'fourth', expect = '0' },
]
";
    const SIGNED: &str = "[[format]]
name = 'signed'
text = '{table};{votes};{sum};{hash};{signature}'
table = '{table}'
votes = ['votes']
total = 'sum'
[[format.field]]
name = 'votes'
list = ','
pair = '='
[[format.sum]]
of = ['votes']
is = 'sum'
[[format.check]]
kind = 'sha256'
over = '{table};{votes}'
field = 'hash'
[[format.check]]
kind = 'ed25519'
over = '{hash}'
field = 'signature'
[[format.key]]
public = '8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394'
";
    const BRAZIL: &str = "[[format]]
name = 'br-bu'
kind = 'boletim-de-urna'
office = '11'
";

    fn formats(entry: &str) -> Result<Vec<Format>, PackSourceError> {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("pack.toml", &format!("{PACK}{entry}"));
        let slots = (1..=38).map(|n| format!("{n},P{n},A\n"));
        let slots: String = slots.collect();
        write("s.csv", &format!("slot,party,candidate\n{slots}"));
        write(
            "t.csv",
            "table,registered,state,municipality,parish\n1.2,10,S,M,P\n",
        );
        let source = PackSource::from_file(&folder.path().join(Path::new("pack.toml")))?;
        Ok(source.into_pack(ElectionId([1; 8])).formats)
    }

    #[test]
    fn venezuela_is_written_down_as_it_is_built_in() {
        assert_eq!(
            formats(VENEZUELA).unwrap(),
            [Format::venezuela_2024().unwrap()]
        );
        assert_eq!(formats("").unwrap(), []);
        let all = formats(&[VENEZUELA, SIGNED, BRAZIL].concat()).unwrap();
        assert_eq!(all.len(), 3);
        assert_eq!(all.last().unwrap().kind, FormatKind::BOLETIM_DE_URNA);
    }

    #[test]
    fn a_mistake_is_named_by_file_line_and_field() {
        // Eight lines stand before the first entry.
        for (entry, from, to, line, field) in [
            (
                VENEZUELA,
                "{centre}.{table}'\nv",
                "{centre}.{mesa}'\nv",
                9,
                "table",
            ),
            (
                VENEZUELA,
                "'{centre}.{table}'\nv",
                "'{centre}.{table'\nv",
                9,
                "table",
            ),
            (VENEZUELA, ".{suffix}", "{suffix}", 9, "text"),
            (
                VENEZUELA,
                "text =",
                "json = true\ntext =",
                9,
                "text, pairs, json",
            ),
            (VENEZUELA, "['votes']", "[]", 9, "votes"),
            (
                VENEZUELA,
                "digits = 2",
                "digits = 0",
                17,
                "field \"table\": digits",
            ),
            (
                VENEZUELA,
                "list = ',', ",
                "",
                19,
                "field \"votes\": pair, count",
            ),
            (SIGNED, "name = 'signed'", "name = ''", 9, "name"),
            (
                SIGNED,
                "{table};{votes}'\nf",
                "{table};{x}'\nf",
                22,
                "check 1: over",
            ),
            (SIGNED, "is = 'sum'", "is = 'total'", 19, "sum 1"),
            (SIGNED, "public = '8139", "public = '", 30, "key 1: public"),
            (
                BRAZIL,
                "office",
                "text = '{a}'\nvotes = ['a']\ntable = '{a}'\noffice",
                9,
                "text",
            ),
        ] {
            assert!(entry.contains(from), "{from}");
            let Err(error) = formats(&entry.replacen(from, to, 1)) else {
                panic!("accepted: {to}");
            };
            let (en, es) = (error.sentence(Language::En), error.sentence(Language::Es));
            assert!(
                en.contains(&format!("pack.toml, line {line}, column ")),
                "{en}, {to}"
            );
            assert!(
                es.contains(&format!("pack.toml, línea {line}, columna ")),
                "{es}"
            );
            assert!(en.contains(&format!(": {field}: ")), "{en}");
            assert_ne!(en, es);
        }
        // What TOML itself finds.
        let Err(error) = formats(&SIGNED.replace("kind = 'sha256'", "kind = 'md5'")) else {
            panic!("accepted");
        };
        assert!(error.to_string().contains("line 23"), "{error}");
        assert!(error.to_string().contains("md5"), "{error}");
    }
}
