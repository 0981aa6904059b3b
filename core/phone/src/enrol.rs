use crate::store::Headquarters;
use crate::{Phone, PhoneError};
use testigo_wire::{ElectionPack, Enrolment, Invitation, Keyset, RootId, TableId};

/// What the phone belongs to now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The election's name, where its pack is there.
    pub election: Option<String>,
    /// The table that the witness is sent to.
    pub table: Option<TableId>,
}

/// The code as the scanner read it or the witness typed it.
///
/// # Errors
/// [`PhoneError::Input`] where it is no enrolment code.
pub fn invitation(code: &str) -> Result<Invitation, PhoneError> {
    Invitation::from_text(code).map_err(|_| {
        PhoneError::input(
            "code",
            "no es un código de inscripción completo; cópielo de nuevo o pida otro a su coordinación",
            "not a whole enrolment code; copy it again or ask your coordinator for another",
            "não é um código de inscrição completo; copie de novo ou peça outro à sua coordenação")
    })
}

impl Phone {
    /// Enrols by a witness's code, headquarters' keyset and the election's pack, all of them handed
    /// in: no network is needed. The device's key is vouched for once and the capability forgotten.
    ///
    /// Where headquarters said that they do not know the phone's code, as after they came back from a backup that
    /// is older than it, another code of theirs takes its place; keyset and pack stay.
    ///
    /// # Errors
    /// [`PhoneError::AlreadyEnrolled`] otherwise; [`PhoneError::OtherHeadquarters`] where the three do not
    /// belong together; [`PhoneError::Damaged`] where one cannot be read.
    pub fn enrol(
        &mut self,
        invitation: &Invitation,
        keyset: &[u8],
        pack: Option<&[u8]>,
    ) -> Result<Enrolled, PhoneError> {
        let keys = Keyset::verify(keyset, invitation.root).map_err(|error| match error {
            testigo_wire::WireError::Signature { .. } => {
                PhoneError::OtherHeadquarters("the keyset is signed by another root")
            }
            error => PhoneError::Damaged(error),
        })?;
        let pack_read = pack
            .map(|bytes| ElectionPack::verify(bytes, &keys.root))
            .transpose()
            .map_err(|error| match error {
                testigo_wire::WireError::Signature { .. } => {
                    PhoneError::OtherHeadquarters("the election pack is signed by another root")
                }
                error => PhoneError::Damaged(error),
            })?;
        let of_pack = pack_read.as_ref().map_or(keys.election, |p| p.election);
        if keys.election != invitation.election || of_pack != invitation.election {
            return Err(PhoneError::OtherHeadquarters(
                "they are of different elections",
            ));
        }
        let device = self.store.device()?;
        let enrolment =
            Enrolment::new(keys.election, device.key().verifying_key(), device.store_id);
        let signed = (invitation.capability.signing_key())
            .and_then(|capability| enrolment.sign(&capability))
            .map_err(PhoneError::Damaged)?;
        self.store.keep_headquarters(&Headquarters {
            root: RootId::of(&keys.root),
            keyset: keyset.to_vec(),
            pack: pack.map(<[u8]>::to_vec),
            assigned_table: invitation.table.as_ref().map(TableId::to_string),
            enrolment: signed,
            enrolment_receipt: None,
        })?;
        self.load_headquarters()?;
        self.keep_key_for_headquarters();
        Ok(Enrolled {
            election: pack_read.map(|pack| pack.name),
            table: invitation.table.clone(),
        })
    }
}
