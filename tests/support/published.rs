use super::Chance;
use std::fmt::Write as _;

const CANDIDATES: [&str; 10] = [
    "EG", "NM", "LM", "JABE", "JOBR", "AE", "CF", "DC", "EM", "BERA",
];

/// A published file of this many made-up tables of three states, in the columns of Venezuela 2024.
pub fn published(tables: usize) -> String {
    let mut chance = Chance::new();
    let mut text = format!(
        "COD_EDO,EDO,COD_MUN,MUN,COD_PAR,PAR,CENTRO,MESA,RE,VOTOS_VALIDOS,VOTOS_NULOS,{}\n",
        CANDIDATES.join(",")
    );
    for n in 0..tables {
        let votes: Vec<u64> = (0..10)
            .map(|c| 1 + chance.below(if c < 2 { 400 } else { 9 }))
            .collect();
        let (valid, state) = (votes.iter().sum::<u64>(), n % 3 + 1);
        let votes = votes
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let (centre, null) = (state * 10_000_000 + n / 3 + 1, n % 2);
        let registered = valid + 100;
        writeln!(
            text,
            "{state},EDO. PEÑA {state},1,MP. UNO,1,PQ. {n},{centre},{},{registered},{valid},{null},{votes}",
            n / 3 % 4 + 1
        )
        .unwrap();
    }
    text
}
