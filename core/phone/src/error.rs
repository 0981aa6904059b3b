use crate::HostKeysFault;
use crate::store::is_full;
use std::io;
use testigo_sqlite::{Failure, NoRandomness, OpenError, classify};
use testigo_wire::{Language, WireError};
use thiserror::Error;

/// Why the phone could not do what was asked. Each kind asks something else of the caller, and none
/// of them loses anything that was saved before.
#[derive(Debug, Error)]
pub enum PhoneError {
    /// An input cannot be understood; correct the field and try again.
    #[error("{field}: {en}")]
    Input {
        /// The field.
        field: &'static str,
        /// What is wrong with it, in Spanish.
        es: String,
        /// What is wrong with it, in English.
        en: String,
        /// What is wrong with it, in Portuguese.
        pt: String,
    },
    /// There is no phone in this folder; make one first.
    #[error("there is no phone in this folder")]
    NoPhone,
    /// There is a phone in this folder already; it is left as it is.
    #[error("there is a phone in this folder already")]
    PhoneExists,
    /// The store is sound: there is nothing to recover, and it was left as it is.
    #[error("the phone's store is not damaged")]
    NotDamaged,
    /// Nothing can be sealed before the phone has headquarters' keys; enrol first.
    #[error("the phone has not enrolled yet")]
    NotEnrolled,
    /// The phone is enrolled already; it keeps the enrolment it has.
    #[error("the phone has enrolled already")]
    AlreadyEnrolled,
    /// Keys, election pack and enrolment code are not of one headquarters; get them from one source.
    #[error("keys, election pack and enrolment code are not of one headquarters: {0}")]
    OtherHeadquarters(&'static str),
    /// A file from headquarters is damaged; get it again.
    #[error(transparent)]
    Damaged(WireError),
    /// The store cannot be opened, or a part of it turns out to be damaged; it is left untouched.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No room; nothing was saved of this record. Free some and save again.
    #[error("the phone's storage is full")]
    StorageFull,
    /// A file that was to be attached cannot be read; choose it again, or save without it.
    #[error("the file cannot be read: {0}")]
    File(#[source] std::io::Error),
    /// The phone's disk failed; nothing was saved of this record.
    #[error("the phone's disk failed: {0}")]
    Disk(#[source] std::io::Error),
    /// The store failed; nothing was saved of this record.
    #[error("the phone's store failed: {0}")]
    Store(#[source] rusqlite::Error),
    /// The operating system gave no random numbers.
    #[error("the operating system gives no random numbers")]
    Random,
    /// There is no memory for what a PIN costs; close other apps.
    #[error("there is not enough memory to look at a PIN")]
    OutOfMemory,
    /// Nothing is shown before the PIN is given. Saving and sending go on.
    #[error("locked: unlock to read")]
    Locked,
    /// That is not the PIN.
    #[error("not the PIN")]
    WrongPin {
        /// Milliseconds until the next one is looked at.
        wait_ms: u64,
        /// How many more wrong ones there may be before the phone is wiped, where the witness chose so.
        left_before_wipe: Option<u32>,
    },
    /// No PIN is looked at yet, not even the right one.
    #[error("no PIN is looked at yet")]
    TooSoon {
        /// Milliseconds until one is.
        wait_ms: u64,
    },
    /// The phone was wiped, and is no phone any more.
    #[error("the phone was wiped")]
    Wiped,
    /// The host's key store did not do it.
    #[error(transparent)]
    HostKeys(#[from] HostKeysFault),
}

/// What whoever was told of an error does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Correct the field that is named, and try again.
    CorrectInput,
    /// Enrol first.
    Enrol,
    /// Ask for the PIN.
    Unlock,
    /// Ask the coordinator: nothing on this phone can put it right.
    AskCoordinator,
    /// Free some space, and try again.
    FreeSpace,
    /// Try again in a while.
    TryAgain,
    /// Keep the phone's folder as it is, and report it.
    KeepAndReport,
}

impl PhoneError {
    /// An input that cannot be understood: the field, and what is wrong with it in Spanish, English and
    /// Portuguese, as the end of a sentence. For hosts that check inputs of their own.
    pub fn input(
        field: &'static str,
        es: impl Into<String>,
        en: impl Into<String>,
        pt: impl Into<String>,
    ) -> Self {
        Self::Input {
            field,
            es: es.into(),
            en: en.into(),
            pt: pt.into(),
        }
    }

    /// What to do next.
    pub fn next_step(&self) -> NextStep {
        match self {
            Self::Input { .. } | Self::WrongPin { .. } => NextStep::CorrectInput,
            Self::Locked => NextStep::Unlock,
            Self::Wiped | Self::NoPhone | Self::NotEnrolled => NextStep::Enrol,
            Self::PhoneExists
            | Self::NotDamaged
            | Self::AlreadyEnrolled
            | Self::OtherHeadquarters(_)
            | Self::Damaged(_) => NextStep::AskCoordinator,
            Self::StorageFull | Self::Open(OpenError::DiskFull) => NextStep::FreeSpace,
            Self::File(_) => NextStep::CorrectInput,
            Self::Store(_)
            | Self::Disk(_)
            | Self::Random
            | Self::OutOfMemory
            | Self::TooSoon { .. }
            | Self::HostKeys(HostKeysFault::Unavailable)
            | Self::Open(OpenError::Busy) => NextStep::TryAgain,
            Self::Open(_) | Self::HostKeys(HostKeysFault::Gone) => NextStep::KeepAndReport,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::NoPhone => "no-phone",
            Self::PhoneExists => "phone-exists",
            Self::NotDamaged => "not-damaged",
            Self::NotEnrolled => "not-enrolled",
            Self::AlreadyEnrolled => "already-enrolled",
            Self::OtherHeadquarters(_) => "other-headquarters",
            Self::Damaged(_) => "damaged",
            Self::Open(error) => open_code(error),
            Self::StorageFull => "storage-full",
            Self::File(_) => "file-unreadable",
            Self::Disk(_) => "disk-failed",
            Self::Store(_) => "store-failed",
            Self::Random => "no-randomness",
            Self::OutOfMemory => "no-memory",
            Self::Locked => "locked",
            Self::WrongPin { .. } => "wrong-pin",
            Self::TooSoon { .. } => "too-soon",
            Self::Wiped => "wiped",
            Self::HostKeys(HostKeysFault::Gone) => "host-key-gone",
            Self::HostKeys(HostKeysFault::Unavailable) => "host-keys-unavailable",
        }
    }

    /// What a person is told, and what to do next.
    pub fn sentence(&self, language: Language) -> String {
        let fixed = match self {
            Self::Input { field, es, en, pt } => {
                return language.pick3(
                    format!("Revise «{field}»: {es}"),
                    format!("Check {field:?}: {en}"),
                    format!("Confira «{field}»: {pt}"),
                );
            }
            Self::Open(error) => open_sentence(error),
            Self::NoPhone => (
                "Aquí no hay ningún teléfono. Prepárelo primero.",
                "There is no phone here. Make one first.",
                "Aqui não há nenhum telefone. Prepare um primeiro.",
            ),
            Self::PhoneExists => (
                "Aquí ya hay un teléfono; queda como está.",
                "There is a phone here already; it is left as it is.",
                "Aqui já há um telefone; ele fica como está.",
            ),
            Self::NotDamaged => (
                "El almacén no está dañado; queda como está.",
                "The store is not damaged; it is left as it is.",
                "O armazenamento não está danificado; fica como está.",
            ),
            Self::NotEnrolled => (
                "Este teléfono aún no está inscrito. Escanee primero el código de inscripción.",
                "This phone has not enrolled yet. Scan the enrolment code first.",
                "Este telefone ainda não está inscrito. Escaneie primeiro o código de inscrição.",
            ),
            Self::AlreadyEnrolled => (
                "Este teléfono ya está inscrito y conserva su inscripción.",
                "This phone has enrolled already and keeps its enrolment.",
                "Este telefone já está inscrito e mantém sua inscrição.",
            ),
            Self::OtherHeadquarters(_) => (
                "Las claves, la elección y el código no son de la misma central. Pídalos a su coordinación.",
                "Keys, election and code are not of one headquarters. Ask your coordinator for them.",
                "As chaves, a eleição e o código não são da mesma central. Peça-os à sua coordenação.",
            ),
            Self::Damaged(error) => match error.what() {
                "keyset" => (
                    "El archivo de llaves de la central está dañado o no lo es. Pídalo de nuevo.",
                    "Headquarters' file of keys is damaged, or is none. Ask for it again.",
                    "O arquivo de chaves da central está danificado ou não é um. Peça-o de novo.",
                ),
                "election pack" => (
                    "El paquete de la elección está dañado o no lo es. Pídalo de nuevo.",
                    "The election pack is damaged, or is none. Ask for it again.",
                    "O pacote da eleição está danificado ou não é um. Peça-o de novo.",
                ),
                "receipts" => (
                    "El archivo de acuses está dañado o no lo es; nada cambió. Pídalo de nuevo.",
                    "The file of receipts is damaged, or is none; nothing changed. Ask for it again.",
                    "O arquivo de recibos está danificado ou não é um; nada mudou. Peça-o de novo.",
                ),
                _ => (
                    "Un archivo de la central está dañado. Pídalo de nuevo.",
                    "A file from headquarters is damaged. Ask for it again.",
                    "Um arquivo da central está danificado. Peça-o de novo.",
                ),
            },
            Self::StorageFull => (
                "El teléfono no tiene espacio: esto NO se guardó. Libere espacio y guarde de nuevo.",
                "The phone is full: this was NOT saved. Free some space and save again.",
                "O telefone está sem espaço: isto NÃO foi salvo. Libere espaço e salve de novo.",
            ),
            Self::File(_) => (
                "El archivo no se puede leer. Elíjalo de nuevo, o guarde sin él.",
                "The file cannot be read. Choose it again, or save without it.",
                "O arquivo não pode ser lido. Escolha-o de novo, ou salve sem ele.",
            ),
            Self::Disk(_) => (
                "El disco del teléfono falló: el archivo NO se guardó. Intente de nuevo, o guarde sin él.",
                "The phone's disk failed: the file was NOT saved. Try again, or save without it.",
                "O disco do telefone falhou: o arquivo NÃO foi salvo. Tente de novo, ou salve sem ele.",
            ),
            Self::Store(_) => (
                "El almacén del teléfono falló: esto NO se guardó. Lo guardado antes sigue allí. Intente de nuevo.",
                "The phone's store failed: this was NOT saved. What was saved before is still there. Try again.",
                "O armazenamento do telefone falhou: isto NÃO foi salvo. O que foi salvo antes continua lá. Tente de novo.",
            ),
            Self::WrongPin {
                wait_ms,
                left_before_wipe,
            } => return wrong_pin(*wait_ms, *left_before_wipe, language),
            Self::TooSoon { wait_ms } => {
                let (es, en) = wait(*wait_ms);
                return language.pick3(
                    format!("Hubo varios PIN equivocados. Espere {es} e intente de nuevo."),
                    format!("There were several wrong PINs. Wait {en} and try again."),
                    format!("Houve vários PINs errados. Espere {es} e tente de novo."),
                );
            }
            Self::OutOfMemory => (
                "No hay memoria para comprobar el PIN. Cierre otras aplicaciones e intente de nuevo.",
                "There is no memory to check the PIN. Close other apps and try again.",
                "Não há memória para conferir o PIN. Feche outros aplicativos e tente de novo.",
            ),
            Self::Locked => (
                "Bloqueado: desbloquee para leer. Guardar y enviar siguen funcionando.",
                "Locked: unlock to read. Saving and sending go on.",
                "Bloqueado: desbloqueie para ler. Salvar e enviar continuam funcionando.",
            ),
            Self::Wiped => (
                "Este teléfono se borró. Para usarlo de nuevo, pida otro código a su coordinación.",
                "This phone was wiped. To use it again, ask your coordinator for another code.",
                "Este telefone foi apagado. Para usá-lo de novo, peça outro código à sua coordenação.",
            ),
            Self::HostKeys(HostKeysFault::Gone) => (
                "El almacén de llaves de este teléfono ya no tiene la suya. Guarde una copia de la carpeta y avise a su coordinación.",
                "This phone's key store no longer has its key. Keep a copy of the folder and tell your coordinator.",
                "O cofre de chaves deste telefone não tem mais a sua. Guarde uma cópia da pasta e avise sua coordenação.",
            ),
            Self::HostKeys(HostKeysFault::Unavailable) => (
                "El almacén de llaves no responde. Desbloquee la pantalla e intente de nuevo.",
                "The key store does not answer. Unlock the screen and try again.",
                "O cofre de chaves não responde. Desbloqueie a tela e tente de novo.",
            ),
            Self::Random => (
                "El teléfono no da números aleatorios; reinícielo e intente de nuevo.",
                "The phone gives no random numbers; restart it and try again.",
                "O telefone não dá números aleatórios; reinicie-o e tente de novo.",
            ),
        };
        language.pick3(fixed.0, fixed.1, fixed.2).to_owned()
    }
}

/// A wait for a person, rounded up: in Spanish and in English.
fn wait(ms: u64) -> (String, String) {
    match ms.div_ceil(1000) {
        seconds @ 0..120 => (format!("{seconds} s"), format!("{seconds} s")),
        seconds => {
            let minutes = seconds.div_ceil(60);
            (format!("{minutes} minutos"), format!("{minutes} minutes"))
        }
    }
}

fn wrong_pin(wait_ms: u64, left_before_wipe: Option<u32>, language: Language) -> String {
    let (es, en) = wait(wait_ms);
    let mut said = match wait_ms {
        0 => language
            .pick3(
                "Ese no es el PIN. Intente de nuevo.",
                "That is not the PIN. Try again.",
                "Esse não é o PIN. Tente de novo.",
            )
            .to_owned(),
        _ => language.pick3(
            format!("Ese no es el PIN. El próximo intento, en {es}."),
            format!("That is not the PIN. The next attempt, in {en}."),
            format!("Esse não é o PIN. A próxima tentativa, em {es}."),
        ),
    };
    if let Some(left) = left_before_wipe {
        said.push_str(&match left {
            1 => (language.pick3(
                " Si falla otra vez, el teléfono se borra.",
                " After one more wrong one the phone is wiped.",
                " Se errar outra vez, o telefone é apagado.",
            ))
            .to_owned(),
            _ => language.pick3(
                format!(" Si falla {left} veces más, el teléfono se borra."),
                format!(" After {left} more wrong ones the phone is wiped."),
                format!(" Se errar mais {left} vezes, o telefone é apagado."),
            ),
        });
    }
    said
}

fn open_code(error: &OpenError) -> &'static str {
    match error {
        OpenError::WrongKey => "wrong-key",
        OpenError::Corrupt | OpenError::LogWithoutDatabase | OpenError::Missing => "store-damaged",
        OpenError::Newer { .. } => "store-newer",
        OpenError::Foreign { .. } => "store-foreign",
        OpenError::DiskFull => "storage-full",
        OpenError::Busy => "store-busy",
        OpenError::Provider { .. }
        | OpenError::Migration { .. }
        | OpenError::Io(_)
        | OpenError::Sqlite(_) => "store-not-opened",
    }
}

/// Each says what to do; the file itself is as it was before.
fn open_sentence(error: &OpenError) -> (&'static str, &'static str, &'static str) {
    match error {
        OpenError::WrongKey => (
            "El almacén no abre con esta llave, o está dañado al comienzo. No se tocó nada: guarde una copia y avise a su coordinación.",
            "The store does not open with this key, or its beginning is damaged. Nothing was touched: keep a copy and tell your coordinator.",
            "O armazenamento não abre com esta chave, ou está danificado no começo. Nada foi tocado: guarde uma cópia e avise sua coordenação.",
        ),
        OpenError::Corrupt | OpenError::LogWithoutDatabase | OpenError::Missing => (
            "El almacén está dañado o incompleto. No se tocó nada: guarde una copia de toda la carpeta y avise a su coordinación.",
            "The store is damaged or incomplete. Nothing was touched: keep a copy of the whole folder and tell your coordinator.",
            "O armazenamento está danificado ou incompleto. Nada foi tocado: guarde uma cópia da pasta inteira e avise sua coordenação.",
        ),
        OpenError::Newer { .. } => (
            "El almacén es de una versión más nueva. Actualice la aplicación; nada se perdió.",
            "The store is of a newer version. Update the app; nothing is lost.",
            "O armazenamento é de uma versão mais nova. Atualize o aplicativo; nada se perdeu.",
        ),
        OpenError::Foreign { .. } => (
            "Este archivo es de otra aplicación. Revise la carpeta.",
            "This file belongs to another application. Check the folder.",
            "Este arquivo é de outro aplicativo. Confira a pasta.",
        ),
        OpenError::DiskFull => (
            "El teléfono no tiene espacio. Libere espacio e intente de nuevo.",
            "The phone is full. Free some space and try again.",
            "O telefone está sem espaço. Libere espaço e tente de novo.",
        ),
        OpenError::Busy => (
            "Otro proceso usa el almacén. Intente de nuevo en unos segundos.",
            "Another process uses the store. Try again in a few seconds.",
            "Outro processo usa o armazenamento. Tente de novo em alguns segundos.",
        ),
        OpenError::Provider { .. }
        | OpenError::Migration { .. }
        | OpenError::Io(_)
        | OpenError::Sqlite(_) => (
            "El almacén no se pudo abrir. No se tocó nada: intente de nuevo o avise a su coordinación.",
            "The store could not be opened. Nothing was touched: try again or tell your coordinator.",
            "O armazenamento não pôde ser aberto. Nada foi tocado: tente de novo ou avise sua coordenação.",
        ),
    }
}

/// A failure of the disk that something was to be written to.
pub(crate) fn disk(error: io::Error) -> PhoneError {
    match is_full(error.kind()) {
        true => PhoneError::StorageFull,
        false => PhoneError::Disk(error),
    }
}

impl From<rusqlite::Error> for PhoneError {
    fn from(error: rusqlite::Error) -> Self {
        match classify(&error) {
            Failure::DiskFull => Self::StorageFull,
            // Damage behind the first page shows only when it is read.
            Failure::Corrupt => Self::Open(OpenError::Corrupt),
            Failure::Busy | Failure::Other => Self::Store(error),
        }
    }
}

impl From<getrandom::Error> for PhoneError {
    fn from(_: getrandom::Error) -> Self {
        Self::Random
    }
}

impl From<NoRandomness> for PhoneError {
    fn from(_: NoRandomness) -> Self {
        Self::Random
    }
}
