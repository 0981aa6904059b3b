//! What files may cost on mobile data.

use crate::error::caught;
use crate::{Phone, TestigoError};

/// What files may cost on a metered link, such as mobile data. Records and the enrolment are never held back
/// by it; their bytes are counted all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Budget {
    /// Bytes in 24 hours on metered links, counted from the first one; none for no limit.
    pub bytes_a_day: Option<u64>,
    /// Whether whole photographs, films and recordings travel over metered links. Thumbnails always do.
    pub photos_on_metered: bool,
}

#[uniffi::export]
impl Phone {
    /// What files may cost on metered links; what a new phone has is the library's choice.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn budget(&self) -> Result<Budget, TestigoError> {
        caught(|| Ok(self.shared.phone().budget()?.into()))
    }

    /// Sets it, from the next sync on. What was spent already counts.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn set_budget(&self, budget: Budget) -> Result<(), TestigoError> {
        self.changing("set the budget", |phone| phone.set_budget(&budget.into()))
    }
}

impl From<testigo_phone::sync::Budget> for Budget {
    fn from(budget: testigo_phone::sync::Budget) -> Self {
        Self {
            bytes_a_day: budget.bytes_a_day,
            photos_on_metered: budget.photos_on_metered,
        }
    }
}

impl From<Budget> for testigo_phone::sync::Budget {
    fn from(budget: Budget) -> Self {
        Self {
            bytes_a_day: budget.bytes_a_day,
            photos_on_metered: budget.photos_on_metered,
        }
    }
}
