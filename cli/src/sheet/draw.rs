//! A practice tally sheet, laid out like the long thermal receipt of a voting machine.

use image::GrayImage;
use testigo_wire::ElectionPack;

use super::SheetError;
use super::canvas::Canvas;
use super::chance::Chance;

/// Pixels across the paper: 80 mm at about 300 dots an inch.
const WIDTH: u32 = 960;

/// Scale of the body text: 48 letters a line.
const BODY: u32 = 2;

/// Pixels a module of the QR code.
const MODULE: u32 = 8;

/// What a practice sheet says.
///
/// Texts longer than a line are cut off; letters outside Latin-1 come out as question marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The code of the voting centre.
    pub centre: String,
    /// The number of the table in the centre.
    pub table: String,
    /// Where the centre is, a line each: state, municipality, parish, name.
    pub place: Vec<String>,
    /// A label and its votes, a line each.
    pub rows: Vec<(String, u32)>,
    /// Null votes.
    pub null_votes: u32,
    /// What the QR code carries, byte for byte.
    pub qr_text: Vec<u8>,
}

impl Sheet {
    /// The sheet that has this text in its QR code, as the machine prints it; nothing where the text
    /// is no tally of a table of this election.
    pub fn printed(text: &str, pack: &ElectionPack) -> Option<Self> {
        let tally = testigo_tally::read(&[text.as_bytes()], Some(pack)).ok()?;
        let place = pack.table(&tally.table)?;
        let (centre, table) = tally.table.as_str().split_once('.')?;
        Some(Self {
            centre: centre.to_owned(),
            table: table.to_owned(),
            place: place.areas().into_iter().map(str::to_owned).collect(),
            rows: (tally.candidates.iter())
                .map(|c| (c.name.clone(), u32::try_from(c.votes).unwrap_or(u32::MAX)))
                .collect(),
            null_votes: tally.null_votes().unwrap_or(0),
            qr_text: text.as_bytes().to_vec(),
        })
    }

    /// Draws the sheet: 960 pixels wide, as high as it needs to be.
    ///
    /// # Errors
    /// [`SheetError::QrTooLong`] if no QR code holds `qr_text`.
    pub fn draw(&self) -> Result<GrayImage, SheetError> {
        let mut paper = Canvas::new(WIDTH);
        paper.feed(60);
        practice_mark(&mut paper);
        paper.line("ACTA DE ESCRUTINIO", 3);
        paper.feed(30);
        for line in &self.place {
            body(&mut paper, line);
        }
        body(
            &mut paper,
            &format!("CENTRO {}  MESA {}", self.centre, self.table),
        );
        rule(&mut paper);
        votes(&mut paper, "CANDIDATO", "VOTOS");
        paper.feed(10);
        for (label, count) in &self.rows {
            votes(&mut paper, label, &count.to_string());
        }
        rule(&mut paper);
        let valid: u64 = self.rows.iter().map(|(_, count)| u64::from(*count)).sum();
        let cast = valid + u64::from(self.null_votes);
        votes(&mut paper, "VOTOS VÁLIDOS", &valid.to_string());
        votes(&mut paper, "VOTOS NULOS", &self.null_votes.to_string());
        votes(&mut paper, "TOTAL DE VOTOS", &cast.to_string());
        rule(&mut paper);
        signatures(&mut paper, self.qr_text.len() as u64);
        paper.feed(30);
        paper.qr(&self.qr_text, MODULE)?;
        practice_mark(&mut paper);
        paper.feed(30);
        Ok(paper.into_image())
    }
}

fn practice_mark(paper: &mut Canvas) {
    paper.band("PRÁCTICA · PRACTICE", 4);
    paper.band("NO ES UN ACTA · NOT A TALLY SHEET", 2);
    paper.feed(30);
}

fn body(paper: &mut Canvas, text: &str) {
    paper.line(text, BODY);
    paper.feed(4);
}

fn rule(paper: &mut Canvas) {
    paper.feed(6);
    paper.line(&"-".repeat(paper.columns(BODY) - 2), BODY);
    paper.feed(6);
}

/// A label, dots up to the right edge, a number.
fn votes(paper: &mut Canvas, label: &str, count: &str) {
    let room = paper
        .columns(BODY)
        .saturating_sub(4 + count.chars().count());
    let label: String = label.chars().take(room).collect();
    let dots = ".".repeat(room - label.chars().count());
    body(paper, &format!("{label} {dots} {count}"));
}

/// Two scrawls over two lines to sign on.
fn signatures(paper: &mut Canvas, seed: u64) {
    let mut chance = Chance::from_seed(seed);
    paper.line("FIRMAS DE LOS MIEMBROS", BODY);
    paper.feed(150);
    for left in [110.0, 560.0] {
        let points = scrawl(&mut chance);
        paper.stroke(points.map(|(x, y)| (left + x, 60.0 + y)));
    }
    paper.line("__________________  __________________", BODY);
    body(paper, "PRESIDENTE          SECRETARIO    ");
}

/// A curve like a hasty signature, about 300 pixels wide: tall loops that run to the right, lean
/// and fade into a line.
fn scrawl(chance: &mut Chance) -> impl Iterator<Item = (f64, f64)> + use<> {
    let loops = chance.between(34.0, 60.0);
    let swell = chance.between(7.0, 16.0);
    let turn = chance.between(0.0, 6.0);
    let lean = chance.between(0.3, 0.9);
    (0..8_000).map(move |step| {
        let along = f64::from(step) / 8_000.0;
        let height = (1.0 - 0.8 * along) * (24.0 + 20.0 * (swell * along + turn).sin());
        let up = height * (loops * along + turn).sin();
        let across = 270.0 * along + 0.6 * height * (loops * along + turn).cos() + lean * up;
        (across, up)
    })
}
