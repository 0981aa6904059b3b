//! Ingest's database: what came, as it came. Nothing in it can be read without the seal key: what can be is the desk's
//! ([`super::desk_schema`]).

use testigo_sqlite::Migration;

/// `PRAGMA application_id` of ingest's database: "TsHQ".
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"TsHQ");

/// Kinds of what arrives, as `arrival.kind` has them.
pub(super) const ENROLMENT: i64 = 0;
pub(super) const ENVELOPE: i64 = 1;

/// The schema, step by step. Times of headquarters are milliseconds since the Unix epoch; times that a
/// phone told are RFC 3339 text with the offset that it told them in.
pub(super) const MIGRATIONS: &[Migration] = &[
    FIRST,
    ATTACHMENTS,
    NOTICES,
    QUOTAS,
    COURIERS,
    DECISIONS,
    STANDING,
    SPLIT,
];

/// The schema of a database in which the desk's tables lie still: steps 1 to 7.
pub(super) const BEFORE_SPLIT: usize = 7;

const FIRST: Migration = Migration {
    sql: "
-- Who this headquarters is.
CREATE TABLE identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    election BLOB NOT NULL,
    root BLOB NOT NULL,
    epoch BLOB NOT NULL
) STRICT;

-- The right to enrol; the public half only.
CREATE TABLE capability (
    kid BLOB PRIMARY KEY,
    public_key BLOB NOT NULL,
    assigned_table TEXT,
    created_at INTEGER NOT NULL
) STRICT;

-- Whatever was answered with a receipt, once. The bytes of what was refused are not kept.
CREATE TABLE arrival (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    eid BLOB NOT NULL UNIQUE CHECK (length(eid) = 32),
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
    device BLOB REFERENCES device (kid),
    received_at INTEGER NOT NULL,
    code INTEGER NOT NULL,
    bytes BLOB,
    receipt BLOB NOT NULL
) STRICT;

CREATE TABLE device (
    kid BLOB PRIMARY KEY,
    public_key BLOB NOT NULL,
    store_id BLOB NOT NULL,
    capability BLOB NOT NULL REFERENCES capability (kid),
    enrolment INTEGER NOT NULL REFERENCES arrival (id),
    state TEXT NOT NULL CHECK (state IN ('unconfirmed', 'confirmed', 'quarantined'))
) STRICT;
CREATE INDEX device_by_capability ON device (capability);

-- What the desk found in an envelope: one row each, also for what it could not read.
CREATE TABLE opened (
    arrival INTEGER PRIMARY KEY REFERENCES arrival (id),
    outcome TEXT NOT NULL CHECK (outcome IN ('read', 'unreadable', 'unknown kind')),
    record_id BLOB,
    table_id TEXT,
    claimed_at TEXT,
    saved_at TEXT,
    content BLOB,
    -- An earlier envelope of the same device, record id and content: kept, not counted again.
    copy_of INTEGER REFERENCES opened (arrival)
) STRICT;
CREATE INDEX opened_by_record ON opened (record_id);

CREATE TABLE flag (
    arrival INTEGER NOT NULL REFERENCES opened (arrival),
    code INTEGER NOT NULL,
    PRIMARY KEY (arrival, code)
) STRICT, WITHOUT ROWID;

-- A tally sheet; without table_id, votes and null_votes where its texts are no known sheet.
CREATE TABLE reading (
    arrival INTEGER PRIMARY KEY REFERENCES opened (arrival),
    table_id TEXT,
    slots TEXT,
    null_votes INTEGER
) STRICT;
CREATE TABLE reading_text (
    arrival INTEGER NOT NULL REFERENCES reading (arrival),
    n INTEGER NOT NULL,
    text BLOB NOT NULL,
    PRIMARY KEY (arrival, n)
) STRICT;
CREATE TABLE reading_votes (
    arrival INTEGER NOT NULL REFERENCES reading (arrival),
    candidate TEXT NOT NULL,
    votes INTEGER NOT NULL,
    PRIMARY KEY (arrival, candidate)
) STRICT;

CREATE TABLE incident (
    arrival INTEGER PRIMARY KEY REFERENCES opened (arrival),
    code INTEGER NOT NULL,
    note TEXT,
    delay_minutes INTEGER,
    started TEXT,
    ended TEXT,
    people INTEGER
) STRICT;
",
};

const ATTACHMENTS: Migration = Migration {
    sql: "
-- The sealed files that accepted envelopes name in clear: only these are taken in.
CREATE TABLE named_blob (
    arrival INTEGER NOT NULL REFERENCES arrival (id),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    size INTEGER NOT NULL,
    PRIMARY KEY (sha256, size, arrival)
) STRICT, WITHOUT ROWID;

-- An upload that was begun; how far it has come is the length of its file. The token is the sender's
-- own, so that nobody else's bytes get among its.
CREATE TABLE upload (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    size INTEGER NOT NULL,
    token BLOB NOT NULL CHECK (length(token) = 16),
    created_at INTEGER NOT NULL,
    UNIQUE (sha256, size, token)
) STRICT;
CREATE INDEX upload_by_age ON upload (created_at);

-- What is held whole, and the receipt that says so.
CREATE TABLE blob (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    size INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    receipt BLOB NOT NULL
) STRICT;

-- What the desk found about a file in its record: what it is, and what opens it.
CREATE TABLE attachment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    arrival INTEGER NOT NULL REFERENCES opened (arrival),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    lane INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL
) STRICT;
CREATE INDEX attachment_by_record ON attachment (arrival);
",
};

const NOTICES: Migration = Migration {
    sql: "
-- The desk's latest word on an envelope. Numbers only rise in one run of the store: a device asks for
-- what is behind the last one that it holds.
CREATE TABLE notice (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    arrival INTEGER NOT NULL UNIQUE REFERENCES opened (arrival),
    device BLOB NOT NULL REFERENCES device (kid),
    status INTEGER NOT NULL,
    safe INTEGER NOT NULL CHECK (safe IN (0, 1)),
    issued_at INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX notice_by_device ON notice (device, number);
CREATE INDEX reading_by_table ON reading (table_id);

-- Copies of this store of which an operator has said that they lie elsewhere.
CREATE TABLE copy (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32), -- of its manifest
    made_at INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL
) STRICT;

-- Envelopes that are in such a copy with all their attachments.
CREATE TABLE safe (
    arrival INTEGER PRIMARY KEY REFERENCES arrival (id),
    told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)) -- a notice says so
) STRICT;
CREATE INDEX safe_not_told ON safe (arrival) WHERE told = 0;
",
};

const QUOTAS: Migration = Migration {
    sql: "
-- What came under a capability.
CREATE INDEX arrival_by_device ON arrival (device);
CREATE INDEX named_blob_by_arrival ON named_blob (arrival);
",
};

const COURIERS: Migration = Migration {
    sql: "
-- Bundles that a phone brought as a file of one of its records, and what the desk took out of each.
CREATE TABLE brought (
    attachment INTEGER PRIMARY KEY REFERENCES attachment (id),
    opened_at INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('taken in', 'no bundle of ours')),
    records INTEGER NOT NULL,
    files INTEGER NOT NULL
) STRICT;

CREATE INDEX attachment_bundle ON attachment (id) WHERE media_type = 'application/vnd.testigo.bundle';

-- What passed from hand to hand.
CREATE TABLE handover (
    arrival INTEGER PRIMARY KEY REFERENCES opened (arrival),
    what INTEGER NOT NULL,
    giver TEXT,
    taker TEXT,
    at TEXT,
    place TEXT
) STRICT;
",
};

const DECISIONS: Migration = Migration {
    sql: "
-- What people decided about devices and records: nothing is changed or taken away, the latest holds. It refers to
-- rows by their names alone, so that it outlives damage to them.
CREATE TABLE decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    decided_at INTEGER NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('confirm', 'revoke', 'trust', 'reassign', 'count', 'set aside',
                                       'unconfirmed count', 'unconfirmed wait')),
    device BLOB,
    capability BLOB,
    arrival INTEGER,
    since INTEGER, -- of a revocation
    table_id TEXT, -- of a reassignment
    decided_by TEXT, -- a sign, and no name
    why TEXT
) STRICT;
CREATE INDEX decision_by_device ON decision (device, what) WHERE device IS NOT NULL;
CREATE INDEX decision_by_capability ON decision (capability) WHERE capability IS NOT NULL;
CREATE INDEX decision_by_arrival ON decision (arrival) WHERE arrival IS NOT NULL;
CREATE INDEX decision_on_policy ON decision (id) WHERE what IN ('unconfirmed count', 'unconfirmed wait');
CREATE TRIGGER decision_is_not_changed BEFORE UPDATE ON decision
BEGIN SELECT raise(ABORT, 'decisions are not changed'); END;
CREATE TRIGGER decision_is_not_taken_away BEFORE DELETE ON decision
BEGIN SELECT raise(ABORT, 'decisions are not taken away'); END;

-- A device by the decisions so far; a revocation holds from a time on, which is beside its state.
CREATE VIEW device_standing AS
SELECT d.kid, d.capability,
    iif(EXISTS (SELECT 1 FROM decision x WHERE x.device = d.kid AND x.what = 'confirm'),
        'confirmed', d.state) AS state,
    (SELECT iif(x.what = 'revoke', x.since, NULL) FROM decision x
     WHERE (x.device = d.kid OR x.capability = d.capability) AND x.what IN ('revoke', 'trust')
     ORDER BY x.id DESC LIMIT 1) AS revoked_since,
    coalesce((SELECT x.table_id FROM decision x WHERE x.device = d.kid AND x.what = 'reassign'
              ORDER BY x.id DESC LIMIT 1), c.assigned_table) AS table_id
FROM device d JOIN capability c ON c.kid = d.capability;

-- What arrived from a device: how far the device was believed when it arrived, and whether it waits for a person.
-- Once one device of a code is confirmed, those beside it that nobody has confirmed wait.
CREATE VIEW standing AS
SELECT s.arrival, s.state,
    CASE s.decided
        WHEN 'count' THEN 0
        WHEN 'set aside' THEN 1
        ELSE s.state IN ('quarantined', 'revoked')
            -- The keyset revokes it (Warning::DEVICE_REVOKED).
            OR EXISTS (SELECT 1 FROM flag f WHERE f.arrival = s.arrival AND f.code = 15)
            OR s.state = 'unconfirmed' AND (
            EXISTS (SELECT 1 FROM device o JOIN decision x ON x.device = o.kid AND x.what = 'confirm'
                    WHERE o.capability = s.capability)
            OR (SELECT x.what FROM decision x WHERE x.what IN ('unconfirmed count', 'unconfirmed wait')
                ORDER BY x.id DESC LIMIT 1) IS 'unconfirmed wait')
    END AS waits
FROM (
    SELECT a.id AS arrival, d.capability,
        iif(d.revoked_since <= a.received_at, 'revoked', d.state) AS state,
        (SELECT x.what FROM decision x WHERE x.arrival = a.id ORDER BY x.id DESC LIMIT 1) AS decided
    FROM arrival a JOIN device_standing d ON d.kid = a.device
) s;
",
};

const STANDING: Migration = Migration {
    sql: "
-- What inside a sheet's texts vouches for the numbers (testigo_tally::Vouch). All sheets before this step were read from
-- a code that nothing protects.
ALTER TABLE reading ADD COLUMN vouch INTEGER NOT NULL DEFAULT 30;
",
};

const SPLIT: Migration = Migration {
    sql: "
-- Refuses to run where there is something that the desk has not taken into a file of its own (store/split.rs).
CREATE TABLE left_behind (n INTEGER CHECK (n = 0)) STRICT;
INSERT INTO left_behind
    SELECT (SELECT count(*) FROM opened) + (SELECT count(*) FROM decision)
        + (SELECT count(*) FROM capability WHERE assigned_table IS NOT NULL)
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'taken_by_desk');
DROP TABLE left_behind;
DROP TABLE IF EXISTS taken_by_desk;

DROP VIEW standing;
DROP VIEW device_standing;
DROP TABLE brought;
DROP TABLE attachment;
DROP TABLE handover;
DROP TABLE incident;
DROP TABLE reading_votes;
DROP TABLE reading_text;
DROP TABLE reading;
DROP TABLE flag;
DROP TABLE decision;
ALTER TABLE capability DROP COLUMN assigned_table;

-- A notice is of an arrival: what the desk opened is not here. Numbers go on where they were.
CREATE TABLE notice_now (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    arrival INTEGER NOT NULL UNIQUE REFERENCES arrival (id),
    device BLOB NOT NULL REFERENCES device (kid),
    status INTEGER NOT NULL,
    safe INTEGER NOT NULL CHECK (safe IN (0, 1)),
    issued_at INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
INSERT INTO notice_now SELECT number, arrival, device, status, safe, issued_at, bytes FROM notice;
DELETE FROM sqlite_sequence WHERE name = 'notice_now';
INSERT INTO sqlite_sequence (name, seq) SELECT 'notice_now', seq FROM sqlite_sequence WHERE name = 'notice';
DROP TABLE notice;
DROP TABLE opened;
ALTER TABLE notice_now RENAME TO notice;
CREATE INDEX notice_by_device ON notice (device, number);

-- Whether the desk believes a device, or the devices under a capability: only where people decided about them. It follows
-- from their decisions, which are the desk's.
CREATE TABLE belief (
    kid BLOB PRIMARY KEY,
    believed INTEGER NOT NULL CHECK (believed IN (0, 1))
) STRICT, WITHOUT ROWID;
",
};
