/// The language of a sentence for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Español.
    #[default]
    Es,
    /// English.
    En,
}

impl Language {
    /// The one of the two that is in this language.
    pub fn pick<T>(self, es: T, en: T) -> T {
        match self {
            Self::Es => es,
            Self::En => en,
        }
    }

    /// From a tag such as `es-VE`, `es_VE.UTF-8` or `en`; `None` where it is neither.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.get(..2)?.to_ascii_lowercase().as_str() {
            "es" => Some(Self::Es),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}
