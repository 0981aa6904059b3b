use super::*;
use axum::body::{Body, Bytes};
use http_body_util::channel::Channel;
use rusqlite::params;
use tempfile::TempDir;

const ROOM: Room = Room {
    capability: 40,
    on_the_way: 40,
    reserve: 0,
};

/// Headquarters to which an envelope named this file.
fn headquarters(blob: &BlobRef) -> (TempDir, Arc<Blobs>) {
    let folder = tempfile::tempdir().unwrap();
    let headquarters = crate::stage::headquarters(&folder.path().join("hq"));
    let blobs = Blobs::open(&headquarters, Arc::new(crate::SystemClock), ROOM).unwrap();
    let named = blobs.sql(|store| {
        let db = store.begin()?;
        db.execute(
            "INSERT INTO arrival (id, eid, kind, received_at, code, receipt)
             VALUES (1, zeroblob(32), 1, 0, 0, x'')",
            [],
        )?;
        db.execute(
            "INSERT INTO named_blob (arrival, sha256, size) VALUES (1, ?1, ?2)",
            params![blob.sha256, blob.size as i64],
        )?;
        db.commit()
    });
    named.unwrap();
    (folder, blobs)
}

fn blob(bytes: &[u8]) -> BlobRef {
    BlobRef {
        sha256: Sha256::digest(bytes).into(),
        size: bytes.len() as u64,
    }
}

fn begin(blobs: &Arc<Blobs>, blob: &BlobRef, token: u8, now: i64) -> UploadId {
    let fresh = UploadId::random().unwrap();
    let begun = blobs.sql(|store| store.begin_upload(fresh, blob, &[token; 16], now, &blobs.room));
    match begun.unwrap() {
        crate::store::Begun::Upload(id, _) => id,
        _ => panic!("no upload"),
    }
}

#[tokio::test]
async fn what_is_unfinished_after_fourteen_days_goes_and_nothing_else() {
    let bytes = b"a sealed file";
    let blob = blob(bytes);
    let (_folder, blobs) = headquarters(&blob);
    let old = begin(&blobs, &blob, 1, 1_000);
    let busy = begin(&blobs, &blob, 2, 1_000);
    let young = begin(&blobs, &blob, 3, 1_001);
    for id in [old, busy, young] {
        fs::write(blobs.file(id), b"a sea").unwrap();
    }
    let stray = blobs.file(UploadId([9; 16]));
    fs::write(&stray, b"of no upload").unwrap();

    let turn = blobs.turns.wait(busy).await.unwrap();
    let now = 1_001 + UPLOAD_LIFE;
    assert_eq!(blobs.collect(now, SystemTime::now()), Ok(2));
    assert!(!blobs.file(old).exists() && !stray.exists());
    assert!(blobs.file(busy).exists() && blobs.file(young).exists());
    assert!(matches!(blobs.upload(old).await, Err(Problem::NOT_FOUND)));
    drop(turn);
    assert_eq!(blobs.collect(now, SystemTime::now()), Ok(1));
    assert!(!blobs.file(busy).exists() && blobs.file(young).exists());
    assert!(blobs.upload(young).await.is_ok());
}

#[tokio::test]
async fn headquarters_stopped_before_the_receipt_give_it_later() {
    let bytes = b"a sealed file";
    let blob = blob(bytes);
    let (_folder, blobs) = headquarters(&blob);
    let id = begin(&blobs, &blob, 1, 0);
    fs::write(blobs.file(id), bytes).unwrap();
    let turn = blobs.turns.wait(id).await.unwrap();
    let (offset, receipt) = blobs.where_to_go_on(id, turn).await.unwrap();
    assert_eq!(offset, blob.size);
    assert!(receipt.is_some());
    assert!(!blobs.file(id).exists());
    let held = blobs.held_folder.join(HEXLOWER.encode(&blob.sha256));
    assert_eq!(fs::read(held).unwrap(), bytes);
}

#[tokio::test]
async fn whoever_waits_takes_over_from_a_silent_link() {
    let bytes = b"a sealed file";
    let blob = blob(bytes);
    let (_folder, blobs) = headquarters(&blob);
    let id = begin(&blobs, &blob, 1, 0);
    // A body that sends five bytes and is then silent.
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(2);
    sender
        .send_data(Bytes::from_static(b"a sea"))
        .await
        .unwrap();
    let turn = blobs.turns.wait(id).await.unwrap();
    let chunk = tus::Chunk {
        offset: 0,
        declared: 0,
        checksum: None,
    };
    let body = Body::new(body);
    let writing = {
        let blobs = blobs.clone();
        tokio::spawn(async move { blobs.receive(id, turn, chunk, body).await })
    };
    let turn = blobs
        .turns
        .wait(id)
        .await
        .expect("the silent link keeps its turn");
    assert_eq!(writing.await.unwrap(), Err(Problem::LOCKED));
    // What had arrived stays.
    let (offset, _) = blobs.where_to_go_on(id, turn).await.unwrap();
    assert_eq!(offset, 5);
    drop(sender);
}

#[tokio::test]
async fn what_a_capability_may_send_is_bounded_and_the_records_part_of_the_disk_is_left() {
    let bytes = b"a sealed file";
    let blob = blob(bytes);
    let (_folder, blobs) = headquarters(&blob);
    let begun = |room: Room| {
        let fresh = UploadId::random().unwrap();
        let asked = blobs.sql(|store| store.begin_upload(fresh, &blob, &[7; 16], 0, &room));
        asked.unwrap()
    };
    let over = |begun| matches!(begun, crate::store::Begun::OverQuota);
    let (capability, on_the_way) = (blob.size, blob.size);
    let room = Room {
        capability,
        on_the_way,
        reserve: 0,
    };
    let small = |n: u64| n - 1;
    assert!(over(begun(Room {
        capability: small(capability),
        ..room
    })));
    assert!(over(begun(Room {
        on_the_way: small(on_the_way),
        ..room
    })));
    assert!(!over(begun(room)));
    // One that was begun goes on, whatever the bounds are now.
    assert!(!over(begun(Room {
        capability: 0,
        ..room
    })));
    assert!(room.on_disk(&blobs.uploads, 1));
    let full = Room {
        reserve: u64::MAX,
        ..room
    };
    assert!(!full.on_disk(&blobs.uploads, 0));
}
