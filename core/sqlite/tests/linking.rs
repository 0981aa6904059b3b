//! A program that links this crate without calling it still gets our provider, not a missing symbol.
#![allow(clippy::unwrap_used, reason = "tests")]

use testigo_sqlite as _;

#[test]
fn a_program_that_only_links_the_crate_has_the_provider() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch("PRAGMA key = 'any'").unwrap();
    let provider: String = db
        .query_row("PRAGMA cipher_provider", [], |row| row.get(0))
        .unwrap();
    assert_eq!(provider, "rustcrypto");
}
