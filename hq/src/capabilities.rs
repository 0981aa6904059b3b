//! Public halves of the rights to enrol, beside the database: without them phones that enrolled under them could
//! never come back to headquarters that lost it. Each line is sealed under the key of the desk's database, for it says
//! where a witness was sent.

use crate::HqError;
use crate::hex;
use crate::keys::{Folder, replace_private, sync_folder};
use data_encoding::HEXLOWER;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use testigo_sqlite::DatabaseKey;
use testigo_wire::{BlobSecret, TableId, VerifyingKey, WireError};

const INFO: &[u8] = b"testigo/1/capabilities";

/// The right to enrol, as headquarters know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownCapability {
    pub key: VerifyingKey,
    /// Where its witness was sent.
    pub table: Option<TableId>,
    /// Milliseconds since the Unix epoch.
    pub created_at: i64,
}

impl KnownCapability {
    /// A line: sealed and in hexadecimal, the key in hexadecimal, milliseconds, and the table where there is one.
    fn to_line(&self, secret: &BlobSecret) -> Result<String, WireError> {
        let key = HEXLOWER.encode(&self.key.to_bytes());
        let table = self.table.as_ref().map_or("", TableId::as_str);
        let open = format!("{key} {} {table}", self.created_at);
        let sealed = secret.seal_letter(INFO, open.as_bytes())?;
        Ok(format!("{}\n", HEXLOWER.encode(&sealed)))
    }

    /// Lines of earlier releases were sealed under the key of the one database that there was, or not sealed.
    fn from_line(line: &str, secrets: &[BlobSecret]) -> Option<Self> {
        let sealed = HEXLOWER.decode(line.as_bytes()).ok();
        let open = sealed.and_then(|sealed| {
            (secrets.iter()).find_map(|secret| secret.open_letter(INFO, &sealed).ok())
        });
        match open {
            Some(open) => Self::from_open_line(std::str::from_utf8(&open).ok()?),
            None => Self::from_open_line(line),
        }
    }

    fn from_open_line(line: &str) -> Option<Self> {
        let mut fields = line.splitn(3, ' ');
        let key = VerifyingKey::from_bytes(&hex::bytes(fields.next()?)?).ok()?;
        let created_at = fields.next()?.parse().ok()?;
        let table = fields.next().filter(|table| !table.is_empty());
        Some(Self {
            key,
            table: table.map(TableId::new).transpose().ok()?,
            created_at,
        })
    }
}

/// Adds some durably.
pub(crate) fn append(folder: &Folder, known: &[KnownCapability]) -> Result<(), HqError> {
    let path = folder.capabilities();
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Behind a line that a power cut left unfinished.
    let lines = lines(folder, known)?;
    options
        .open(&path)
        .and_then(|mut file| {
            file.write_all(lines.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .map_err(HqError::file(&path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn lines(folder: &Folder, known: &[KnownCapability]) -> Result<String, HqError> {
    let secret = secret(&folder.load_desk_database()?)?;
    let lines = (known.iter().map(|known| known.to_line(&secret)))
        .collect::<Result<String, _>>()
        .map_err(HqError::keys)?;
    Ok(format!("\n{lines}"))
}

/// Seals lines of earlier releases as they are sealed now: ingest's key opens none of them any more.
pub(crate) fn seal_anew(folder: &Folder) -> Result<(), HqError> {
    let path = folder.capabilities();
    match path.exists() {
        true => replace_private(&path, lines(folder, &read(folder)?)?.as_bytes()),
        false => Ok(()),
    }
}

/// Those that are there; lines that were damaged are left out.
pub(crate) fn read(folder: &Folder) -> Result<Vec<KnownCapability>, HqError> {
    let path = folder.capabilities();
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read.map_err(HqError::file(&path))?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut secrets = vec![secret(&folder.load_database()?)?];
    if folder.desk_database_key().exists() {
        secrets.push(secret(&folder.load_desk_database()?)?);
    }
    Ok(text
        .lines()
        .filter_map(|line| KnownCapability::from_line(line, &secrets))
        .collect())
}

fn secret(key: &DatabaseKey) -> Result<BlobSecret, HqError> {
    BlobSecret::derived(key.expose(), INFO).map_err(HqError::keys)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use testigo_wire::SigningKey;

    #[test]
    fn lines_come_back_also_behind_one_that_was_never_finished() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        fs::create_dir(folder.keys()).unwrap();
        fs::write(folder.database_key(), [9; 32]).unwrap();
        fs::write(folder.desk_database_key(), [8; 32]).unwrap();
        assert_eq!(read(&folder).unwrap(), []);
        let known = [None, Some("201301006.01")].map(|table| KnownCapability {
            key: SigningKey::from_seed(&[7; 32]).verifying_key(),
            table: table.map(|table| TableId::new(table).unwrap()),
            created_at: 1_722_124_800_123,
        });
        append(&folder, &known[..1]).unwrap();
        let path = folder.capabilities();
        let mut text = fs::read(&path).unwrap();
        text.extend(b"00ff 17");
        text.extend([0xff, b' ']);
        fs::write(&path, text).unwrap();
        append(&folder, &known[1..]).unwrap();
        assert_eq!(read(&folder).unwrap(), known);
        let text = fs::read(&path).unwrap();
        assert!(!text.windows(12).any(|part| part == b"201301006.01"));
        // As earlier releases wrote it.
        let before = secret(&folder.load_database().unwrap()).unwrap();
        fs::write(&path, known[1].to_line(&before).unwrap()).unwrap();
        assert_eq!(read(&folder).unwrap(), known[1..]);
        seal_anew(&folder).unwrap();
        assert_eq!(read(&folder).unwrap(), known[1..]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            (text.lines()).all(|line| KnownCapability::from_line(
                line,
                std::slice::from_ref(&before)
            )
            .is_none())
        );
        let key = HEXLOWER.encode(&known[1].key.to_bytes());
        fs::write(
            &path,
            format!("\n{key} {} 201301006.01\n", known[1].created_at),
        )
        .unwrap();
        assert_eq!(read(&folder).unwrap(), known[1..]);
    }
}
