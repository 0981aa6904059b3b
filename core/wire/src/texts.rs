use crate::Language;
use minicbor::{Decode, Encode};

/// A text for people in the three languages; empty where nobody wrote it in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Texts {
    /// Español.
    #[n(0)]
    pub es: String,
    /// English.
    #[n(1)]
    pub en: String,
    /// Português.
    #[n(2)]
    pub pt: String,
}

impl Texts {
    /// The three, in this order.
    pub fn new(es: &str, en: &str, pt: &str) -> Self {
        Self {
            es: es.to_owned(),
            en: en.to_owned(),
            pt: pt.to_owned(),
        }
    }

    /// In this language; where nobody wrote it, in the first of Spanish, English and Portuguese that there is.
    pub fn pick(&self, language: Language) -> &str {
        let asked = language.pick3(&self.es, &self.en, &self.pt);
        let mut all = [asked, &self.es, &self.en, &self.pt].into_iter();
        all.find(|text| !text.is_empty()).map_or("", |text| text)
    }

    /// Whether nobody wrote it in any language.
    pub fn is_empty(&self) -> bool {
        self.es.is_empty() && self.en.is_empty() && self.pt.is_empty()
    }

    /// Each of the three with its tag.
    pub fn each(&self) -> [(&'static str, &str); 3] {
        [("es", &self.es), ("en", &self.en), ("pt", &self.pt)]
    }
}
