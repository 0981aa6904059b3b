//! Enrolment codes on paper: a PDF to print and cut, eight a page.

use crate::failure::Failure;
use crate::hq;
use crate::outcome::Outcome;
use pdf_writer::types::LineCapStyle;
use pdf_writer::{Content, Name, Pdf, Rect, Ref, Str};
use qrcode::{Color, EcLevel, QrCode};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use testigo_wire::{ElectionPack, Invitation, Language, TableId};
use zeroize::Zeroizing;

/// A4, in points of a 72nd of an inch.
const PAGE: (f32, f32) = (595.0, 842.0);
const COLUMNS: usize = 2;
const ROWS: usize = 4;
/// Between a cell's border and what is in it.
const MARGIN: f32 = 18.0;
/// The side of a QR code: 44 mm.
const SIDE: f32 = 125.0;
/// The longest list of tables, in bytes: 30,000 lines of a hundred letters.
const MAX_LIST: u64 = 4 * 1024 * 1024;
/// Letters of the typed code in a line.
const LINE: usize = 48;

/// Makes a code for each table of `tables`, which is `all` or a CSV file, and writes them as a PDF.
pub fn enrol(
    data: &Path,
    tables: &str,
    out: &Path,
    language: Language,
) -> Result<Outcome, Failure> {
    let listed = match tables {
        "all" => testigo_hq::table_ids(data)?,
        file => listed(Path::new(file))?,
    };
    if listed.is_empty() {
        return Err(Failure::said(
            format!(
                "En {tables} no hay ninguna mesa: no se hizo ningún código. Cada línea empieza por una, como 201301006.01."
            ),
            format!(
                "There is no table in {tables}: no code was made. Each line begins with one, such as 201301006.01."
            ),
        ));
    }
    let wanted: Vec<Option<TableId>> = listed.into_iter().map(Some).collect();
    let mut written = false;
    let kept = testigo_hq::invite_all(data, &wanted, |invitations, pack| {
        let bytes = Zeroizing::new(pdf(invitations, pack, language)?);
        hq::write_secret(out, &bytes)?;
        written = true;
        Ok::<_, Failure>(())
    });
    if kept.is_err() && written {
        // Codes that headquarters do not know would only send witnesses away.
        let _ = std::fs::remove_file(out);
    }
    kept?;
    let (count, shown) = (wanted.len(), out.display());
    Ok(Outcome::clean(
        vec![language.pick(
            format!("Códigos de inscripción: {count}, en {shown}. Imprima, recorte, entregue en mano y borre el archivo."),
            format!("Enrolment codes: {count}, in {shown}. Print, cut, hand over in person, and delete the file."),
        )],
        json!({ "file": out, "codes": count }),
    ))
}

/// The tables of a CSV file's first column; a first line that names the column is passed over.
fn listed(path: &Path) -> Result<Vec<TableId>, Failure> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_LIST).read_to_string(&mut text))
        .map_err(Failure::file(path))?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut tables = Vec::new();
    for (n, row) in reader.records().enumerate() {
        let row = row.map_err(Failure::foreign)?;
        let first = row.get(0).unwrap_or_default();
        match TableId::new(first) {
            Ok(table) if first.contains(|letter: char| letter.is_ascii_digit()) => {
                tables.push(table);
            }
            _ if n == 0 => {}
            _ => return Err(hq::no_table(first)),
        }
    }
    Ok(tables)
}

/// A PDF with the codes in their order.
///
/// # Errors
/// Where a code fits no QR code, which no invitation's does.
pub fn pdf(
    invitations: &[Invitation],
    pack: &ElectionPack,
    language: Language,
) -> Result<Vec<u8>, Failure> {
    let mut numbers = (1..).map(Ref::new);
    let mut next = || numbers.next().unwrap_or(Ref::new(1));
    let (catalog, tree, sans, mono) = (next(), next(), next(), next());
    let mut pdf = Pdf::new();
    for (id, font) in [(sans, "Helvetica-Bold"), (mono, "Courier")] {
        pdf.type1_font(id)
            .base_font(Name(font.as_bytes()))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    let mut pages = Vec::new();
    for sheet in invitations.chunks(COLUMNS * ROWS) {
        let (page, content) = (next(), next());
        pages.push(page);
        let mut drawn = Content::new();
        cutting_lines(&mut drawn);
        for (n, invitation) in sheet.iter().enumerate() {
            cell(&mut drawn, n, invitation, pack, language)?;
        }
        pdf.stream(content, &drawn.finish());
        let mut writing = pdf.page(page);
        writing
            .media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1))
            .parent(tree)
            .contents(content);
        writing
            .resources()
            .fonts()
            .pair(Name(b"S"), sans)
            .pair(Name(b"M"), mono);
    }
    pdf.catalog(catalog).pages(tree);
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(pages).count(count);
    Ok(pdf.finish())
}

fn cutting_lines(drawn: &mut Content) {
    let (width, height) = (PAGE.0 / COLUMNS as f32, PAGE.1 / ROWS as f32);
    drawn.set_line_width(0.4);
    drawn.set_line_cap(LineCapStyle::ButtCap);
    drawn.set_dash_pattern([4.0, 4.0], 0.0);
    for column in 1..COLUMNS {
        drawn.move_to(width * column as f32, 0.0);
        drawn.line_to(width * column as f32, PAGE.1);
    }
    for row in 1..ROWS {
        drawn.move_to(0.0, height * row as f32);
        drawn.line_to(PAGE.0, height * row as f32);
    }
    drawn.stroke();
}

fn cell(
    drawn: &mut Content,
    n: usize,
    invitation: &Invitation,
    pack: &ElectionPack,
    language: Language,
) -> Result<(), Failure> {
    let (width, height) = (PAGE.0 / COLUMNS as f32, PAGE.1 / ROWS as f32);
    let left = width * (n % COLUMNS) as f32 + MARGIN;
    let top = PAGE.1 - height * (n / COLUMNS) as f32 - MARGIN;
    let text = invitation.to_text();
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M)
        .map_err(Failure::foreign)?;
    let modules = code.width();
    let module = SIDE / modules as f32;
    // In modules, from the top left corner down: each row's runs of dark ones.
    drawn.save_state();
    drawn.transform([module, 0.0, 0.0, -module, left, top]);
    for (y, row) in code.into_colors().chunks(modules).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                drawn.rect(x as f32, y as f32, run.len() as f32, 1.0);
            }
            x += run.len();
        }
    }
    drawn.fill_nonzero();
    drawn.restore_state();

    // A QR code needs four modules of white around it (ISO/IEC 18004).
    let white = 5.0 * module;
    let beside = left + SIDE + white;
    let table = invitation.table.as_ref();
    let place = table.and_then(|table| pack.table(table));
    let mut lines = Vec::new();
    if pack.is_practice() {
        lines.push("PRÁCTICA · PRACTICE".to_owned());
    }
    lines.push(
        language
            .pick3("TESTIGO · Mesa", "TESTIGO · Table", "TESTIGO · Seção")
            .to_owned(),
    );
    let of_table = lines.len();
    lines.push(table.map_or_else(|| "-".to_owned(), ToString::to_string));
    if let Some(place) = place {
        let centre = &place.centre.name;
        let parts = std::iter::once(centre.as_str()).chain(place.areas().into_iter().rev());
        for part in parts.filter(|part| !part.is_empty()) {
            lines.extend(wrapped(part, 24));
        }
    }
    for (n, line) in lines.iter().take(10).enumerate() {
        let size = if n == of_table { 13.0 } else { 8.0 };
        write(
            drawn,
            b"S",
            size,
            (beside, top - 10.0 - 13.0 * n as f32),
            line,
        );
    }
    let below = top - SIDE - white - 6.0;
    for (n, line) in wrapped(&text, LINE).iter().enumerate() {
        write(drawn, b"M", 8.0, (left, below - 10.0 * n as f32), line);
    }
    Ok(())
}

/// Cut wherever a line is full: so the code's lines are one long word.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters
        .chunks(most)
        .map(|line| line.iter().collect())
        .collect()
}

fn write(drawn: &mut Content, font: &[u8], size: f32, at: (f32, f32), text: &str) {
    // Latin-1 is a part of the font's encoding; what is outside it is shown as a question mark.
    let bytes: Vec<u8> = (text.chars())
        .map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?'))
        .collect();
    drawn
        .begin_text()
        .set_font(Name(font), size)
        .next_line(at.0, at.1)
        .show(Str(&bytes))
        .end_text();
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use data_encoding::HEXUPPER;
    use testigo_scan::{GrayImage, scan};
    use testigo_wire::{Capability, ElectionId, PollingTable, RootId};

    /// A cell's, in pixels.
    const WIDTH: usize = PAGE.0 as usize * 3 / COLUMNS + 1;
    const HEIGHT: usize = PAGE.1 as usize * 3 / ROWS + 1;

    fn pack() -> ElectionPack {
        ElectionPack {
            tables: vec![PollingTable::in_areas(
                TableId::new("201301006.01").unwrap(),
                1,
                ["EDO. ÑANDÚ", "MP. UNO", "CM. DOS"],
            )],
            ..ElectionPack::new(ElectionId([1; 8]), "Ejemplo")
        }
    }

    fn invitations(n: usize) -> Vec<Invitation> {
        let one = |_| Invitation {
            capability: Capability::random().unwrap(),
            root: RootId([2; 16]),
            election: ElectionId([1; 8]),
            table: Some(TableId::new("201301006.01").unwrap()),
        };
        (0..n).map(one).collect()
    }

    /// What a printer would make of the rectangles of each cell, and scissors of its page: three pixels a point.
    fn printed_and_cut(pdf: &[u8]) -> Vec<Vec<u8>> {
        let text = String::from_utf8_lossy(pdf);
        let pages = text.split("stream\n").skip(1).step_by(2);
        let page = |stream: &str| {
            let mut cells = vec![vec![255; WIDTH * HEIGHT]; COLUMNS * ROWS];
            let mut moved = Vec::new();
            for line in stream.lines() {
                let numbers: Vec<f32> = (line.split(' '))
                    .map_while(|number| number.parse().ok())
                    .collect();
                if line.ends_with(" cm") {
                    moved = numbers;
                    continue;
                }
                if !line.ends_with(" re") {
                    continue;
                }
                let pixel = |points: f32| (points * 3.0).round() as usize;
                let across = |modules: f32| pixel(moved[4] + modules * moved[0]);
                let down = |modules: f32| pixel(PAGE.1 - moved[5] - modules * moved[3]);
                let (left, right) = (across(numbers[0]), across(numbers[0] + numbers[2]));
                let (top, bottom) = (down(numbers[1]), down(numbers[1] + numbers[3]));
                let cell = &mut cells[top / HEIGHT * COLUMNS + left / WIDTH];
                for y in top..bottom {
                    cell[y % HEIGHT * WIDTH..][left % WIDTH..][..right - left].fill(0);
                }
            }
            cells
        };
        pages.flat_map(page).collect()
    }

    #[test]
    fn every_code_of_every_page_is_read_back_from_what_is_drawn() {
        let invitations = invitations(11);
        let bytes = pdf(&invitations, &pack(), Language::Es).unwrap();
        let cells = printed_and_cut(&bytes);
        assert_eq!(cells.len(), 16);
        let mut read = Vec::new();
        for pixels in cells {
            let image = GrayImage::new(&pixels, WIDTH as u32, HEIGHT as u32, WIDTH).unwrap();
            read.extend(
                scan(&image)
                    .into_iter()
                    .map(|code| code.text_lossy().into_owned()),
            );
        }
        let expected: Vec<String> = (invitations.iter())
            .map(|invitation| invitation.to_text().to_string())
            .collect();
        assert_eq!(read, expected);
        // What is typed stands there, too, and the table with its place.
        let shown = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        assert!(shown(b"(201301006.01)") && shown(&expected[0].as_bytes()[..LINE]));
        let place = HEXUPPER.encode(b"EDO. \xd1AND\xda");
        assert!(shown(place.as_bytes()));
    }
}
