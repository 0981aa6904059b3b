//! The default catalogue of irregularities: stable numbers that also fit into a text message.
//!
//! A report may carry any number; one that this catalogue does not know comes from a newer phone
//! and is kept as it is.

use crate::{Lane, Language};
use minicbor::{Decode, Encode};

/// The number of a catalogue entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Code(#[n(0)] pub u16);

/// The part of the day that an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before the first voter.
    Opening,
    /// While people vote.
    Voting,
    /// Threats to people, at any time.
    Safety,
    /// Closing and counting.
    Count,
    /// The printed tally sheet.
    Sheet,
    /// Check-ins, hand-overs and the rest.
    Other,
}

impl Phase {
    /// Its name for a person.
    pub fn label(self, language: Language) -> &'static str {
        match self {
            Self::Opening => language.pick("Apertura", "Opening"),
            Self::Voting => language.pick("Votación", "Voting"),
            Self::Safety => language.pick("Seguridad", "Safety"),
            Self::Count => language.pick("Cierre y escrutinio", "Closing and count"),
            Self::Sheet => language.pick("Acta", "Tally sheet"),
            Self::Other => language.pick("Otros", "Other"),
        }
    }
}

/// How heavily an entry weighs when headquarters decides what to look at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong.
    Info,
    /// A disturbance.
    Low,
    /// May change a result.
    High,
    /// A person is in danger.
    Danger,
}

/// One entry of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub code: Code,
    /// When it happens.
    pub phase: Phase,
    /// How much it weighs.
    pub severity: Severity,
    es: &'static str,
    en: &'static str,
}

impl Entry {
    /// Its name for a person.
    pub fn label(&self, language: Language) -> &'static str {
        language.pick(self.es, self.en)
    }
}

impl Code {
    /// A witness is held: sent before everything else.
    pub const WITNESS_DETAINED: Self = Self(35);
    /// The witness was made to open the phone and gave the duress PIN: sent before everything else.
    pub const DURESS: Self = Self(37);
    /// All is well: a check-in.
    pub const NORMAL: Self = Self(90);

    /// The catalogue's entry, where it has one.
    pub fn entry(self) -> Option<&'static Entry> {
        CATALOGUE.iter().find(|entry| entry.code == self)
    }

    /// Its name for a person; for an unknown number, a sentence that says so.
    pub fn label(self, language: Language) -> String {
        self.entry().map_or_else(
            || {
                language.pick(
                    format!("código {} (desconocido aquí)", self.0),
                    format!("code {} (unknown here)", self.0),
                )
            },
            |entry| entry.label(language).to_owned(),
        )
    }

    /// How urgently a report of it leaves the phone.
    pub fn lane(self) -> Lane {
        match self {
            Self::WITNESS_DETAINED | Self::DURESS => Lane::DANGER,
            Self::NORMAL => Lane::CHECK_IN,
            _ => Lane::INCIDENT,
        }
    }
}

macro_rules! catalogue {
    ($($phase:ident { $($code:literal $severity:ident $es:literal, $en:literal;)* })*) => {
        /// Every entry, by number.
        pub const CATALOGUE: &[Entry] = &[$($(Entry {
            code: Code($code),
            phase: Phase::$phase,
            severity: Severity::$severity,
            es: $es,
            en: $en,
        },)*)*];
    };
}

catalogue! {
    Opening {
        10 Low "apertura tardía", "late opening";
        11 High "no abrió", "not opened";
        12 High "testigo sin acceso", "witness refused entry";
        13 Low "miembros de mesa irregulares o sin quórum", "irregular table members or no quorum";
        14 Low "falta material", "materials missing";
        15 High "no se mostró el acta en cero", "zero report not shown";
        16 High "centro reubicado", "station relocated";
    }
    Voting {
        20 Low "falla de la máquina", "machine failure";
        21 Low "corte de luz", "power cut";
        22 Low "falla del captahuella o de identificación", "fingerprint or ID device failure";
        23 High "lentitud deliberada", "deliberate slowness";
        24 High "electores rechazados", "voters turned away";
        25 High "voto asistido bajo presión", "coerced assisted vote";
        26 High "secreto del voto violado", "secrecy breach";
        27 Low "propaganda o punto de control", "propaganda or control point";
        28 High "voto múltiple o suplantación", "multiple voting or impersonation";
        29 Low "personas no autorizadas", "unauthorised persons";
    }
    Safety {
        30 Danger "intimidación", "intimidation";
        31 Danger "violencia", "violence";
        32 Danger "grupo armado", "armed group";
        33 Danger "abuso militar o de milicia", "military or militia overreach";
        34 Danger "testigo expulsado", "witness expelled";
        35 Danger "testigo detenido", "witness detained";
        36 Danger "teléfono incautado", "phone seized";
        37 Danger "teléfono abierto bajo coacción", "phone opened under duress";
    }
    Count {
        40 High "sigue abierto sin cola", "kept open without a queue";
        41 High "cerró antes de hora con cola", "closed early with a queue";
        42 High "escrutinio no público", "count not public";
        43 High "transmisión detenida o antes del escrutinio", "transmission halted or before the count";
        44 High "votantes y votos no coinciden", "voters differ from votes";
        45 High "verificación ciudadana negada", "citizen audit denied";
    }
    Sheet {
        50 High "copia del acta negada", "copy refused";
        51 High "acta sin firma o alterada", "unsigned or altered";
        52 Low "sin código QR o ilegible", "no or unreadable QR";
        53 High "acta incautada en el camino", "seized in transit";
        54 Low "falla de la impresora", "printer failure";
    }
    Other {
        90 Info "todo normal", "normal";
        91 Info "entrega de un acta en papel", "hand-over of a paper sheet";
        99 Low "otro", "other";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_each_has_two_names() {
        assert!(CATALOGUE.is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(CATALOGUE.len(), 39);
        assert!(CATALOGUE.iter().all(|e| e.es != e.en && !e.es.is_empty()));
    }

    #[test]
    fn a_detained_witness_goes_first_and_an_unknown_code_is_an_incident() {
        assert_eq!(Code::WITNESS_DETAINED.lane(), Lane::DANGER);
        assert_eq!(Code(777).lane(), Lane::INCIDENT);
        assert!(Code(777).label(Language::En).contains("777"));
    }
}
