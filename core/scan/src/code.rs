//! What a scan finds.

use std::borrow::Cow;

/// A place in an image: pixels from the left edge and from the top edge.
///
/// A corner of a code that is cut off by the edge may lie outside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: i32,
    /// Pixels from the top edge.
    pub y: i32,
}

/// One QR code that was read, its errors corrected (ISO/IEC 18004).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The bytes it carries, as written: no character set is assumed.
    pub bytes: Vec<u8>,
    /// Its corners in pixels of the image that was given, clockwise; the first is the code's own
    /// top left, whichever way the picture is turned.
    pub corners: [Point; 4],
}

impl Code {
    /// The text, if the bytes are UTF-8 (as all digits, letters and signs of ASCII are).
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The text, with U+FFFD in place of what is not UTF-8: for showing, never for saving.
    pub fn text_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Whether both carry the same bytes at the same place: the middle of one lies within the
    /// square around the middle of the other that has half its width.
    pub(crate) fn repeats(&self, other: &Code) -> bool {
        let (ours, theirs) = (self.middle(), other.middle());
        let reach = self.half_width().max(other.half_width());
        self.bytes == other.bytes
            && (ours.0 - theirs.0).abs() <= reach
            && (ours.1 - theirs.1).abs() <= reach
    }

    fn middle(&self) -> (i64, i64) {
        let sum = self.corners.iter().fold((0, 0), |sum, corner| {
            (sum.0 + i64::from(corner.x), sum.1 + i64::from(corner.y))
        });
        (sum.0 / 4, sum.1 / 4)
    }

    fn half_width(&self) -> i64 {
        let xs = self.corners.iter().map(|corner| i64::from(corner.x));
        let (left, right) = xs.fold((i64::MAX, i64::MIN), |(left, right), x| {
            (left.min(x), right.max(x))
        });
        (right - left) / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(bytes: &[u8], left: i32, top: i32) -> Code {
        let corners = [(0, 0), (40, 0), (40, 40), (0, 40)];
        Code {
            bytes: bytes.to_vec(),
            corners: corners.map(|(x, y)| Point {
                x: left + x,
                y: top + y,
            }),
        }
    }

    #[test]
    fn only_the_same_bytes_at_the_same_place_repeat() {
        let code = square(b"acta", 100, 100);
        assert!(code.repeats(&square(b"acta", 103, 98)));
        assert!(!code.repeats(&square(b"acta", 160, 100)));
        assert!(!code.repeats(&square(b"acta", 100, 160)));
        assert!(!code.repeats(&square(b"otra", 100, 100)));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let code = square(b"caf\xe9", 0, 0);
        assert_eq!(code.text(), None);
        assert_eq!(code.text_lossy(), "caf\u{fffd}");
        assert_eq!(square(b"caf\xc3\xa9", 0, 0).text(), Some("caf\u{e9}"));
    }
}
