use super::PaperError;
use crate::HqError;
use std::io;
use std::path::{Path, PathBuf};
use testigo_wire::{Language, WireError};
use thiserror::Error;

/// Why a root or a key file cannot be made or used. [`RootError::sentence`] says what to do next.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RootError {
    /// The folder holds no root.
    #[error("{} holds no root", .0.display())]
    NoRoot(PathBuf),
    /// A new root needs a new or empty folder.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// Too short to protect anything.
    #[error("the passphrase is too short")]
    ShortPassphrase,
    /// The passphrase is wrong, or the file was changed.
    #[error("the passphrase does not open the key file")]
    Passphrase,
    /// The file is no key file of this kind, or is damaged.
    #[error("this is no key file, or a damaged one")]
    KeyFile,
    /// The file is no public half of a root.
    #[error("{} is no root.pub", .0.display())]
    Public(PathBuf),
    /// So few shares cannot be asked for, or so many not made.
    #[error("at least two shares are needed, and as many made")]
    Sharing,
    /// What was typed from paper.
    #[error(transparent)]
    Paper(#[from] PaperError),
    /// The request is damaged or contradicts itself.
    #[error("the request: {0}")]
    Request(#[source] WireError),
    /// The request is for another root.
    #[error("the request is for another root")]
    OtherRoot,
    /// A later keyset was signed since the request was made.
    #[error("the request changes version {made_from}, and version {signed} was signed")]
    Outdated {
        /// The version that it changes.
        made_from: u64,
        /// The version that was signed.
        signed: u64,
    },
    /// This machine's clock is behind the time at which the keyset before was signed.
    #[error("the clock is behind the last keyset")]
    Clock,
    /// A key of the folder is there already, and is another one.
    #[error("{} is another key", .0.display())]
    OtherKey(PathBuf),
    /// Files, folders, randomness, headquarters.
    #[error(transparent)]
    Hq(#[from] HqError),
}

impl RootError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let fault = HqError::file(path);
        move |error| Self::Hq(fault(error))
    }

    /// What a person is told, with what to do next.
    pub fn sentence(&self, language: Language) -> String {
        let fixed = match self {
            Self::Hq(error) => return error.sentence(language),
            Self::Paper(error) => return paper(error, language),
            Self::NoRoot(dir) => {
                let dir = dir.display();
                return language.pick(
                    format!(
                        "En {dir} no hay una raíz. Hágala con: testigo hq --data {dir} root new"
                    ),
                    format!("{dir} holds no root. Make one with: testigo hq --data {dir} root new"),
                );
            }
            Self::NotEmpty(dir) => {
                let dir = dir.display();
                return language.pick(
                    format!("La carpeta {dir} no está vacía; no se ha cambiado nada. Elija una nueva para la raíz."),
                    format!("The folder {dir} is not empty; nothing was changed. Choose a new one for the root."),
                );
            }
            Self::Public(path) => {
                let path = path.display();
                return language.pick(
                    format!("{path} no es la mitad pública de una raíz. Traiga root.pub de la carpeta de la raíz."),
                    format!("{path} is not the public half of a root. Bring root.pub of the root's folder."),
                );
            }
            Self::Outdated { made_from, signed } => {
                return language.pick(
                    format!("La solicitud cambia la versión {made_from}, pero ya se firmó la {signed}: nunca se vuelve atrás. Instale primero la {signed} en la central y haga allí otra solicitud."),
                    format!("The request changes version {made_from}, but version {signed} was signed since: there is no way back. First install {signed} at headquarters, and make another request there."),
                );
            }
            Self::OtherKey(path) => {
                let path = path.display();
                return language.pick(
                    format!("{path} ya existe y es otra llave; no se ha cambiado nada. Restaure en una carpeta nueva, con --to."),
                    format!("{path} is there and is another key; nothing was changed. Restore into a new folder, with --to."),
                );
            }
            Self::Request(error) => {
                return language.pick(
                    format!("La solicitud está dañada o no lo es ({error}). Tráigala de nuevo de la central."),
                    format!("The request is damaged, or is none ({error}). Bring it from headquarters again."),
                );
            }
            Self::ShortPassphrase => (
                "La frase de paso es corta: use al menos doce letras, mejor seis palabras al azar.",
                "The passphrase is short: use at least twelve letters, better six words at random.",
            ),
            Self::Passphrase => (
                "La frase de paso no abre la llave, o el archivo cambió. Pruebe otra vez; si ya nadie la sabe, restaure desde el papel.",
                "The passphrase does not open the key, or the file was changed. Try again; where nobody knows it any more, restore from paper.",
            ),
            Self::KeyFile => (
                "Este no es un archivo de llave de esta clase, o está dañado. Use otra copia, o el papel.",
                "This is no key file of this kind, or a damaged one. Use another copy, or the paper.",
            ),
            Self::Sharing => (
                "Hacen falta al menos dos partes, y hacer al menos tantas como se piden.",
                "At least two shares must be needed, and at least as many made as are needed.",
            ),
            Self::OtherRoot => (
                "La solicitud es para otra raíz. Compare las seis palabras con la central.",
                "The request is for another root. Compare the six words with headquarters.",
            ),
            Self::Clock => (
                "El reloj de este equipo está atrasado respecto a la última firma. Póngalo en hora y repita.",
                "This machine's clock is behind the last signature. Set it right and try again.",
            ),
        };
        language.pick(fixed.0, fixed.1).to_owned()
    }
}

fn paper(error: &PaperError, language: Language) -> String {
    match error {
        PaperError::Line(n) => language.pick(
            format!("La línea {n} tiene alguna letra mal. Cópiela de nuevo, letra por letra."),
            format!("Line {n} has a wrong letter somewhere. Copy it again, letter by letter."),
        ),
        PaperError::Again(number) => language.pick(
            format!("La parte {number} ya se leyó. Siga con otra."),
            format!("Share {number} was read already. Go on with another one."),
        ),
        PaperError::TooFew { found, needed } => language.pick(
            format!("Hay {found} partes distintas y hacen falta {needed}. Busque las demás."),
            format!("There are {found} different shares, and {needed} are needed. Find the others."),
        ),
        PaperError::Unfinished => language.pick(
            "Faltan líneas: cada papel tiene cuatro.".to_owned(),
            "Lines are missing: each paper has four.".to_owned(),
        ),
        PaperError::Mixed => language.pick(
            "Los papeles no son del mismo juego: todos deben llevar la misma marca.".to_owned(),
            "The papers are not of one set: all must have the same mark.".to_owned(),
        ),
        PaperError::OtherKind => language.pick(
            "Los papeles son de otra clase de llave: los de la raíz y los de la central son distintos.".to_owned(),
            "The papers are of another kind of key: the root's and headquarters' are different ones.".to_owned(),
        ),
        PaperError::Wrong => language.pick(
            "Las partes no dan la llave de la que se hicieron: alguna es falsa. Pruebe con otras del mismo juego.".to_owned(),
            "The shares do not give the key that they were made of: one is forged. Try others of the same set.".to_owned(),
        ),
    }
}

impl From<getrandom::Error> for RootError {
    fn from(error: getrandom::Error) -> Self {
        Self::Hq(HqError::keys(error))
    }
}
