/// The language of a sentence for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Español.
    #[default]
    Es,
    /// English.
    En,
    /// Português. The catalogue, warnings and doubts, errors of a phone, progress, failures and notices are said in it;
    /// what else there is, most of it for staff, is said in Spanish, which its readers understand best of the other two.
    Pt,
}

impl Language {
    /// The one of the two that is in this language; Spanish for Portuguese.
    pub fn pick<T>(self, es: T, en: T) -> T {
        match self {
            Self::Es | Self::Pt => es,
            Self::En => en,
        }
    }

    /// The one of the three that is in this language.
    pub fn pick3<T>(self, es: T, en: T, pt: T) -> T {
        match self {
            Self::Es => es,
            Self::En => en,
            Self::Pt => pt,
        }
    }

    /// A whole number with its thousands apart, as it is written in this language.
    pub fn thousands(self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && (digits.len() - n).is_multiple_of(3) {
                text.push(self.pick('.', ','));
            }
            text.push(digit);
        }
        text
    }

    /// From a tag such as `es-VE`, `es_VE.UTF-8`, `en` or `pt-BR`; `None` where it is none of them.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.get(..2)?.to_ascii_lowercase().as_str() {
            "es" => Some(Self::Es),
            "en" => Some(Self::En),
            "pt" => Some(Self::Pt),
            _ => None,
        }
    }
}
