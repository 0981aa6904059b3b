#!/usr/bin/env python3
"""Adds up files of results by another hand than the program's, and holds the program's sums against it.

    recount.py TESTIGO [RESULTS.csv ...]     without files it makes two of its own

`testigo tally bulletins --held` must find nothing in an official bulletin of exactly these sums, and a contradiction
as soon as it gives any one candidate one vote less.
"""

import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile

NULL = "VOTOS_NULOS"
VALID = "VOTOS_VALIDOS"


def read(path):
    """The heading and the rows; UTF-8, or else Latin-1."""
    data = pathlib.Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    rows = list(csv.reader(text.splitlines()))
    return rows[0], [dict(zip(rows[0], row)) for row in rows[1:]]


def recount(path):
    """Votes by candidate over all rows; each row's candidates must sum to its valid votes."""
    heading, rows = read(path)
    candidates = heading[heading.index(NULL) + 1 :]
    sums = dict.fromkeys(candidates, 0)
    for row in rows:
        votes = {candidate: int(row[candidate]) for candidate in candidates}
        assert sum(votes.values()) == int(row[VALID]), row
        for candidate, n in votes.items():
            sums[candidate] += n
    return rows, sums


def findings(testigo, folder, sums, path):
    """What the program says of one bulletin with these sums beside the file."""
    series = folder / "series.csv"
    lines = [["bulletin", "records", *sums], ["made up", "100", *sums.values()]]
    series.write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n")
    ended = subprocess.run(
        [testigo, "--json", "tally", "bulletins", series, "--held", path], stdout=subprocess.PIPE, check=False
    )
    said = json.loads(ended.stdout)
    assert said["faults"] == [], said
    return ended.returncode, [one["code"] for one in said["findings"] if one["impossible"]]


def made_up(folder):
    """Results by table in Latin-1, and sums by state in UTF-8."""
    rng = random.Random(7)
    candidates = ["ANA", "BERTA", "CARLOS"]
    tables = folder / "tables.csv"
    with tables.open("w", encoding="latin-1", newline="") as out:
        write = csv.writer(out)
        write.writerow(["ESTADO", "CENTRO", "MESA", "RE", VALID, NULL, *candidates])
        for n in range(300):
            votes = [rng.randrange(400) for _ in candidates]
            place = rng.choice(["Táchira", "Mérida", "Zulia"])
            write.writerow([place, f"{n:09}", 1, 2000, sum(votes), rng.randrange(9), *votes])
    states = folder / "states.csv"
    with states.open("w", encoding="utf-8", newline="") as out:
        write = csv.writer(out)
        write.writerow(["estado", VALID, NULL, *candidates])
        for n in range(24):
            votes = [rng.randrange(400_000) for _ in candidates]
            write.writerow([f"{n} ñ", sum(votes), rng.randrange(99), *votes])
    return [tables, states]


def main(testigo, files):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in files or made_up(folder):
            rows, sums = recount(path)
            assert findings(testigo, folder, sums, path) == (0, []), path
            for candidate in sums:
                if sums[candidate] == 0:
                    continue
                less = {**sums, candidate: sums[candidate] - 1}
                assert findings(testigo, folder, less, path) == (1, ["below-held"]), (path, candidate)
            votes = ", ".join(f"{candidate} {n:,}" for candidate, n in sums.items())
            print(f"{pathlib.Path(path).name}: {len(rows)} rows, {sum(sums.values()):,} votes: {votes}")


main(sys.argv[1], sys.argv[2:])
