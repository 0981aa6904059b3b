//! The desk's database: everything that it reads in envelopes, and what people decided. It refers to ingest's rows by
//! their numbers: no key reaches from one file into another.

use testigo_sqlite::Migration;

/// `PRAGMA application_id` of the desk's database: "TsHD".
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"TsHD");

/// The schema, step by step. Times as in [`super::schema`].
pub(super) const MIGRATIONS: &[Migration] = &[FIRST];

const FIRST: Migration = Migration {
    sql: "
-- Where the witness of a capability was sent.
CREATE TABLE assignment (
    capability BLOB PRIMARY KEY,
    table_id TEXT NOT NULL
) STRICT;

-- What the desk found in an envelope: one row each, also for what it could not read.
CREATE TABLE opened (
    arrival INTEGER PRIMARY KEY, -- ingest's number of it
    outcome TEXT NOT NULL CHECK (outcome IN ('read', 'unreadable', 'unknown kind')),
    record_id BLOB,
    table_id TEXT,
    claimed_at TEXT,
    saved_at TEXT,
    content BLOB,
    -- An earlier envelope of the same device, record id and content: kept, not counted again.
    copy_of INTEGER REFERENCES opened (arrival),
    -- What its phone is to be told (testigo_wire::NoticeStatus): ingest's notice says the same, or is still owed. NULL
    -- where the desk had no key to sign with.
    status INTEGER
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
    null_votes INTEGER,
    vouch INTEGER NOT NULL -- what inside its texts vouches for the numbers (testigo_tally::Vouch)
) STRICT;
CREATE INDEX reading_by_table ON reading (table_id);
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

-- What passed from hand to hand.
CREATE TABLE handover (
    arrival INTEGER PRIMARY KEY REFERENCES opened (arrival),
    what INTEGER NOT NULL,
    giver TEXT,
    taker TEXT,
    at TEXT,
    place TEXT
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
CREATE INDEX attachment_bundle ON attachment (id) WHERE media_type = 'application/vnd.testigo.bundle';

-- Bundles that a phone brought as a file of one of its records, and what the desk took out of each.
CREATE TABLE brought (
    attachment INTEGER PRIMARY KEY REFERENCES attachment (id),
    opened_at INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('taken in', 'no bundle of ours')),
    records INTEGER NOT NULL,
    files INTEGER NOT NULL
) STRICT;

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
",
};

/// Made anew in each connection that has both databases: they join the two.
pub(super) const VIEWS: &str = "
-- A device by the decisions so far; a revocation holds from a time on, which is beside its state.
CREATE TEMP VIEW device_standing AS
SELECT d.kid, d.capability,
    iif(EXISTS (SELECT 1 FROM decision x WHERE x.device = d.kid AND x.what = 'confirm'),
        'confirmed', d.state) AS state,
    (SELECT iif(x.what = 'revoke', x.since, NULL) FROM decision x
     WHERE (x.device = d.kid OR x.capability = d.capability) AND x.what IN ('revoke', 'trust')
     ORDER BY x.id DESC LIMIT 1) AS revoked_since,
    coalesce((SELECT x.table_id FROM decision x WHERE x.device = d.kid AND x.what = 'reassign'
              ORDER BY x.id DESC LIMIT 1), c.table_id) AS table_id
FROM device d LEFT JOIN assignment c ON c.capability = d.capability;

-- What arrived from a device: how far the device was believed when it arrived, and whether it waits for a person.
-- Once one device of a code is confirmed, those beside it that nobody has confirmed wait.
CREATE TEMP VIEW standing AS
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
";
