//! Elections from their files: the example with its places and catalogue, faults of a pack, and the twin for practice,
//! with real processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::path::{Path, PathBuf};
use support::{Headquarters, Phone, Proxy, get, run};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/example-election");
const TABLE: &str = "01001.02";
const SHEET: &str = "01001.02!120,98,7,3!2";

fn pack_toml() -> String {
    Path::new(EXAMPLE).join("pack.toml").display().to_string()
}

fn page(hq: &Headquarters, path: &str) -> String {
    let answer = get(hq.address(), path);
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body).unwrap()
}

fn enrolled(hq: &Headquarters, home: PathBuf, table: &str) -> Phone {
    let image = home.with_extension("png");
    hq.invite(table, &image);
    let phone = Phone::init(home);
    phone.enrol(&image, &hq.public()).done();
    phone
}

#[test]
fn the_example_election_runs_from_its_files_to_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::open();
    let pack = pack_toml();
    let options = ["--pack", &pack, "--endpoint", &proxy.url()];
    let mut hq = Headquarters::init_with(folder.path().join("hq"), &options);
    proxy.lead_to(hq.serve(0));
    let phone = enrolled(&hq, folder.path().join("phone"), TABLE);

    // The catalogue is the election's: an entry of its own, and another weight of a built-in one.
    let entry = phone.run(&["catalogue", "60"]).done().json();
    assert_eq!(entry["fields"][0]["name"], "waiting");
    assert_eq!(entry["fields"][0]["required"], true);
    assert_eq!(
        phone.run(&["catalogue", "21"]).done().json()["severity"],
        "high"
    );
    let said = phone.run_in("pt", &["catalogue", "60"]).done().json();
    assert_eq!(said["label"], "estrada alagada");

    // A detail is asked for by name, and one that is doubtful is saved with a warning.
    let unknown = phone.run(&["report", "60", "--field", "people=4"]);
    assert_eq!(unknown.status, Some(2));
    let sentence = unknown.out.clone() + &unknown.err;
    assert!(
        sentence.contains("people") && sentence.contains("waiting"),
        "{sentence}"
    );
    let saved = phone
        .run(&[
            "report",
            "60",
            "--field",
            "waiting=many",
            "--field",
            "depth=knee",
        ])
        .done()
        .json();
    assert_eq!(saved["warnings"], serde_json::json!([19]));
    let saved = phone.run(&["report", "60"]).done().json();
    assert_eq!(saved["warnings"], serde_json::json!([20]));
    let count = [
        "report",
        "90",
        "--field",
        "hour=10:00",
        "--field",
        "voters=212",
    ];
    let saved = phone.run(&count).done().json();
    assert_eq!(saved["warnings"], serde_json::json!([]));
    phone.tally(SHEET);
    phone.sync_all_well();

    let shown = hq.held();
    let incidents = shown.incidents();
    let of = |code: u64| {
        incidents
            .iter()
            .filter(|i| i["code"] == code)
            .collect::<Vec<_>>()
    };
    let check_in = of(90);
    assert_eq!(check_in[0]["details"][1]["field"], "voters");
    assert_eq!(check_in[0]["details"][1]["value"], "212");
    assert_eq!(
        check_in[0]["place"],
        "Estado Norte, Municipio del Río, Parroquia Puerto, Escuela Básica Puerto Viejo"
    );
    assert_eq!(of(60).len(), 2);
    let depth = &of(60)[1]["details"][1];
    assert_eq!(
        (&depth["value"], &depth["shown"]["pt"]),
        (&"knee".into(), &"ao joelho".into())
    );
    let table = shown.table(TABLE);
    assert_eq!(table["state"], "reported");
    assert_eq!(table["centre"]["name"], "Escuela Básica Puerto Viejo");
    let document = hq.run(&["table"]).done().json();
    let areas = document["results"]["areas"].as_array().unwrap();
    assert_eq!(areas.len(), 2);
    assert_eq!(
        (&areas[0]["expected"], &areas[0]["reported"]),
        (&4.into(), &1.into())
    );
    assert_eq!(areas[0]["votes"][0]["votes"], 127);
    assert_eq!(document["results"]["election"]["practice"], false);

    // Who chose no language reads that of the election, and times are its own.
    let page = page(&hq, "/?lang=fr");
    assert!(page.contains("Escuela Básica Puerto Viejo") && page.contains("Estado Sur"));
    assert!(
        page.contains("-04:00") && !page.contains("PRÁCTICA"),
        "{page}"
    );
}

#[test]
fn every_fault_of_a_pack_is_told_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(EXAMPLE).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let tables = folder.path().join("tables.csv");
    let text = std::fs::read_to_string(&tables).unwrap();
    std::fs::write(
        &tables,
        text.replace("634", "-634")
            .replace("02001,701", "02009,701"),
    )
    .unwrap();
    let data = folder.path().join("hq");
    let pack = folder.path().join("pack.toml");
    let (data_dir, pack) = (data.to_str().unwrap(), pack.to_str().unwrap());
    let refused = run(&[
        "--lang", "en", "hq", "--data", data_dir, "init", "--pack", pack,
    ]);
    assert_eq!(refused.status, Some(2));
    for line in [
        "tables.csv, line 4, column 3 (registered): \"-634\" is no whole number",
        "tables.csv, line 6, column 2 (centre): no centre has the code \"02009\"",
    ] {
        assert!(refused.err.contains(line), "{}", refused.err);
    }
    let faults = &refused.json()["error"]["faults"];
    assert_eq!(faults.as_array().unwrap().len(), 2, "{faults}");
    assert_eq!(
        (&faults[0]["file"], &faults[0]["line"]),
        (&"tables.csv".into(), &4.into())
    );
    assert_eq!(
        (&faults[1]["column"], &faults[1]["name"]),
        (&2.into(), &"centre".into())
    );
    assert!(!data.exists());
}

#[test]
fn practice_and_the_election_never_count_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::open();
    let pack = pack_toml();
    let url = proxy.url();
    let options = ["--pack", &pack, "--endpoint", &url];
    let mut real = Headquarters::init_with(folder.path().join("real"), &options);
    let mut twin = Headquarters::init_with(
        folder.path().join("twin"),
        &[&options[..], &["--practice"]].concat(),
    );
    let of_twin = enrolled(&twin, folder.path().join("practice-phone"), TABLE);
    let of_real = enrolled(&real, folder.path().join("real-phone"), TABLE);
    of_twin.tally(SHEET);
    of_real.tally(SHEET);

    // The same address, and behind it the wrong headquarters.
    proxy.lead_to(real.serve(0));
    let told = of_twin.sync();
    assert_eq!(told["practice"], true);
    assert_eq!(
        (&told["delivered"], &told["remaining"]),
        (&0.into(), &1.into())
    );
    let said = of_twin.run_in("en", &["sync"]);
    let said = said.out.clone() + &said.err;
    assert!(said.contains("another election"), "{said}");
    assert_eq!(real.held().table(TABLE)["state"], "expected");
    of_real.sync_all_well();
    assert_eq!(real.held().table(TABLE)["readings"], 1);
    assert!(!page(&real, "/?lang=es").contains("PRÁCTICA"));
    real.kill();

    proxy.lead_to(twin.serve(0));
    let (_, second) = of_real.tally("01001.02!121,98,7,3!2");
    assert_eq!(second.get("practice"), None);
    let told = of_real.sync();
    assert_eq!(
        (&told["delivered"], &told["remaining"]),
        (&0.into(), &1.into())
    );
    assert_eq!(twin.held().table(TABLE)["state"], "expected");

    // Its own phone is counted there, and everything says what it is.
    of_twin.run(&["sync", "--all"]).done();
    assert_eq!(twin.held().table(TABLE)["state"], "reported");
    let status = of_twin.run_in("pt", &["status"]);
    assert!(status.out.contains("\"practice\":true"), "{}", status.out);
    let table = twin.run(&["table"]).done().json();
    assert_eq!(table["results"]["election"]["practice"], true);
    let name = table["results"]["election"]["name"].as_str().unwrap();
    assert!(name.contains("PRÁCTICA · PRACTICE"), "{name}");
    assert!(page(&twin, "/?lang=es").contains("Nada de esta página cuenta"));
}
