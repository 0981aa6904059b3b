use crate::{Eid, Epoch, Language, MAX_KEYSET, WireError, cbor, padding};
use minicbor::Decoder;
use minicbor::bytes::ByteVec;

/// Why headquarters has not kept something yet. Unsigned: nobody may park a record by it, and the
/// phone goes on trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Deferral(pub u16);

impl Deferral {
    /// The device has not enrolled here: the enrolment must be sent again first.
    pub const UNKNOWN_DEVICE: Self = Self(1);
    /// The enrolment's capability is not known here.
    pub const UNKNOWN_CAPABILITY: Self = Self(2);
    /// The signature does not fit: it was damaged on the way.
    pub const SIGNATURE: Self = Self(3);
    /// It arrived as no envelope at all: it was damaged on the way.
    pub const MALFORMED: Self = Self(4);
    /// So much has come under the device's capability that more of it has to wait.
    pub const OVER_QUOTA: Self = Self(5);
    /// The enrolment is for another election, such as one for practice: nothing under it counts here.
    pub const OTHER_ELECTION: Self = Self(6);

    /// What a person is told.
    pub fn sentence(self, language: Language) -> String {
        match self {
            Self::UNKNOWN_DEVICE => language.pick3(
                "La central aún no conoce este teléfono; se enviará de nuevo la inscripción.",
                "Headquarters does not know this phone yet; the enrolment will be sent again.",
                "A central ainda não conhece este telefone; a inscrição será enviada de novo.",
            ),
            Self::UNKNOWN_CAPABILITY => language.pick3(
                "La central no conoce este código de inscripción. Pida uno nuevo a su coordinación; nada se pierde.",
                "Headquarters does not know this enrolment code. Ask your coordinator for a new one; nothing is lost.",
                "A central não conhece este código de inscrição. Peça um novo à sua coordenação; nada se perde.",
            ),
            Self::SIGNATURE | Self::MALFORMED => language.pick3(
                "Llegó dañado a la central; se enviará de nuevo.",
                "It arrived damaged at headquarters; it will be sent again.",
                "Chegou danificado à central; será enviado de novo.",
            ),
            Self::OVER_QUOTA => language.pick3(
                "Con este código de inscripción ha llegado muchísimo; lo demás espera y se enviará poco a poco, lo más urgente primero. Nada se pierde.",
                "Very much has come under this enrolment code; the rest waits and will be sent bit by bit, the most urgent first. Nothing is lost.",
                "Com este código de inscrição chegou muitíssima coisa; o resto espera e será enviado aos poucos, o mais urgente primeiro. Nada se perde.",
            ),
            Self::OTHER_ELECTION => language.pick3(
                "En esa dirección está la central de otra elección: no tomó ni contó nada de este teléfono, y lo de práctica nunca cuenta en una elección. Todo sigue guardado aquí; pida a su coordinación el código de la elección que corresponde.",
                "At that address is the headquarters of another election: it took and counted nothing of this phone, and practice never counts in an election. All of it stays saved here; ask your coordinator for the code of the right election.",
                "Nesse endereço está a central de outra eleição: não tomou nem contou nada deste telefone, e o que é de prática nunca conta numa eleição. Tudo continua guardado aqui; peça à sua coordenação o código da eleição certa.",
            ),
            Self(code) => {
                return language.pick3(
                    format!("La central aún no lo recibe (código {code}); se enviará de nuevo."),
                    format!("Headquarters does not take it yet (code {code}); it will be sent again."),
                    format!("A central ainda não o recebe (código {code}); será enviado de novo."),
                );
            }
        }
        .to_owned()
    }
}

/// The largest item of a reply, in bytes: the largest signed object and what stands around it.
const MAX_ANSWER: usize = 64 + MAX_KEYSET;

/// One answer to one thing sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A signed receipt's bytes.
    Receipt(Vec<u8>),
    /// Not yet.
    Deferred {
        /// Identity of the bytes that arrived.
        eid: Eid,
        /// Why.
        deferral: Deferral,
    },
    /// The desk's word on something that the device sent before.
    Notice {
        /// Its number in this run of headquarters' store: the next ask names the highest one held.
        number: u64,
        /// The notice's bytes, signed by the desk.
        notice: Vec<u8>,
    },
    /// Headquarters' signed keyset, in what a courier brings back: a phone without a network has no other way
    /// to hear of new keys.
    Keyset(Vec<u8>),
    /// A signed receipt of a whole file's bytes, on the way back by hand.
    BlobReceipt(Vec<u8>),
    /// What only a newer phone understands.
    Unknown,
}

/// Headquarters' reply to `POST /v1/envelopes`: a CBOR sequence (RFC 8742) of `[0, epoch, version of the keyset]`
/// and then, in any order, `[1, receipt]` or `[2, eid, code]` for each enrolment and envelope sent, and
/// `[3, number, notice]`, numbers rising, where the device has asked what the desk has to say. A courier's file of
/// receipts has the same form, and in it `[4, keyset]` before all others and `[5, receipt]` for each file. Padding to a
/// size class ([`padding`]) may stand behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Which run of headquarters' store answers.
    pub epoch: Epoch,
    /// Version of headquarters' keyset, unsigned: a phone with an older one asks for it. 0 where they did not say.
    pub keyset: u64,
    /// The answers.
    pub answers: Vec<Answer>,
}

impl Reply {
    /// The reply's media type. A captive portal's page has another, whatever its status.
    pub const MEDIA_TYPE: &'static str = "application/cbor-seq";

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = match self.keyset {
            0 => cbor::to_vec(&(0u8, self.epoch)),
            version => cbor::to_vec(&(0u8, self.epoch, version)),
        };
        for answer in &self.answers {
            bytes.extend(match answer {
                Answer::Receipt(receipt) => cbor::to_vec(&(1u8, ByteVec::from(receipt.clone()))),
                Answer::Deferred { eid, deferral } => cbor::to_vec(&(2u8, eid, deferral.0)),
                Answer::Notice { number, notice } => {
                    cbor::to_vec(&(3u8, number, ByteVec::from(notice.clone())))
                }
                Answer::Keyset(keyset) => cbor::to_vec(&(4u8, ByteVec::from(keyset.clone()))),
                Answer::BlobReceipt(receipt) => {
                    cbor::to_vec(&(5u8, ByteVec::from(receipt.clone())))
                }
                Answer::Unknown => continue,
            });
        }
        bytes
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are none: then nothing may be taken as delivered.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut epoch = None;
        let mut keyset = 0;
        let mut answers = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            if let Some(behind) = padding::skip(rest)? {
                rest = behind;
                continue;
            }
            let item;
            (item, rest) = cbor::first("reply", rest, MAX_ANSWER)?;
            let mut d = Decoder::new(item);
            let fault = |error| WireError::malformed("reply", error);
            let length = d.array().map_err(fault)?;
            match d.u16().map_err(fault)? {
                0 => {
                    epoch = Some(d.decode().map_err(fault)?);
                    if length > Some(2) {
                        keyset = d.u64().map_err(fault)?;
                    }
                }
                1 => answers.push(Answer::Receipt(d.bytes().map_err(fault)?.to_vec())),
                2 => answers.push(Answer::Deferred {
                    eid: d.decode().map_err(fault)?,
                    deferral: Deferral(d.u16().map_err(fault)?),
                }),
                3 => answers.push(Answer::Notice {
                    number: d.u64().map_err(fault)?,
                    notice: d.bytes().map_err(fault)?.to_vec(),
                }),
                4 => answers.push(Answer::Keyset(d.bytes().map_err(fault)?.to_vec())),
                5 => answers.push(Answer::BlobReceipt(d.bytes().map_err(fault)?.to_vec())),
                _ => answers.push(Answer::Unknown),
            }
        }
        let epoch = epoch.ok_or_else(|| WireError::malformed("reply", "it names no epoch"))?;
        Ok(Self {
            epoch,
            keyset,
            answers,
        })
    }
}
