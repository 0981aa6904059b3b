use crate::picture::PictureError;
use crate::sheet::SheetError;
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::Path;
use testigo_hq::{Fault, HqError, RootError};
use testigo_phone::PhoneError;
use testigo_wire::Language;
use thiserror::Error;

/// Why a command could not do its work.
#[derive(Debug, Error)]
pub enum Failure {
    /// The phone's.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// Headquarters'.
    #[error(transparent)]
    Hq(#[from] HqError),
    /// A root's, or a key file's.
    #[error(transparent)]
    Root(#[from] RootError),
    /// A picture's.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A drawing's.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// A file that could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Anything else, said in both languages.
    #[error("{en}")]
    Said {
        /// Español.
        es: String,
        /// English.
        en: String,
    },
}

impl Failure {
    pub fn said(es: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Said {
            es: es.into(),
            en: en.into(),
        }
    }

    /// What a library says, in its own words.
    pub fn foreign(error: impl std::fmt::Display) -> Self {
        let text = error.to_string();
        Self::said(text.clone(), text)
    }

    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }

    /// What a person is told.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::Phone(error @ PhoneError::NoPhone) => {
                format!("{} (testigo phone init)", error.sentence(language))
            }
            Self::Phone(error) if error.code() == "store-damaged" => {
                format!("{} (testigo phone recover)", error.sentence(language))
            }
            Self::Phone(error) if error.code() == "wrong-key" => {
                let next = language.pick(
                    "testigo phone recover; si dice lo mismo y la llave es la buena: testigo phone recover --key-is-right",
                    "testigo phone recover; where that says the same and the key is right: testigo phone recover --key-is-right",
                );
                format!("{} ({next})", error.sentence(language))
            }
            Self::Phone(error) => error.sentence(language),
            Self::Hq(error) => error.sentence(language),
            Self::Root(error) => error.sentence(language),
            Self::Said { es, en } => language.pick(es, en).clone(),
            Self::Picture(error) => error.sentence(language),
            Self::Sheet(error) => error.sentence(language),
            Self::File { path, source } => file(path, source, language),
        }
    }

    /// For a program.
    pub fn json(&self, language: Language) -> Value {
        let code = match self {
            Self::Phone(error) => error.code(),
            Self::Picture(_) => "picture",
            Self::Hq(_) => "headquarters",
            Self::Root(_) => "root",
            _ => "failed",
        };
        let mut error = json!({ "code": code, "sentence": self.sentence(language) });
        if let (Self::Hq(HqError::Pack(pack)), Value::Object(error)) = (self, &mut error) {
            let faults = pack
                .faults()
                .iter()
                .map(|fault| fault_json(fault, language));
            error.insert("faults".to_owned(), faults.collect());
        }
        json!({ "error": error })
    }
}

/// A fault of an election's files; without a place it is about the whole file.
fn fault_json(fault: &Fault, language: Language) -> Value {
    let place = fault.place.as_ref();
    json!({
        "file": fault.file,
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "name": place.map(|place| &place.name),
        "sentence": fault.sentence(language),
    })
}

/// What the system said of a file, with what to do.
fn file(path: &str, source: &std::io::Error, language: Language) -> String {
    let (es, en) = match source.kind() {
        ErrorKind::NotFound => (
            "no existe; revise el nombre",
            "does not exist; check the name",
        ),
        ErrorKind::PermissionDenied => (
            "no tiene permiso para abrirlo o escribirlo",
            "you may not open or write it",
        ),
        ErrorKind::AlreadyExists => (
            "ya existe y no se sobrescribe; elija otro nombre",
            "exists already and is not overwritten; choose another name",
        ),
        ErrorKind::IsADirectory => ("es una carpeta, no un archivo", "is a folder, not a file"),
        ErrorKind::StorageFull => (
            "no cabe: el disco está lleno; libere espacio",
            "does not fit: the disk is full; free some space",
        ),
        _ => {
            return language.pick(
                format!("{path}: no se puede leer o escribir ({source})"),
                format!("{path}: cannot be read or written ({source})"),
            );
        }
    };
    format!("{path}: {}", language.pick(es, en))
}
