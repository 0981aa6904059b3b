use crate::Language;
use minicbor::{Decode, Encode};

/// A doubt that travels with a record. It never stops a record from being saved, sent or counted
/// as evidence: people decide. Numbers of newer phones are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Warning(#[n(0)] pub u16);

macro_rules! warnings {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $es:literal, $en:literal;)*) => {
        impl Warning {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// What a person is told.
            pub fn sentence(self, language: Language) -> String {
                match self.0 {
                    $($code => language.pick($es, $en).to_owned(),)*
                    code => language.pick(
                        format!("Aviso {code}, que esta versión no conoce."),
                        format!("Warning {code}, which this version does not know."),
                    ),
                }
            }
        }

        #[cfg(test)]
        const ALL: &[Warning] = &[$(Warning::$name),*];
    };
}

warnings! {
    /// The phone's clock shows a time before one that headquarters has signed.
    CLOCK_BEHIND = 1:
        "El reloj del teléfono está atrasado: muestra una hora anterior a la de la central.",
        "The phone's clock is behind: it shows a time before headquarters' own.";
    /// The record says it was saved after headquarters received it.
    CLOCK_AHEAD = 2:
        "El reloj del teléfono está adelantado: muestra una hora posterior a la de la central.",
        "The phone's clock is ahead: it shows a time after headquarters' own.";
    /// The election's pack has no such polling table.
    TABLE_UNKNOWN = 3:
        "La mesa no está en el padrón de mesas de esta elección.",
        "The polling table is not among the tables of this election.";
    /// The table is not the one that the witness was sent to.
    TABLE_NOT_ASSIGNED = 4:
        "La mesa no es la asignada a este testigo.",
        "The polling table is not the one assigned to this witness.";
    /// More votes than registered voters.
    SUM_EXCEEDS_REGISTERED = 5:
        "Hay más votos que electores inscritos en la mesa.",
        "There are more votes than voters registered at the table.";
    /// No known format reads the text of the QR code.
    NOT_A_TALLY = 6:
        "El texto del código QR no es un acta conocida; se guarda palabra por palabra.",
        "The QR code's text is no known tally sheet; it is kept word for word.";
    /// There is no election pack yet, so that nothing could be compared.
    NO_ELECTION_PACK = 7:
        "Falta el paquete de la elección: los votos no se pudieron asignar a candidatos.",
        "The election pack is missing: votes could not be folded to candidates.";
    /// The undocumented fourth field is not the 0 that it is in every known sheet.
    FOURTH_FIELD_UNUSUAL = 8:
        "El cuarto campo del código no es 0, como en todas las actas conocidas.",
        "The code's fourth field is not 0, as it is on every known sheet.";
    /// The part behind the table is not `1.0001`, or a number is written in an unusual form.
    FORM_UNUSUAL = 9:
        "El acta está escrita de una forma no vista hasta ahora.",
        "The sheet is written in a form not seen before.";
    /// The number of ballot slots is not the pack's.
    SLOTS_DIFFER = 10:
        "El acta no tiene el número de casillas de esta elección.",
        "The sheet does not have this election's number of ballot slots.";
    /// The QR code is of another table than the one the record was filed under.
    TABLE_DIFFERS = 11:
        "El código QR es de otra mesa que la indicada.",
        "The QR code is of another table than the one given.";
    /// The record ends before it starts.
    ENDS_BEFORE_START = 12:
        "La hora final es anterior a la inicial.",
        "The end time is before the start time.";
    /// The form of an attached file was not understood, so that it may still name place and device.
    METADATA_KEPT = 13:
        "Un archivo adjunto puede llevar todavía el lugar y el aparato: su formato no se reconoció.",
        "An attached file may still carry place and device: its form was not understood.";
    /// Other codes lay beside the sheet's own in the same photograph.
    OTHER_CODES = 14:
        "Había otros códigos junto al del acta en la misma foto; solo se leyó el del acta.",
        "Other codes lay beside the sheet's own in the same photograph; only the sheet's was read.";
    /// It was opened after the root had taken back its trust in the device.
    DEVICE_REVOKED = 15:
        "El teléfono fue revocado: lo que envía se guarda y espera revisión, sin contarse.",
        "The phone was revoked: what it sends is kept and waits for review, uncounted.";
    /// The sheet is signed, and its signature could not be checked.
    SIGNATURE_NOT_CHECKED = 16:
        "El acta está firmada y su firma no se pudo comprobar.",
        "The sheet is signed, and its signature could not be checked.";
    /// Numbers on the sheet do not sum to another of its numbers.
    SUMS_DIFFER = 17:
        "Las cifras del acta no suman lo que la misma acta dice.",
        "The sheet's numbers do not sum to what the sheet itself says.";
    /// The numbers were typed, and no photograph shows the paper.
    NO_PHOTOGRAPH = 18:
        "Las cifras se teclearon y ninguna foto muestra el acta: adjunte una, aunque salga mal.",
        "The numbers were typed and no photograph shows the sheet: attach one, even a poor one.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_its_own_and_says_something_in_both_languages() {
        for (i, warning) in ALL.iter().enumerate() {
            assert_eq!(usize::from(warning.0), i + 1);
            assert_ne!(
                warning.sentence(Language::Es),
                warning.sentence(Language::En)
            );
        }
        assert!(Warning(999).sentence(Language::En).contains("999"));
    }
}
