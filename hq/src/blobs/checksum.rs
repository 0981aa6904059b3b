use crate::problem::Problem;
use data_encoding::BASE64;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The algorithms of `Upload-Checksum`, as `Tus-Checksum-Algorithm` names them.
pub(super) const ALGORITHMS: &str = "sha1,sha256";

/// What a chunk must have, by tus's extension checksum.
pub(super) struct Checksum {
    expected: Vec<u8>,
    running: Running,
}

enum Running {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// From `Upload-Checksum`: the algorithm's name and the digest in base 64.
    pub(super) fn parse(header: &str) -> Result<Self, Problem> {
        let (name, digest) = header.split_once(' ').ok_or(Problem::UPLOAD_CHECKSUM)?;
        let running = match name {
            "sha1" => Running::Sha1(Sha1::new()),
            "sha256" => Running::Sha256(Sha256::new()),
            _ => return Err(Problem::UPLOAD_CHECKSUM),
        };
        let expected =
            (BASE64.decode(digest.trim().as_bytes())).map_err(|_| Problem::UPLOAD_CHECKSUM)?;
        Ok(Self { expected, running })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.running {
            Running::Sha1(sha1) => sha1.update(bytes),
            Running::Sha256(sha256) => sha256.update(bytes),
        }
    }

    pub(super) fn fits(self) -> bool {
        match self.running {
            Running::Sha1(sha1) => sha1.finalize().as_slice() == self.expected,
            Running::Sha256(sha256) => sha256.finalize().as_slice() == self.expected,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn fits(header: &str) -> bool {
        let mut checksum = Checksum::parse(header).unwrap();
        checksum.update(b"hello ");
        checksum.update(b"world");
        checksum.fits()
    }

    #[test]
    fn both_algorithms_and_nothing_else() {
        // The example of the tus specification.
        assert!(fits("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="));
        assert!(fits("sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="));
        assert!(!fits("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu8="));
        for header in ["", "sha1", "md5 XrY7u+Ae7tCTyyK7j1rNww==", "sha1 %%%"] {
            assert!(Checksum::parse(header).is_err(), "{header}");
        }
    }
}
