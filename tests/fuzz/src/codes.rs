//! Texts of QR codes and what people type.

use std::sync::OnceLock;
use testigo_hq::PackSource;
use testigo_wire::{ElectionId, ElectionPack, Invitation, Pseudonym, Series, TableId, Time};

fn pack() -> &'static ElectionPack {
    static PACK: OnceLock<ElectionPack> = OnceLock::new();
    PACK.get_or_init(|| {
        let source = PackSource::venezuela_2024().expect("the pack that is built in");
        source.into_pack(ElectionId([4; 8]))
    })
}

/// Enrolment codes, series of a bundle's codes, identifiers, names, times.
pub fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Invitation::from_text(&text);
    let _ = TableId::new(&text);
    let _ = Pseudonym::new(&text);
    let _ = Time::from_rfc3339(&text);
    let mut series = Series::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        let _ = series.add(line);
    }
    let _ = (series.missing(), series.finish());
}

/// The texts of a sheet's codes, one a line.
pub fn tally(bytes: &[u8]) {
    let texts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    for pack in [None, Some(pack())] {
        if let Ok(tally) = testigo_tally::read(&texts, pack) {
            let _: Vec<_> = tally.doubts.iter().map(|doubt| doubt.warning()).collect();
        }
    }
}
