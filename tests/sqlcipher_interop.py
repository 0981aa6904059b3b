#!/usr/bin/env python3
"""Do our database files and those of SQLCipher on OpenSSL open each other?

    python3 -m venv /tmp/interop && /tmp/interop/bin/pip install sqlcipher3-wheels
    cargo build -p testigo-sqlite --example interop
    /tmp/interop/bin/python tests/sqlcipher_interop.py target/debug/examples/interop

Exit status: 0 everything agrees, 1 something differs (named on stderr), 2 cannot start.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

# The same values stand in core/sqlite/examples/interop.rs.
KEY = f"x'{'5a' * 32}'"
PASSPHRASE = "correct horse battery staple"
SPELLINGS = {"key": KEY, "passphrase": PASSPHRASE}
APPLICATION = 0x7E570001
ROWS = 100
SCHEMA = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"


class Mismatch(Exception):
    """What differs, in one line."""


def expected_rows():
    return [(i, f"row {i} " * (i * 10)) for i in range(1, ROWS + 1)]


def connect(sqlcipher, path, kind):
    db = sqlcipher.connect(str(path))
    db.execute(f'PRAGMA key = "{SPELLINGS[kind]}"')
    return db


def ours(program, action, kind, path):
    run = subprocess.run([program, action, kind, str(path)], capture_output=True, text=True)
    if run.returncode != 0:
        raise Mismatch(f"our {action} with a {kind} failed: {run.stderr.strip() or run.returncode}")


def check_theirs(sqlcipher, path, kind):
    db = connect(sqlcipher, path, kind)
    try:
        findings = db.execute("PRAGMA cipher_integrity_check").fetchall()
        if findings:
            raise Mismatch(f"cipher_integrity_check of our file ({kind}): {findings[0][0]}")
        check = db.execute("PRAGMA integrity_check").fetchall()
        if check != [("ok",)]:
            raise Mismatch(f"integrity_check of our file ({kind}): {check[0][0]}")
        if db.execute("SELECT id, text FROM note ORDER BY id").fetchall() != expected_rows():
            raise Mismatch(f"the rows of our file ({kind}) differ")
        if kind == "key":
            mark = db.execute("PRAGMA application_id").fetchone()[0] & 0xFFFFFFFF
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if (mark, version) != (APPLICATION, 1):
                raise Mismatch(f"our file has application_id {mark:#x} and user_version {version}")
    finally:
        db.close()


def write_theirs(sqlcipher, path, kind):
    db = connect(sqlcipher, path, kind)
    db.execute(SCHEMA)
    db.executemany("INSERT INTO note VALUES (?, ?)", expected_rows())
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()


def check_wrong_key(sqlcipher, program, folder):
    path = folder / "wrong-key.db"
    write_theirs(sqlcipher, path, "passphrase")
    before = path.read_bytes()
    run = subprocess.run([program, "read", "key", str(path)], capture_output=True, text=True)
    if run.returncode == 0 or "wrong key" not in run.stderr:
        raise Mismatch(f"our read of a file under another key: {run.stderr.strip() or 'it opened'}")
    if path.read_bytes() != before:
        raise Mismatch("our refused read changed the file")


def main():
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        print("usage: sqlcipher_interop.py PATH_OF_THE_BUILT_EXAMPLE", file=sys.stderr)
        return 2
    try:
        import sqlcipher3.dbapi2 as sqlcipher
    except ImportError:
        print("sqlcipher3 is missing: pip install sqlcipher3-wheels", file=sys.stderr)
        return 2
    program = str(Path(sys.argv[1]).resolve())

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        other = connect(sqlcipher, folder / "version.db", "key")
        version = other.execute("PRAGMA cipher_version").fetchone()[0]
        provider = other.execute("PRAGMA cipher_provider").fetchone()[0]
        other.close()
        print(f"against SQLCipher {version} on {provider}")
        try:
            if provider == "rustcrypto":
                raise Mismatch("the other side is our own provider: this would prove nothing")
            for kind in SPELLINGS:
                path = folder / f"ours-{kind}.db"
                ours(program, "write", kind, path)
                check_theirs(sqlcipher, path, kind)
                print(f"ok: ours with a {kind} -> theirs: {ROWS} rows, both integrity checks")
                path = folder / f"theirs-{kind}.db"
                write_theirs(sqlcipher, path, kind)
                ours(program, "read", kind, path)
                print(f"ok: theirs with a {kind} -> ours: {ROWS} rows, cipher_integrity_check")
            check_wrong_key(sqlcipher, program, folder)
            print("ok: theirs under another key is refused by ours and left as it was")
        except (Mismatch, sqlcipher.Error) as error:
            print(f"MISMATCH: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
