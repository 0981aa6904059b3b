use super::progress::seconds;
use testigo_wire::Language;
use thiserror::Error;

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NetworkFault {
    // The store keeps these by their place: a new one goes to the end.
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
    /// The other side holds none of the TLS keys that headquarters' signed keyset names.
    #[error("the other side holds none of headquarters' keys")]
    WrongPin,
}

impl NetworkFault {
    /// Whether it came before any byte of the request could leave, so that none is counted as sent.
    pub(crate) fn is_before_sending(&self) -> bool {
        match self {
            Self::Unreachable | Self::Tls | Self::UnsafeAddress | Self::WrongPin => true,
            Self::Timeout | Self::Interrupted => false,
        }
    }
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

    /// What the store keeps of it: a code and a number.
    pub(crate) fn kept(&self) -> (&'static str, u32) {
        let number = match self {
            Self::NoNetwork(fault) => *fault as u32,
            Self::Portal { status } | Self::Headquarters { status } => u32::from(*status),
            Self::NotHeadquarters => 0,
            Self::Busy { retry_after_s } => *retry_after_s,
        };
        (self.code(), number)
    }

    /// What the store kept; `None` for a code of another version.
    pub(crate) fn from_kept(code: &str, number: u32) -> Option<Self> {
        let status = u16::try_from(number).unwrap_or(0);
        Some(match code {
            "no-network" => Self::NoNetwork(NetworkFault::from_kept(number)),
            "portal" => Self::Portal { status },
            "not-headquarters" => Self::NotHeadquarters,
            "busy" => Self::Busy {
                retry_after_s: number,
            },
            "headquarters-fault" => Self::Headquarters { status },
            _ => return None,
        })
    }

    /// What a person is told, and what to do next.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::NoNetwork(NetworkFault::Tls) => language.pick3(
                "Quien contesta no pudo probar que es la central. No se envió nada; use otra red.",
                "Whoever answers could not prove to be headquarters. Nothing was sent; use another network.",
                "Quem responde não pôde provar que é a central. Nada foi enviado; use outra rede.",
            ),
            Self::NoNetwork(NetworkFault::WrongPin) => language.pick3(
                "Quien contesta no es la central: alguien se pone en medio. No se envió nada; use otra red y avise a su coordinación.",
                "Whoever answers is not headquarters: somebody stands in between. Nothing was sent; use another network and tell your coordinator.",
                "Quem responde não é a central: alguém se põe no meio. Nada foi enviado; use outra rede e avise sua coordenação.",
            ),
            Self::NoNetwork(NetworkFault::UnsafeAddress) => language.pick3(
                "La dirección de la central no es segura. Avise a su coordinación; todo sigue guardado.",
                "Headquarters' address is not safe. Tell your coordinator; everything is still saved.",
                "O endereço da central não é seguro. Avise sua coordenação; tudo continua salvo.",
            ),
            Self::NoNetwork(_) => language.pick3(
                "No hay conexión con la central. Todo está guardado y se enviará cuando haya red.",
                "Headquarters cannot be reached. Everything is saved and will be sent when there is a network.",
                "Não há conexão com a central. Tudo está salvo e será enviado quando houver rede.",
            ),
            Self::Portal { .. } => language.pick3(
                "Esta red contesta en lugar de la central (¿una página de acceso?). Entre en la red o use otra; todo está guardado.",
                "This network answers in headquarters' place (a log-in page?). Log in or use another one; everything is saved.",
                "Esta rede responde no lugar da central (uma página de acesso?). Entre na rede ou use outra; tudo está salvo.",
            ),
            Self::NotHeadquarters => language.pick3(
                "La respuesta no está firmada por la central. No se da nada por entregado; use otra red.",
                "The answer is not signed by headquarters. Nothing counts as delivered; use another network.",
                "A resposta não está assinada pela central. Nada conta como entregue; use outra rede.",
            ),
            Self::Busy { retry_after_s } => {
                let wait = seconds(u64::from(*retry_after_s), language);
                return language.pick3(
                    format!("La central está ocupada. Se intentará de nuevo en {wait}."),
                    format!("Headquarters is busy. Try again in {wait}."),
                    format!("A central está ocupada. Nova tentativa em {wait}."),
                );
            }
            Self::Headquarters { .. } => language.pick3(
                "La central tiene una falla. Todo está guardado; se intentará de nuevo.",
                "Headquarters has a fault. Everything is saved; try again later.",
                "A central tem uma falha. Tudo está salvo; haverá nova tentativa.",
            ),
        }
        .to_owned()
    }
}

impl NetworkFault {
    fn from_kept(number: u32) -> Self {
        [
            Self::Timeout,
            Self::Interrupted,
            Self::Tls,
            Self::UnsafeAddress,
            Self::WrongPin,
        ]
        .into_iter()
        .find(|fault| *fault as u32 == number)
        .unwrap_or(Self::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let faults = [
            NetworkFault::Unreachable,
            NetworkFault::Timeout,
            NetworkFault::Interrupted,
            NetworkFault::Tls,
            NetworkFault::UnsafeAddress,
            NetworkFault::WrongPin,
        ];
        let others = [
            SyncFailure::Portal { status: 200 },
            SyncFailure::NotHeadquarters,
            SyncFailure::Busy { retry_after_s: 300 },
            SyncFailure::Headquarters { status: 500 },
        ];
        for failure in (faults.map(SyncFailure::NoNetwork).into_iter()).chain(others) {
            let (code, number) = failure.kept();
            assert_eq!(SyncFailure::from_kept(code, number), Some(failure.clone()));
            let said = [Language::Es, Language::En, Language::Pt].map(|l| failure.sentence(l));
            assert!(said[0] != said[1] && said[0] != said[2] && said[1] != said[2]);
        }
        assert_eq!(SyncFailure::from_kept("of-the-future", 1), None);
    }
}
