//! Rows of attachments: which ones envelopes name, what is on its way, and what is held.

use super::{DeskStore, Reader, Store};
use crate::blobs::{Room, UploadId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use testigo_wire::{BlobRef, BlobSecret};

/// The most uploads of one attachment that may be open at a time.
const OPEN_UPLOADS: i64 = 8;

/// An upload that was begun.
pub(crate) struct Upload {
    pub blob: BlobRef,
    pub created_at: i64,
    /// The receipt, where the attachment is held whole, whoever sent it.
    pub receipt: Option<Vec<u8>>,
}

/// What came of asking for an upload.
pub(crate) enum Begun {
    Upload(UploadId, Upload),
    NotNamed,
    TooMany,
    /// Too much came under the capability of the record that names it.
    OverQuota,
}

/// A number for SQLite, whose numbers have a sign. Nothing that large is ever held.
fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// Keeps what an envelope names.
pub(super) fn keep_names(db: &Connection, arrival: i64, blobs: &[BlobRef]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO named_blob (arrival, sha256, size) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    for blob in blobs {
        insert.execute(params![arrival, blob.sha256, signed(blob.size)])?;
    }
    Ok(())
}

impl Store {
    /// The upload of this attachment under this token: the one that was begun before, or a new one
    /// named `id`. Where the attachment is held already any of its uploads will do, so that their
    /// number stays bounded.
    pub(crate) fn begin_upload(
        &mut self,
        id: UploadId,
        blob: &BlobRef,
        token: &[u8; 16],
        now: i64,
        room: &Room,
    ) -> rusqlite::Result<Begun> {
        let db = self.begin()?;
        let size = signed(blob.size);
        if !is_named(&db, blob)? {
            return Ok(Begun::NotNamed);
        }
        let held = db
            .prepare_cached("SELECT 1 FROM blob WHERE sha256 = ?1 AND size = ?2")?
            .exists(params![blob.sha256, size])?;
        let before: Option<[u8; 16]> = db
            .prepare_cached(
                "SELECT id FROM upload
                 WHERE sha256 = ?1 AND size = ?2 AND (token = ?3 OR ?4) LIMIT 1",
            )?
            .query_row(params![blob.sha256, size, token, held], |row| row.get(0))
            .optional()?;
        let open: i64 = db
            .prepare_cached("SELECT count(*) FROM upload WHERE sha256 = ?1 AND size = ?2")?
            .query_row(params![blob.sha256, size], |row| row.get(0))?;
        let id = match before {
            Some(before) => UploadId(before),
            None if open >= OPEN_UPLOADS => return Ok(Begun::TooMany),
            None if !held && !fits(&db, blob, room)? => return Ok(Begun::OverQuota),
            None => {
                db.execute(
                    "INSERT INTO upload (id, sha256, size, token, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![id.0, blob.sha256, size, token, now],
                )?;
                id
            }
        };
        let upload = upload(&db, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        db.commit()?;
        Ok(Begun::Upload(id, upload))
    }

    /// Whether an accepted envelope names this attachment.
    pub(crate) fn is_named(&self, blob: &BlobRef) -> rusqlite::Result<bool> {
        is_named(&self.0, blob)
    }

    /// The receipt of an attachment that is held.
    pub(crate) fn blob_receipt(&self, blob: &BlobRef) -> rusqlite::Result<Option<Vec<u8>>> {
        self.0
            .prepare_cached("SELECT receipt FROM blob WHERE sha256 = ?1 AND size = ?2")?
            .query_row(params![blob.sha256, signed(blob.size)], |row| row.get(0))
            .optional()
    }

    pub(crate) fn upload(&self, id: UploadId) -> rusqlite::Result<Option<Upload>> {
        upload(&self.0, id)
    }

    pub(crate) fn forget_upload(&self, id: UploadId) -> rusqlite::Result<()> {
        self.0
            .execute("DELETE FROM upload WHERE id = ?1", [id.0])
            .map(drop)
    }

    /// All uploads of an attachment.
    pub(crate) fn uploads_of(&self, blob: &BlobRef) -> rusqlite::Result<Vec<UploadId>> {
        self.0
            .prepare_cached("SELECT id FROM upload WHERE sha256 = ?1 AND size = ?2")?
            .query_map(params![blob.sha256, signed(blob.size)], id)?
            .collect()
    }

    /// Uploads that were begun before this time.
    pub(crate) fn uploads_before(&self, time: i64) -> rusqlite::Result<Vec<UploadId>> {
        self.0
            .prepare_cached("SELECT id FROM upload WHERE created_at < ?1")?
            .query_map([time], id)?
            .collect()
    }

    /// Notes that an attachment is held; returns the receipt that holds for it for ever.
    pub(crate) fn keep_blob(
        &self,
        blob: &BlobRef,
        now: i64,
        receipt: &[u8],
    ) -> rusqlite::Result<Vec<u8>> {
        self.0
            .prepare_cached(
                "INSERT INTO blob (sha256, size, received_at, receipt) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (sha256) DO NOTHING",
            )?
            .execute(params![blob.sha256, signed(blob.size), now, receipt])?;
        self.0
            .prepare_cached("SELECT receipt FROM blob WHERE sha256 = ?1")?
            .query_row([blob.sha256], |row| row.get(0))
    }
}

fn is_named(db: &Connection, blob: &BlobRef) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM named_blob WHERE sha256 = ?1 AND size = ?2")?
        .exists(params![blob.sha256, signed(blob.size)])
}

/// Whether one more upload of this attachment keeps the capability of its record within bounds. Where several
/// name it, one of them is enough.
fn fits(db: &Connection, blob: &BlobRef, room: &Room) -> rusqlite::Result<bool> {
    let size = signed(blob.size);
    let capabilities: Vec<Option<[u8; 8]>> = db
        .prepare_cached(
            "SELECT DISTINCT d.capability FROM named_blob n JOIN arrival a ON a.id = n.arrival
             LEFT JOIN device d ON d.kid = a.device WHERE n.sha256 = ?1 AND n.size = ?2",
        )?
        .query_map(params![blob.sha256, size], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for capability in capabilities {
        let (held, on_the_way): (i64, i64) = db
            .prepare_cached(
                "WITH own AS (
                     SELECT DISTINCT n.sha256, n.size FROM device d
                     JOIN arrival a ON a.device = d.kid
                     JOIN named_blob n ON n.arrival = a.id WHERE d.capability = ?1)
                 SELECT (SELECT coalesce(sum(size), 0) FROM own
                         WHERE EXISTS (SELECT 1 FROM blob b WHERE b.sha256 = own.sha256)),
                        (SELECT coalesce(sum(u.size), 0) FROM own JOIN upload u
                         ON u.sha256 = own.sha256 AND u.size = own.size
                         WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.sha256 = u.sha256))",
            )?
            .query_row([capability], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let on_the_way = on_the_way.unsigned_abs().saturating_add(blob.size);
        let all = on_the_way.saturating_add(held.unsigned_abs());
        if on_the_way <= room.on_the_way && all <= room.capability {
            return Ok(true);
        }
    }
    Ok(false)
}

fn id(row: &Row<'_>) -> rusqlite::Result<UploadId> {
    row.get(0).map(UploadId)
}

fn upload(db: &Connection, id: UploadId) -> rusqlite::Result<Option<Upload>> {
    db.prepare_cached(
        "SELECT u.sha256, u.size, u.created_at, b.receipt
         FROM upload u LEFT JOIN blob b ON b.sha256 = u.sha256 AND b.size = u.size
         WHERE u.id = ?1",
    )?
    .query_row([id.0], |row| {
        Ok(Upload {
            blob: BlobRef {
                sha256: row.get(0)?,
                size: row.get::<_, i64>(1)?.unsigned_abs(),
            },
            created_at: row.get(2)?,
            receipt: row.get(3)?,
        })
    })
    .optional()
}

/// A file that a record names, for who wants to see it.
pub(crate) struct NamedFile {
    pub sha256: [u8; 32],
    pub secret: BlobSecret,
    pub media_type: String,
    /// Bytes of the sealed file, where it is held.
    pub held: Option<u64>,
}

impl Reader {
    /// The file with this number.
    pub(crate) fn file(&self, id: i64) -> rusqlite::Result<Option<NamedFile>> {
        self.0
            .prepare_cached(
                "SELECT a.sha256, a.secret, a.media_type, b.size
                 FROM attachment a LEFT JOIN blob b ON b.sha256 = a.sha256 WHERE a.id = ?1",
            )?
            .query_row([id], |row| {
                Ok(NamedFile {
                    sha256: row.get(0)?,
                    secret: BlobSecret::from_bytes(row.get(1)?),
                    media_type: row.get(2)?,
                    held: row.get::<_, Option<i64>>(3)?.map(i64::unsigned_abs),
                })
            })
            .optional()
    }
}

/// Bundles that have arrived whole and were not opened.
pub(super) const UNOPENED_BUNDLES: &str = "FROM attachment a JOIN blob b USING (sha256)
     WHERE a.media_type = 'application/vnd.testigo.bundle'
       AND NOT EXISTS (SELECT 1 FROM brought WHERE brought.attachment = a.id)";

/// A bundle that a phone brought as a file of one of its records.
pub(crate) struct Brought {
    /// The attachment's number.
    pub attachment: i64,
    pub sha256: [u8; 32],
    pub secret: BlobSecret,
}

impl DeskStore {
    /// The oldest bundle that has arrived whole and was not opened.
    pub(crate) fn unopened_bundle(&self) -> rusqlite::Result<Option<Brought>> {
        self.desk
            .prepare_cached(&format!(
                "SELECT a.id, a.sha256, a.secret {UNOPENED_BUNDLES} ORDER BY a.id LIMIT 1"
            ))?
            .query_row([], |row| {
                Ok(Brought {
                    attachment: row.get(0)?,
                    sha256: row.get(1)?,
                    secret: BlobSecret::from_bytes(row.get(2)?),
                })
            })
            .optional()
    }

    /// Notes what a bundle held: records and files, or that it is none for this headquarters.
    pub(crate) fn keep_brought(
        &self,
        attachment: i64,
        now: i64,
        held: Option<(u64, u64)>,
    ) -> rusqlite::Result<()> {
        let (records, files) = held.unwrap_or_default();
        let outcome = match held {
            Some(_) => "taken in",
            None => "no bundle of ours",
        };
        self.desk
            .prepare_cached(
                "INSERT INTO brought (attachment, opened_at, outcome, records, files)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                attachment,
                now,
                outcome,
                signed(records),
                signed(files)
            ])
            .map(drop)
    }
}
