//! The phone's tables. A migration, once released, never changes; a new one is added below.

use testigo_sqlite::Migration;

/// `PRAGMA application_id` of a phone's store: "Tphn".
pub(crate) const APPLICATION_ID: u32 = 0x5470_686e;

pub(crate) const MIGRATIONS: &[Migration] = &[
    // 1: the first release.
    Migration {
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
    },
    // 2: attachments, notices, and which run of headquarters' store has answered.
    Migration {
        sql: "CREATE TABLE attachment (
         sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),  -- of the sealed file, and its name
         sequence INTEGER NOT NULL REFERENCES envelope (sequence),
         lane INTEGER NOT NULL,
         size INTEGER NOT NULL,          -- of the sealed file, in bytes
         token BLOB NOT NULL CHECK (length(token) = 16), -- makes the upload this phone's own
         upload TEXT,                    -- address of the upload under way
         receipt BLOB                    -- NULL: still to be delivered
     ) STRICT;
     CREATE INDEX attachment_of_envelope ON attachment (sequence);
     CREATE INDEX attachment_due ON attachment (lane, sequence) WHERE receipt IS NULL;
     ALTER TABLE envelope ADD COLUMN notice BLOB;                -- the desk's latest word
     ALTER TABLE envelope ADD COLUMN notice_millis INTEGER;
     ALTER TABLE envelope ADD COLUMN safe INTEGER NOT NULL DEFAULT 0 CHECK (safe IN (0, 1));
     ALTER TABLE headquarters ADD COLUMN epoch BLOB;",
    },
    // 3: how far the desk has been heard; envelopes whose bytes went because a copy of them is safe
    // have none (length 0).
    Migration {
        sql: "ALTER TABLE headquarters ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;
     CREATE INDEX envelope_not_safe ON envelope (sequence) WHERE state = 1 AND safe = 0;
     CREATE INDEX envelope_to_let_go ON envelope (sequence)
         WHERE state = 1 AND safe = 1 AND length(bytes) > 0;",
    },
];
