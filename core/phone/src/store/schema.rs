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
    // 3: what is left is told by indices alone; what headquarters did not take waits apart; what a pass
    // leaves behind for the next one.
    Migration {
        sql: "ALTER TABLE envelope ADD COLUMN size INTEGER NOT NULL AS (length(bytes)) VIRTUAL;
     DROP INDEX envelope_due;
     CREATE INDEX envelope_outbox ON envelope (state, lane, sequence, size);
     DROP INDEX attachment_due;
     CREATE INDEX attachment_left ON attachment (lane, sequence, size) WHERE receipt IS NULL;
     CREATE TABLE setback (
         sequence INTEGER NOT NULL REFERENCES envelope (sequence),
         sha256 BLOB NOT NULL CHECK (length(sha256) IN (0, 32)), -- a sealed file; empty: the record itself
         tries INTEGER NOT NULL,         -- in a row, not taken by headquarters
         boot BLOB NOT NULL CHECK (length(boot) = 16), -- the moment of the latest, by three clocks
         monotonic_ms INTEGER NOT NULL,
         wall_ms INTEGER NOT NULL,
         wait_ms INTEGER NOT NULL,       -- from then on
         PRIMARY KEY (sequence, sha256)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE sync (
         id INTEGER PRIMARY KEY CHECK (id = 1),
         endpoint TEXT,                  -- the address that last answered as headquarters
         bytes_a_day INTEGER,            -- on metered links; NULL: no limit
         photos_on_metered INTEGER NOT NULL CHECK (photos_on_metered IN (0, 1)),
         spent_bytes INTEGER NOT NULL DEFAULT 0,  -- on metered links, since the moment below
         spent_boot BLOB CHECK (length(spent_boot) = 16), -- NULL: nothing yet
         spent_monotonic_ms INTEGER NOT NULL DEFAULT 0,
         spent_wall_ms INTEGER NOT NULL DEFAULT 0,
         failures INTEGER NOT NULL DEFAULT 0,     -- passes in a row that got nowhere
         failure TEXT,                   -- of the last pass: its code, and a number that belongs to it
         failure_number INTEGER NOT NULL DEFAULT 0,
         ended_boot BLOB CHECK (length(ended_boot) = 16), -- when it ended; NULL: nothing to wait for
         ended_monotonic_ms INTEGER NOT NULL DEFAULT 0,
         ended_wall_ms INTEGER NOT NULL DEFAULT 0,
         wait_ms INTEGER NOT NULL DEFAULT 0       -- from then to the next pass
     ) STRICT;
     INSERT INTO sync (id, bytes_a_day, photos_on_metered) VALUES (1, 26214400, 1);",
    },
    // 4: how far the desk has been heard; envelopes whose bytes went because a copy of them is safe
    // have none (length 0).
    Migration {
        sql: "ALTER TABLE headquarters ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;
     CREATE INDEX envelope_not_safe ON envelope (sequence) WHERE state = 1 AND safe = 0;
     CREATE INDEX envelope_to_let_go ON envelope (sequence)
         WHERE state = 1 AND safe = 1 AND length(bytes) > 0;",
    },
    // 5: why headquarters has not taken something, and over which link the last pass went.
    Migration {
        sql: "CREATE TABLE deferral (
         sequence INTEGER PRIMARY KEY,   -- of a record that waits; 0: the enrolment
         code INTEGER NOT NULL           -- headquarters' latest word on it, unsigned
     ) STRICT;
     ALTER TABLE sync ADD COLUMN metered INTEGER NOT NULL DEFAULT 0 CHECK (metered IN (0, 1));",
    },
    // 6: readable copies are sealed to keys that a PIN opens (docs/lock.md). `history` is filled by earlier
    // releases only and emptied at the first opening; a record that is quiet is shown to nobody but its witness.
    Migration {
        sql: "CREATE TABLE lock (
         id INTEGER PRIMARY KEY CHECK (id = 1),
         whole_key BLOB NOT NULL,        -- public: readable copies are sealed to it
         harmless_key BLOB NOT NULL,     -- public: what a duress PIN shows is sealed to it
         has_pin INTEGER NOT NULL DEFAULT 0 CHECK (has_pin IN (0, 1)),
         memory_kib INTEGER NOT NULL,    -- what a PIN costs (Argon2id)
         passes INTEGER NOT NULL,
         salt BLOB NOT NULL CHECK (length(salt) = 16),
         first_slot BLOB NOT NULL,       -- secret keys under a PIN, then under the host's key store
         second_slot BLOB NOT NULL,      -- the same, or nothing that any PIN opens
         tries INTEGER NOT NULL DEFAULT 0,        -- wrong PINs in a row, counted before each is looked at
         tried_boot BLOB CHECK (length(tried_boot) = 16),  -- the latest; NULL: none
         tried_monotonic_ms INTEGER NOT NULL DEFAULT 0,
         wipe_after INTEGER,             -- wrong PINs in a row; NULL: never
         burn INTEGER NOT NULL DEFAULT 1 CHECK (burn IN (0, 1))
     ) STRICT;
     CREATE TABLE sealed_history (
         sequence INTEGER PRIMARY KEY REFERENCES envelope (sequence),
         whole BLOB NOT NULL,            -- the padded body
         harmless BLOB NOT NULL          -- the same where it is harmless; otherwise zeros of its length
     ) STRICT;
     ALTER TABLE envelope ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0 CHECK (quiet IN (0, 1));
     CREATE INDEX envelope_quiet ON envelope (state, size) WHERE quiet = 1;",
    },
];
