//! A locked phone under a key store of the app's.

use crate::headquarters::{Stage, TABLE};
use crate::scenarios::{assert_explained, deliver, power_cut};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use testigo_bindings::{
    ContentView, HostKey, HostKeys, HostKeysError, NextStep, Phone, RecordView, TestigoError,
    phone_exists, wipe_folder_under,
};

/// A key store as small as it can be: it keeps what it wraps, and gives out a ticket.
#[derive(Default)]
struct Keys {
    kept: Mutex<HashMap<HostKey, Vec<Vec<u8>>>>,
    silent: Mutex<bool>,
}

impl Keys {
    fn answers(&self) -> Result<(), HostKeysError> {
        match *self.silent.lock().unwrap() {
            true => Err(HostKeysError::Unavailable),
            false => Ok(()),
        }
    }
}

impl HostKeys for Keys {
    fn wrap(&self, key: HostKey, secret: Vec<u8>) -> Result<Vec<u8>, HostKeysError> {
        self.answers()?;
        let mut kept = self.kept.lock().unwrap();
        let of_key = kept.entry(key).or_default();
        of_key.push(secret);
        Ok(vec![u8::try_from(of_key.len() - 1).unwrap()])
    }

    fn unwrap(&self, key: HostKey, wrapped: Vec<u8>) -> Result<Vec<u8>, HostKeysError> {
        self.answers()?;
        let kept = self.kept.lock().unwrap();
        let of_key = kept.get(&key).ok_or(HostKeysError::Gone)?;
        let secret = of_key.get(usize::from(wrapped[0]));
        secret.cloned().ok_or(HostKeysError::Gone)
    }

    fn destroy(&self, key: HostKey) -> Result<(), HostKeysError> {
        self.answers()?;
        self.kept.lock().unwrap().remove(&key);
        Ok(())
    }
}

pub fn locked() {
    let mut stage = Stage::new();
    let keys = Arc::new(Keys::default());
    let home = stage.path("locked");
    let made = Phone::create_under(home.clone(), keys.clone()).unwrap();
    stage.enrol(&made);
    made.set_pin("428619".to_owned()).unwrap();
    assert!(!made.is_locked().unwrap());
    drop(made);

    let phone = Arc::new(Phone::open_under(home.clone(), keys.clone()).unwrap());
    assert!(phone.has_pin().unwrap() && phone.is_locked().unwrap());
    phone.report(power_cut("delivered")).unwrap();
    stage.serve();
    assert_eq!(deliver(&phone).delivered, 1);
    phone.report(power_cut("waits")).unwrap();
    let shown = phone.status().unwrap();
    assert_eq!(shown.root_words.unwrap().en, stage.words);
    assert_eq!((shown.table, shown.confirmation), (None, None));
    assert!(shown.has_pin && shown.locked);
    let settings = phone.settings().unwrap();
    let Err(TestigoError::Locked { explanation, .. }) = phone.set_settings(settings) else {
        panic!("settings changed while locked");
    };
    assert_explained(&explanation, "locked", NextStep::Unlock);
    let Err(TestigoError::Locked {
        explanation,
        wait_ms: 0,
    }) = phone.history()
    else {
        panic!("shown while locked");
    };
    assert_explained(&explanation, "locked", NextStep::Unlock);
    let Err(TestigoError::Locked { explanation, .. }) = phone.unlock("000000".to_owned()) else {
        panic!("unlocked by any PIN");
    };
    assert_explained(&explanation, "wrong-pin", NextStep::CorrectInput);
    *keys.silent.lock().unwrap() = true;
    let Err(TestigoError::Store { explanation }) = phone.unlock("428619".to_owned()) else {
        panic!("unlocked without the key store");
    };
    assert_explained(&explanation, "host-keys-unavailable", NextStep::TryAgain);
    *keys.silent.lock().unwrap() = false;
    phone.unlock("428619".to_owned()).unwrap();
    let shown = phone.status().unwrap();
    assert_eq!(shown.confirmation.unwrap().replace(' ', "").len(), 12);
    assert!(shown.has_pin && !shown.locked);
    let history = phone.history().unwrap();
    let [waits, delivered] = history.as_slice() else {
        panic!("{history:?}");
    };
    assert_eq!((delivered.sequence, &delivered.content), (1, &None));
    let Some(ContentView { record, table, .. }) = &waits.content else {
        panic!("{waits:?}");
    };
    assert!(matches!(record, RecordView::Report { note: Some(note), .. } if note == "waits"));
    assert_eq!(table.as_deref(), Some(TABLE));
    phone.lock().unwrap();
    assert!(phone.is_locked().unwrap());

    assert_eq!(phone.wipe().unwrap().undelivered_records, 1);
    drop(phone);
    assert!(keys.kept.lock().unwrap().is_empty());
    assert!(!phone_exists(home.clone()));
    let Err(TestigoError::Enrolment { explanation }) = Phone::open_under(home, keys.clone()) else {
        panic!("opened what was wiped");
    };
    assert_explained(&explanation, "no-phone", NextStep::Enrol);

    let home = stage.path("keyless");
    drop(Phone::create_under(home.clone(), keys.clone()).unwrap());
    keys.kept.lock().unwrap().remove(&HostKey::Store);
    let Err(TestigoError::Store { explanation }) = Phone::open_under(home.clone(), keys.clone())
    else {
        panic!("opened without its key");
    };
    assert_explained(&explanation, "host-key-gone", NextStep::KeepAndReport);
    wipe_folder_under(home.clone(), keys.clone()).unwrap();
    assert!(keys.kept.lock().unwrap().is_empty());
    assert!(!phone_exists(home));
}
