//! Text from outside, made safe to show in a terminal.

use std::fmt::Write as _;

/// One line: control characters, which could steer a terminal or forge lines, and the invisible ones
/// that turn the direction of writing around are shown by their numbers. Documents for programs keep
/// everything as it is.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || is_invisible(letter) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX 9), separators of
/// lines, and letters without width.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_letters_stay() {
        assert_eq!(plain("\u{1b}[2J\u{202e}x\n"), r"\u{1b}[2J\u{202e}x\u{a}");
        assert_eq!(plain("\u{9b}31m\u{2066}\r"), r"\u{9b}31m\u{2066}\u{d}");
        assert_eq!(plain("Peñalver · «ñandú» 🗳"), "Peñalver · «ñandú» 🗳");
    }
}
