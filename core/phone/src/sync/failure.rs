use testigo_wire::Language;
use thiserror::Error;

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NetworkFault {
    /// Nobody answers at the address: no network, a blocked one, or headquarters is off.
    #[error("nobody answers")]
    Unreachable,
    /// The answer did not come in time.
    #[error("no answer in time")]
    Timeout,
    /// The link broke before the answer was complete.
    #[error("the link broke")]
    Interrupted,
    /// The other side could not prove that it is headquarters.
    #[error("the other side could not prove who it is")]
    Tls,
    /// The address may not be used: neither https nor this same machine.
    #[error("the address is neither https nor on this machine")]
    UnsafeAddress,
}

/// Why a pass ended before everything was delivered. Nothing is ever lost by it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SyncFailure {
    /// No network, or headquarters cannot be reached.
    #[error("headquarters cannot be reached: {0}")]
    NoNetwork(NetworkFault),
    /// Something between answered in headquarters' place, such as a Wi-Fi log-in page.
    #[error("something else answered in headquarters' place (HTTP status {status})")]
    Portal {
        /// The HTTP status.
        status: u16,
    },
    /// What answered could not sign as headquarters.
    #[error("the answer is not signed by headquarters")]
    NotHeadquarters,
    /// Headquarters asks to wait.
    #[error("headquarters is busy")]
    Busy {
        /// After how many seconds to try again: at most five minutes.
        retry_after_s: u32,
    },
    /// Headquarters has a fault of its own.
    #[error("headquarters answered with HTTP status {status}")]
    Headquarters {
        /// The HTTP status.
        status: u16,
    },
}

impl SyncFailure {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoNetwork(_) => "no-network",
            Self::Portal { .. } => "portal",
            Self::NotHeadquarters => "not-headquarters",
            Self::Busy { .. } => "busy",
            Self::Headquarters { .. } => "headquarters-fault",
        }
    }

    /// What a person is told, and what to do next.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::NoNetwork(NetworkFault::Tls) => language.pick(
                "Quien contesta no pudo probar que es la central. No se envió nada; use otra red.",
                "Whoever answers could not prove to be headquarters. Nothing was sent; use another network.",
            ),
            Self::NoNetwork(NetworkFault::UnsafeAddress) => language.pick(
                "La dirección de la central no es segura. Avise a su coordinación; todo sigue guardado.",
                "Headquarters' address is not safe. Tell your coordinator; everything is still saved.",
            ),
            Self::NoNetwork(_) => language.pick(
                "No hay conexión con la central. Todo está guardado y se enviará cuando haya red.",
                "Headquarters cannot be reached. Everything is saved and will be sent when there is a network.",
            ),
            Self::Portal { .. } => language.pick(
                "Esta red contesta en lugar de la central (¿una página de acceso?). Entre en la red o use otra; todo está guardado.",
                "This network answers in headquarters' place (a log-in page?). Log in or use another one; everything is saved.",
            ),
            Self::NotHeadquarters => language.pick(
                "La respuesta no está firmada por la central. No se da nada por entregado; use otra red.",
                "The answer is not signed by headquarters. Nothing counts as delivered; use another network.",
            ),
            Self::Busy { retry_after_s } => {
                return language.pick(
                    format!("La central está ocupada. Se intentará de nuevo en {retry_after_s} segundos."),
                    format!("Headquarters is busy. Try again in {retry_after_s} seconds."),
                );
            }
            Self::Headquarters { .. } => language.pick(
                "La central tiene una falla. Todo está guardado; se intentará de nuevo.",
                "Headquarters has a fault. Everything is saved; try again later.",
            ),
        }
        .to_owned()
    }
}
