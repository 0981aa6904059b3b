//! The phone's tables. A migration, once released, never changes; a new one is added below.

use testigo_sqlite::Migration;

/// `PRAGMA application_id` of a phone's store: "Tphn".
pub(crate) const APPLICATION_ID: u32 = 0x5470_686e;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    // 1: the first release.
    sql: "CREATE TABLE device (
         id INTEGER PRIMARY KEY CHECK (id = 1),
         seed BLOB NOT NULL CHECK (length(seed) = 32),
         store_id BLOB NOT NULL CHECK (length(store_id) = 16),
         last_sequence INTEGER NOT NULL DEFAULT 0,
         hq_millis INTEGER,              -- latest time that headquarters signed
         hq_offset_minutes INTEGER
     ) STRICT;
     CREATE TABLE headquarters (
         id INTEGER PRIMARY KEY CHECK (id = 1),
         root BLOB NOT NULL CHECK (length(root) = 16),
         keyset BLOB NOT NULL,           -- signed bytes, verified again at each start
         pack BLOB,                      -- signed bytes
         assigned_table TEXT,
         enrolment BLOB NOT NULL,        -- signed bytes; the capability itself is erased
         enrolment_receipt BLOB          -- NULL: to be sent before anything else
     ) STRICT;
     CREATE TABLE envelope (
         sequence INTEGER PRIMARY KEY,
         eid BLOB NOT NULL UNIQUE CHECK (length(eid) = 32),
         lane INTEGER NOT NULL,
         bytes BLOB NOT NULL,
         state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)), -- queued, delivered, parked
         receipt BLOB,
         CHECK ((state = 0) = (receipt IS NULL))
     ) STRICT;
     CREATE INDEX envelope_due ON envelope (lane, sequence) WHERE state = 0;
     CREATE TABLE history (
         sequence INTEGER PRIMARY KEY REFERENCES envelope (sequence),
         body BLOB NOT NULL              -- the sealed body's CBOR, readable
     ) STRICT;",
}];
