use crate::pack_source::PackSourceError;
use crate::rotate::KeysetRefusal;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use testigo_sqlite::{Failure, OpenError, classify};
use testigo_wire::{KeyId, Language, TableId, WireError};
use thiserror::Error;

/// Why headquarters cannot be made, opened or served. [`HqError::sentence`] says what to do next.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HqError {
    /// The folder holds no headquarters.
    #[error("{} holds no headquarters", .0.display())]
    NotHeadquarters(PathBuf),
    /// The folder holds headquarters already; they are never overwritten.
    #[error("{} holds headquarters already", .0.display())]
    AlreadyHeadquarters(PathBuf),
    /// The folder holds something else, perhaps what an interrupted `init` left.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The election's description has a mistake.
    #[error(transparent)]
    Pack(#[from] PackSourceError),
    /// A key file is damaged, or is not the one that the signed keyset names.
    #[error("{} is damaged or belongs to other headquarters", .0.display())]
    Key(PathBuf),
    /// Phones know keys of TLS by their pins, and none of them is here.
    #[error("{} holds none of the TLS keys that phones know", .0.display())]
    TlsKeys(PathBuf),
    /// The signed keyset or pack is damaged, or signed by another root.
    #[error("{}: {source}", path.display())]
    Signed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WireError,
    },
    /// The database cannot be opened. Nothing was changed.
    #[error("{}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Why.
        source: OpenError,
    },
    /// The database failed while it was used; what was under way was rolled back.
    #[error("the database failed: {0}")]
    Store(#[from] rusqlite::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The election has no such polling table.
    #[error("table {0} is not in the election pack")]
    TableUnknown(TableId),
    /// The database is sound: there is nothing to recover, and nothing was changed.
    #[error("{} is not damaged", .0.display())]
    NotDamaged(PathBuf),
    /// An address that phones would refuse to send to.
    #[error("phones would not send to {0:?}")]
    Endpoint(String),
    /// A phone's key that is sealed to other headquarters, or damaged.
    #[error("the key is sealed to other headquarters, or damaged")]
    StoreKey,
    /// No device has this short name.
    #[error("there is no device {0}")]
    DeviceUnknown(KeyId),
    /// No device has the characters that were heard.
    #[error("no device has these characters")]
    ConfirmationUnknown,
    /// The device was revoked, or is the one that is to be replaced.
    #[error("the device {0} is revoked")]
    DeviceRevoked(KeyId),
    /// The root revoked the device, and nobody at headquarters did: only another keyset takes that back.
    #[error("the root has revoked the device {0}")]
    RevokedByRoot(KeyId),
    /// Neither a device nor an enrolment code has this name.
    #[error("there is no device and no code {0}")]
    NothingToRevoke(KeyId),
    /// A revocation from a time that is still to come would leave everything counted until then.
    #[error("the revocation would begin in the future")]
    ToCome,
    /// The desk has filed no record under this number.
    #[error("there is no record {0}")]
    RecordUnknown(i64),
    /// The key of the desk's database is missing: bring it back, or have `recover` make another, which loses decisions.
    #[error("{0} is missing")]
    DeskKeyMissing(PathBuf),
    /// The record is no sheet that a format reads, so that there is no version of it to choose.
    #[error("record {0} is no reading of a sheet")]
    NoReading(i64),
    /// No record has an attachment of this number.
    #[error("there is no attachment {0}")]
    AttachmentUnknown(i64),
    /// A record names the attachment, and it has not arrived.
    #[error("the attachment {0} has not arrived")]
    AttachmentNotHere(i64),
    /// The attachment is held and cannot be read or opened.
    #[error("the attachment {0} cannot be opened")]
    AttachmentDamaged(i64),
    /// The folder holds no backup, or one that was not finished.
    #[error("{} holds no backup that was finished", .0.display())]
    NotBackup(PathBuf),
    /// The folder holds a backup of other headquarters.
    #[error("{} holds a backup of other headquarters", .0.display())]
    OtherBackup(PathBuf),
    /// A backup inside the folder that it is a backup of would be lost with it.
    #[error("{} lies inside headquarters' own folder", .0.display())]
    BackupInside(PathBuf),
    /// A file of a backup is not as it was when the backup was made.
    #[error("{} is not as it was when the backup was made", .0.display())]
    BackupDamaged(PathBuf),
    /// What these headquarters need signed still waits for the offline root.
    #[error("{} waits for the root's signature", .0.display())]
    NotSigned(PathBuf),
    /// A signed keyset that these headquarters do not take.
    #[error("{}: {refusal:?}", path.display())]
    Keyset {
        /// The file.
        path: PathBuf,
        /// Why.
        refusal: KeysetRefusal,
    },
    /// The operating system gave no randomness, or a key could not be used.
    #[error("keys cannot be made: {0}")]
    Keys(String),
    /// A thread of the server could not be started, or ended by a fault.
    #[error("the server stopped: {0}")]
    Server(io::Error),
}

impl HqError {
    /// What a person is told, with what to do next.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::TlsKeys(keys) => {
                let keys = keys.display();
                language.pick(
                    format!(
                        "Los teléfonos solo confían en llaves TLS que no están en {keys}: sin ellas no entregan nada. \
                         Recupérelas (testigo hq keys restore). Si quien las tiene es un proxy: serve --proxy-speaks-tls"
                    ),
                    format!(
                        "Phones trust TLS keys alone that are not in {keys}: without them they deliver nothing. \
                         Bring them back (testigo hq keys restore). Where a proxy has them: serve --proxy-speaks-tls"
                    ),
                )
            }
            Self::ToCome => language
                .pick(
                    "Esa hora todavía no llega: hasta entonces todo seguiría contando. No se decidió nada; revise año y huso horario, o quite --from para que valga desde ahora.",
                    "That time is still to come: until then everything would go on counting. Nothing was decided; look at year and time zone, or leave --from out so that it holds from now on.",
                )
                .to_owned(),
            Self::StoreKey => language
                .pick(
                    "La llave de este teléfono (store-key.sealed) está sellada para otra central, o dañada. No se cambió nada.",
                    "This phone's key (store-key.sealed) is sealed to other headquarters, or damaged. Nothing was changed.",
                )
                .to_owned(),
            Self::NotHeadquarters(dir) => {
                let dir = dir.display();
                language.pick(
                    format!(
                        "En {dir} no hay una central. Ejecute primero: testigo hq --data {dir} init"
                    ),
                    format!("{dir} holds no headquarters. First run: testigo hq --data {dir} init"),
                )
            }
            Self::AlreadyHeadquarters(dir) => {
                let dir = dir.display();
                language.pick(
                    format!(
                        "En {dir} ya hay una central; no se ha cambiado nada. Para servirla: testigo hq --data {dir} serve"
                    ),
                    format!(
                        "{dir} already holds headquarters; nothing was changed. To serve them: testigo hq --data {dir} serve"
                    ),
                )
            }
            Self::NotEmpty(dir) => {
                let dir = dir.display();
                language.pick(
                    format!("La carpeta {dir} no está vacía. Elija una carpeta vacía o nueva."),
                    format!("The folder {dir} is not empty. Choose an empty or new one."),
                )
            }
            Self::Pack(error) => {
                let (n, faults) = (error.faults().len(), error.sentence(language));
                language.pick(
                    format!("La descripción de la elección tiene errores ({n}); no se hizo nada:\n{faults}"),
                    format!("The election's description has faults ({n}); nothing was made:\n{faults}"),
                )
            }
            Self::Endpoint(address) => language.pick(
                format!(
                    "La dirección {address:?} no es segura y los teléfonos la rechazarían: debe empezar con https:// (http:// solo en este mismo equipo)."
                ),
                format!(
                    "The address {address:?} is not safe and phones would refuse it: it must begin with https:// (http:// on this machine only)."
                ),
            ),
            Self::Key(path) => {
                let path = path.display();
                language.pick(
                    format!(
                        "El archivo de clave {path} está dañado o es de otra central. Restaure la copia de la carpeta keys."
                    ),
                    format!(
                        "The key file {path} is damaged or belongs to other headquarters. Restore your copy of the keys folder."
                    ),
                )
            }
            Self::Signed { path, source } => {
                let path = path.display();
                language.pick(
                    format!("{path} está dañado ({source}). Restaure la copia de la carpeta public."),
                    format!("{path} is damaged ({source}). Restore your copy of the public folder."),
                )
            }
            Self::Database { path, source } => {
                let next = next_for(path, source, language);
                let path = path.display();
                match language {
                    Language::Es | Language::Pt => format!(
                        "No se puede abrir la base de datos {path}; no se ha cambiado ni borrado nada: {}{next}",
                        why_not_open(source)
                    ),
                    Language::En => format!(
                        "The database {path} cannot be opened; nothing was changed or deleted: {}{next}",
                        why_not_open_in_english(source)
                    ),
                }
            }
            Self::Store(error) if classify(error) == Failure::Corrupt => language.pick(
                "La base de datos de la central está dañada. Detenga la central y ejecute: testigo hq --data DIR recover".to_owned(),
                "Headquarters' database is damaged. Stop the server and run: testigo hq --data DIR recover".to_owned(),
            ),
            Self::Store(error) => language.pick(
                format!(
                    "La base de datos falló y lo pendiente se deshizo; revise el espacio en disco: {error}"
                ),
                format!(
                    "The database failed and what was under way was rolled back; check the disk's free space: {error}"
                ),
            ),
            Self::Address { address, source } => language.pick(
                format!(
                    "No se puede escuchar en {address} ({source}). Elija otro puerto o detenga el programa que lo usa."
                ),
                format!(
                    "Cannot listen on {address} ({source}). Choose another port, or stop the program that uses it."
                ),
            ),
            Self::File { path, source } => {
                let path = path.display();
                language.pick(
                    format!("No se puede leer o escribir {path}: {source}"),
                    format!("Cannot read or write {path}: {source}"),
                )
            }
            Self::TableUnknown(table) => language.pick(
                format!(
                    "La mesa {table} no está en el paquete de la elección; revise el número, por ejemplo 201301006.01."
                ),
                format!(
                    "Table {table} is not in the election pack; check the number, such as 201301006.01."
                ),
            ),
            Self::DeviceUnknown(device) => language.pick(
                format!("No hay ningún teléfono {device}. Sus nombres están en: testigo hq devices"),
                format!("There is no device {device}. Their names are in: testigo hq devices"),
            ),
            Self::ConfirmationUnknown => language.pick(
                "Ningún teléfono tiene esos caracteres; no se confirmó nada. Pida que los lean otra vez, y que antes sincronicen: puede no haber llegado.".to_owned(),
                "No device has these characters; nothing was confirmed. Have them read out again, after a sync: it may not have arrived.".to_owned(),
            ),
            Self::DeviceRevoked(device) => language.pick(
                format!("El teléfono {device} está revocado o es el que se reemplaza; no se cambió nada. Si fue un error: testigo hq devices trust {device}"),
                format!("The device {device} is revoked, or is the one to be replaced; nothing was changed. If that was a mistake: testigo hq devices trust {device}"),
            ),
            Self::RevokedByRoot(device) => language.pick(
                format!("Al teléfono {device} lo revocó la raíz; no se cambió nada. Eso solo lo deshace otro juego de llaves: el teléfono se inscribe de nuevo, con otro código, como uno nuevo."),
                format!("The device {device} was revoked by the root; nothing was changed. Only another keyset takes that back: enrol the phone anew, with another code, as a new one."),
            ),
            Self::NothingToRevoke(name) => language.pick(
                format!("No hay ningún teléfono ni código {name}; no se cambió nada. Sus nombres están en: testigo hq devices"),
                format!("There is no device and no code {name}; nothing was changed. Their names are in: testigo hq devices"),
            ),
            Self::RecordUnknown(id) => language.pick(
                format!("No hay ningún registro {id}. Los que esperan están en: testigo hq review"),
                format!("There is no record {id}. Those that wait are in: testigo hq review"),
            ),
            Self::DeskKeyMissing(path) => {
                let path = path.display();
                language.pick(
                    format!("Falta {path}, la llave de la base de la mesa. Recupérela de una copia (testigo hq keys restore). Si no hay ninguna: testigo hq recover --key-is-right hace otra; se pierde lo decidido sobre teléfonos y registros, y la mesa abre de nuevo todo lo recibido."),
                    format!("{path} is missing, the key of the desk's database. Bring it back from a copy (testigo hq keys restore). Where there is none: testigo hq recover --key-is-right makes another; what was decided about phones and records is lost, and the desk opens again all that was received."),
                )
            }
            Self::NoReading(id) => language.pick(
                format!("El registro {id} no es un acta leída. Los números de las versiones están en: testigo hq table"),
                format!("Record {id} is no sheet that was read. The versions' numbers are in: testigo hq table"),
            ),
            Self::AttachmentUnknown(id) => language.pick(
                format!("Ningún registro tiene el archivo {id}. Sus números están en /v1/incidents y /v1/results."),
                format!("No record has the attachment {id}. Their numbers are in /v1/incidents and /v1/results."),
            ),
            Self::AttachmentNotHere(id) => language.pick(
                format!("El archivo {id} aún no ha llegado; el teléfono lo enviará. Pruebe más tarde."),
                format!(
                    "The attachment {id} has not arrived yet; its phone will send it. Try again later."
                ),
            ),
            Self::AttachmentDamaged(id) => language.pick(
                format!(
                    "El archivo {id} no se puede leer o abrir: está dañado aquí o se selló mal. Restaure la copia de la carpeta blobs."
                ),
                format!(
                    "The attachment {id} cannot be read or opened: it is damaged here or was sealed wrongly. Restore your copy of the blobs folder."
                ),
            ),
            Self::NotDamaged(path) => {
                let path = path.display();
                language.pick(
                    format!("{path} no está dañada; queda como está."),
                    format!("{path} is not damaged; it is left as it is."),
                )
            }
            Self::NotBackup(dir) => {
                let dir = dir.display();
                language.pick(
                    format!("En {dir} no hay una copia terminada (falta MANIFEST.sha256). Hágala con: testigo hq --data DIR backup --out {dir}"),
                    format!("{dir} holds no finished backup (no MANIFEST.sha256). Make one with: testigo hq --data DIR backup --out {dir}"),
                )
            }
            Self::OtherBackup(dir) => {
                let dir = dir.display();
                language.pick(
                    format!("La copia en {dir} es de otra central; no se ha cambiado nada. Elija otra carpeta."),
                    format!("The backup in {dir} is of other headquarters; nothing was changed. Choose another folder."),
                )
            }
            Self::BackupInside(dir) => {
                let dir = dir.display();
                language.pick(
                    format!("{dir} está dentro de la carpeta de la central: se perdería con ella. Elija una carpeta en otro disco."),
                    format!("{dir} lies inside headquarters' own folder and would be lost with it. Choose a folder on another disk."),
                )
            }
            Self::BackupDamaged(path) => {
                let path = path.display();
                language.pick(
                    format!("{path} está dañado: esta copia no sirve y nada pasa a estar a salvo. Haga otra en una carpeta nueva."),
                    format!("{path} is damaged: this backup is of no use, and nothing becomes safe by it. Make another one in a new folder."),
                )
            }
            Self::NotSigned(dir) => {
                let dir = dir.display();
                language.pick(
                    format!("La central en {dir} espera la firma de la raíz. Lleve {dir}/keyset-request.cbor al equipo de la raíz (testigo hq --data RAÍZ root sign), traiga lo firmado y ejecute: testigo hq --data {dir} keyset install CARPETA"),
                    format!("Headquarters in {dir} wait for the root's signature. Bring {dir}/keyset-request.cbor to the root's machine (testigo hq --data ROOT root sign), bring back what it signed, and run: testigo hq --data {dir} keyset install FOLDER"),
                )
            }
            Self::Keyset { path, refusal } => {
                let why = refusal.sentence(language);
                format!("{}: {why}", path.display())
            }
            Self::Keys(reason) => language.pick(
                format!("No se pueden crear o usar las claves: {reason}"),
                format!("Keys cannot be made or used: {reason}"),
            ),
            Self::Server(error) => language.pick(
                format!("El servidor se detuvo: {error}. Lo recibido está a salvo; arránquelo de nuevo."),
                format!("The server stopped: {error}. What was received is safe; start it again."),
            ),
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn keys(error: impl ToString) -> Self {
        Self::Keys(error.to_string())
    }
}

/// The command that helps, where it is one of headquarters' own databases and not a backup's.
fn next_for(path: &Path, error: &OpenError, language: Language) -> String {
    let own = |name: &std::ffi::OsStr| name == "hq.db" || name == "desk.db";
    if !path.file_name().is_some_and(own) {
        return String::new();
    }
    let dir = path.parent().unwrap_or(Path::new(".")).display();
    match error {
        OpenError::Corrupt => language.pick(
            format!(". Detenga la central y ejecute: testigo hq --data {dir} recover"),
            format!(". Stop the server and run: testigo hq --data {dir} recover"),
        ),
        OpenError::WrongKey
        | OpenError::LogWithoutDatabase
        | OpenError::Missing
        | OpenError::Foreign { .. } => language.pick(
            format!(
                ". Si hay una copia, vuelva a ella con: testigo hq restore. Si no, para empezar de nuevo con las mismas claves y apartar lo que haya: testigo hq --data {dir} recover --key-is-right"
            ),
            format!(
                ". Where there is a backup, go back to it: testigo hq restore. Where there is none, to begin anew under the same keys and set aside what is there: testigo hq --data {dir} recover --key-is-right"
            ),
        ),
        _ => String::new(),
    }
}

/// What operators are told where [`OpenError`]'s own sentences speak to programmers.
fn why_not_open_in_english(error: &OpenError) -> String {
    match error {
        OpenError::WrongKey => {
            "the key is not its own, or the file is none of ours, or its beginning is damaged; try your copy of its key in keys/".to_owned()
        }
        OpenError::Corrupt => "it is damaged".to_owned(),
        OpenError::LogWithoutDatabase => {
            "the file is missing or empty and its -wal is not; put the file back if you have it".to_owned()
        }
        OpenError::Missing => "it is missing or empty; put the file back if you have it".to_owned(),
        error => error.to_string(),
    }
}

/// The Spanish of [`OpenError`]'s own sentences.
fn why_not_open(error: &OpenError) -> String {
    match error {
        OpenError::WrongKey => "la clave no es la suya, o el archivo no es una de nuestras bases o tiene dañado el comienzo; pruebe con la copia de su clave de keys/".to_owned(),
        OpenError::Corrupt => "está dañada".to_owned(),
        OpenError::LogWithoutDatabase => "el archivo falta o está vacío y su -wal no; devuelva el archivo a su lugar si lo tiene".to_owned(),
        OpenError::Missing => "falta o está vacía; devuelva el archivo a su lugar si lo tiene".to_owned(),
        OpenError::Newer { found, known } => format!("la escribió una versión más nueva (esquema {found}; este programa conoce hasta el {known}); actualice el programa"),
        OpenError::Foreign { .. } => "es de otra aplicación; revise la ruta".to_owned(),
        OpenError::DiskFull => "el disco está lleno; libere espacio e intente de nuevo".to_owned(),
        OpenError::Busy => "otro programa la tiene ocupada; intente de nuevo".to_owned(),
        error => error.to_string(),
    }
}
