use crate::Language;
use minicbor::{Decode, Encode};

/// A doubt that travels with a record. It never stops a record from being saved, sent or counted
/// as evidence: people decide. Numbers of newer phones are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Warning(#[n(0)] pub u16);

macro_rules! warnings {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $es:literal, $en:literal, $pt:literal;)*) => {
        impl Warning {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// What a person is told.
            pub fn sentence(self, language: Language) -> String {
                match self.0 {
                    $($code => language.pick3($es, $en, $pt).to_owned(),)*
                    code => language.pick3(
                        format!("Aviso {code}, que esta versión no conoce."),
                        format!("Warning {code}, which this version does not know."),
                        format!("Aviso {code}, que esta versão não conhece."),
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
        "The phone's clock is behind: it shows a time before headquarters' own.",
        "O relógio do telefone está atrasado: mostra uma hora anterior à da central.";
    /// The record says it was saved after headquarters received it.
    CLOCK_AHEAD = 2:
        "El reloj del teléfono está adelantado: muestra una hora posterior a la de la central.",
        "The phone's clock is ahead: it shows a time after headquarters' own.",
        "O relógio do telefone está adiantado: mostra uma hora posterior à da central.";
    /// The election's pack has no such polling table.
    TABLE_UNKNOWN = 3:
        "La mesa no está en el padrón de mesas de esta elección.",
        "The polling table is not among the tables of this election.",
        "A seção não está na lista de seções desta eleição.";
    /// The table is not the one that the witness was sent to.
    TABLE_NOT_ASSIGNED = 4:
        "La mesa no es la asignada a este testigo.",
        "The polling table is not the one assigned to this witness.",
        "A seção não é a designada a este fiscal.";
    /// More votes than registered voters.
    SUM_EXCEEDS_REGISTERED = 5:
        "Hay más votos que electores inscritos en la mesa.",
        "There are more votes than voters registered at the table.",
        "Há mais votos do que eleitores inscritos na seção.";
    /// No known format reads the text of the QR code.
    NOT_A_TALLY = 6:
        "El texto del código QR no es un acta conocida; se guarda palabra por palabra.",
        "The QR code's text is no known tally sheet; it is kept word for word.",
        "O texto do código QR não é um boletim conhecido; fica guardado palavra por palavra.";
    /// There is no election pack yet, so that nothing could be compared.
    NO_ELECTION_PACK = 7:
        "Falta el paquete de la elección: los votos no se pudieron asignar a candidatos.",
        "The election pack is missing: votes could not be folded to candidates.",
        "Falta o pacote da eleição: os votos não puderam ser atribuídos a candidatos.";
    /// The undocumented fourth field is not the 0 that it is in every known sheet.
    FOURTH_FIELD_UNUSUAL = 8:
        "El cuarto campo del código no es 0, como en todas las actas conocidas.",
        "The code's fourth field is not 0, as it is on every known sheet.",
        "O quarto campo do código não é 0, como em todos os boletins conhecidos.";
    /// The part behind the table is not `1.0001`, or a number is written in an unusual form.
    FORM_UNUSUAL = 9:
        "El acta está escrita de una forma no vista hasta ahora.",
        "The sheet is written in a form not seen before.",
        "O boletim está escrito de uma forma não vista até agora.";
    /// The number of ballot slots is not the pack's.
    SLOTS_DIFFER = 10:
        "El acta no tiene el número de casillas de esta elección.",
        "The sheet does not have this election's number of ballot slots.",
        "O boletim não tem o número de posições da cédula desta eleição.";
    /// The QR code is of another table than the one the record was filed under.
    TABLE_DIFFERS = 11:
        "El código QR es de otra mesa que la indicada.",
        "The QR code is of another table than the one given.",
        "O código QR é de outra seção que não a indicada.";
    /// The record ends before it starts.
    ENDS_BEFORE_START = 12:
        "La hora final es anterior a la inicial.",
        "The end time is before the start time.",
        "A hora final é anterior à inicial.";
    /// The form of an attached file was not understood, so that it may still name place and device.
    METADATA_KEPT = 13:
        "Un archivo adjunto puede llevar todavía el lugar y el aparato: su formato no se reconoció.",
        "An attached file may still carry place and device: its form was not understood.",
        "Um arquivo anexo pode levar ainda o lugar e o aparelho: seu formato não foi reconhecido.";
    /// Other codes lay beside the sheet's own in the same photograph.
    OTHER_CODES = 14:
        "Había otros códigos junto al del acta en la misma foto; solo se leyó el del acta.",
        "Other codes lay beside the sheet's own in the same photograph; only the sheet's was read.",
        "Havia outros códigos ao lado do código do boletim na mesma foto; só foi lido o do boletim.";
    /// It was opened after the root had taken back its trust in the device.
    DEVICE_REVOKED = 15:
        "El teléfono fue revocado: lo que envía se guarda y espera revisión, sin contarse.",
        "The phone was revoked: what it sends is kept and waits for review, uncounted.",
        "O telefone foi revogado: o que ele envia é guardado e espera revisão, sem ser contado.";
    /// The sheet is signed, and its signature could not be checked.
    SIGNATURE_NOT_CHECKED = 16:
        "El acta está firmada y su firma no se pudo comprobar.",
        "The sheet is signed, and its signature could not be checked.",
        "O boletim está assinado e sua assinatura não pôde ser conferida.";
    /// Numbers on the sheet do not sum to another of its numbers.
    SUMS_DIFFER = 17:
        "Las cifras del acta no suman lo que la misma acta dice.",
        "The sheet's numbers do not sum to what the sheet itself says.",
        "Os números do boletim não somam o que o próprio boletim diz.";
    /// The numbers were typed, and no photograph shows the paper.
    NO_PHOTOGRAPH = 18:
        "Las cifras se teclearon y ninguna foto muestra el acta: adjunte una, aunque salga mal.",
        "The numbers were typed and no photograph shows the sheet: attach one, even a poor one.",
        "Os números foram digitados e nenhuma foto mostra o boletim: anexe uma, mesmo ruim.";
    /// A detail is no value that its field in the catalogue asks for.
    DETAIL_DOUBTFUL = 19:
        "Un detalle no tiene la forma que pide el catálogo; se guarda como se escribió.",
        "A detail is not of the form that the catalogue asks for; it is kept as it was written.",
        "Um detalhe não tem a forma que o catálogo pede; fica guardado como foi escrito.";
    /// A detail that the catalogue requires is not there.
    DETAIL_MISSING = 20:
        "Falta un detalle que el catálogo pide.",
        "A detail that the catalogue requires is missing.",
        "Falta um detalhe que o catálogo pede.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_its_own_and_says_something_in_three_languages() {
        for (i, warning) in ALL.iter().enumerate() {
            assert_eq!(usize::from(warning.0), i + 1);
            let [es, en, pt] =
                [Language::Es, Language::En, Language::Pt].map(|l| warning.sentence(l));
            assert!(es != en && en != pt && pt != es, "{es}");
        }
        assert!(Warning(999).sentence(Language::En).contains("999"));
    }
}
