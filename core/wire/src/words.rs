//! Words that stand for a key or a file, so that two people can compare them by voice.

use crate::sign::digest;
use crate::{Language, RootId};

/// Bits that one word stands for: a list has 2,048 words.
const BITS: u32 = 11;
/// Words for one thing: 66 bits.
const WORDS: usize = 6;

/// The six words that stand for a root, separated by spaces: the first 66 bits of SHA-256 over
/// `testigo/1/root-words` and the 16 bytes of its [`RootId`], eleven bits a word, most significant first, in the
/// Spanish, English or Portuguese list of BIP-39
/// (<https://github.com/bitcoin/bips/blob/master/bip-0039/bip-0039-wordlists.md>).
///
/// Whoever wants a root of their own to have another's words must try about 2^66 keys.
pub fn root_words(root: RootId, language: Language) -> String {
    words(b"testigo/1/root-words", &root.0, language)
}

/// Six words in the same form for the exact bytes of a request to the root, under `testigo/1/request-words`.
pub(crate) fn request_words(bytes: &[u8], language: Language) -> String {
    words(b"testigo/1/request-words", bytes, language)
}

fn words(domain: &[u8], bytes: &[u8], language: Language) -> String {
    let list = match language {
        Language::Es => bip39::Language::Spanish,
        Language::En => bip39::Language::English,
        Language::Pt => bip39::Language::Portuguese,
    }
    .word_list();
    let (mut held, mut bits) = (0u32, 0u32);
    let mut said = Vec::with_capacity(WORDS);
    for byte in digest(&[domain, bytes].concat()) {
        held = held << 8 | u32::from(byte);
        bits += 8;
        if bits >= BITS && said.len() < WORDS {
            bits -= BITS;
            let word = (held >> bits) as usize % list.len();
            said.extend(list.get(word).map(|word| composed(word)));
            held &= (1 << bits) - 1;
        }
    }
    said.join(" ")
}

/// The Spanish list has its accents apart from their letters (NFKD), as nobody types them.
fn composed(word: &str) -> String {
    const PAIRS: [(&str, &str); 6] = [
        ("a\u{301}", "á"),
        ("e\u{301}", "é"),
        ("i\u{301}", "í"),
        ("o\u{301}", "ó"),
        ("u\u{301}", "ú"),
        ("n\u{303}", "ñ"),
    ];
    (PAIRS.iter()).fold(word.to_owned(), |word, (apart, whole)| {
        word.replace(apart, whole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_root_are_stable() {
        let said: Vec<String> = [Language::Es, Language::En, Language::Pt]
            .map(|language| root_words(RootId(*b"sixteen bytes ok"), language))
            .into();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn the_words_are_the_first_66_bits() {
        let root = RootId([7; 16]);
        let hash = digest(&[&b"testigo/1/root-words"[..], &root.0].concat());
        let bits: String = hash.iter().map(|byte| format!("{byte:08b}")).collect();
        let list = bip39::Language::English.word_list();
        let expected: Vec<&str> = (0..6)
            .filter_map(|n| usize::from_str_radix(bits.get(n * 11..n * 11 + 11)?, 2).ok())
            .filter_map(|n| list.get(n).copied())
            .collect();
        assert_eq!(root_words(root, Language::En), expected.join(" "));
        assert_ne!(
            request_words(&root.0, Language::En),
            root_words(root, Language::En)
        );
    }

    #[test]
    fn no_word_has_a_letter_in_two_parts() {
        for language in [bip39::Language::Spanish, bip39::Language::Portuguese] {
            for word in language.word_list() {
                assert!(composed(word).chars().all(char::is_alphabetic), "{word}");
            }
        }
    }
}
