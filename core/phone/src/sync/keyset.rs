//! A pass's question for headquarters' newer keys. The version that a reply names is not signed, so it is asked
//! once in a pass at most, and what comes counts only under the root's signature.

use super::pass::Sent;
use super::{Method, Request, Response, SyncPass};
use crate::{Phone, PhoneError};

/// The media type of a signed keyset (RFC 9052, section 2).
const MEDIA_TYPE: &str = "application/cose";

/// How far the question for a newer keyset has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeysetQuestion {
    /// Nothing told of a newer one.
    None,
    /// It is the next request.
    Due,
    /// It was asked, whatever came of it.
    Asked,
}

impl SyncPass {
    /// Headquarters named a newer keyset, or signed with a key that the phone does not know. Whether it is worth
    /// asking them.
    pub(super) fn hear_of_keyset(&mut self) -> bool {
        if self.keyset == KeysetQuestion::None {
            self.keyset = KeysetQuestion::Due;
        }
        self.keyset == KeysetQuestion::Due
    }

    /// The question, where it is due.
    pub(super) fn keyset_question(&mut self, endpoint: &str) -> Option<Request> {
        if self.keyset != KeysetQuestion::Due {
            return None;
        }
        self.sent = Some(Sent::Keyset);
        Some(Request {
            method: Method::Get,
            url: format!("{endpoint}/v1/keyset"),
            headers: Vec::new(),
            body: Vec::new(),
        })
    }

    /// Takes what came. Without an answer that counts the pass goes on as if nothing had been said.
    pub(super) fn take_in_keyset(
        &mut self,
        phone: &mut Phone,
        response: &Response,
    ) -> Result<(), PhoneError> {
        if response.status != 200 || response.media_type != MEDIA_TYPE {
            return Ok(());
        }
        let before = phone.trust();
        match phone.take_keyset(&response.body) {
            Ok(_) | Err(PhoneError::OtherHeadquarters(_) | PhoneError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        if phone.trust() != before {
            // Its addresses are used from the next request on.
            self.endpoints.clear();
            self.endpoint = 0;
            self.upload = None;
        }
        Ok(())
    }
}
