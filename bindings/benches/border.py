#!/usr/bin/env python3
"""What the border costs Python: border.py TARGET-FOLDER, after `cargo bench -p testigo-bindings`.

Runs the calls of border.rs in Python and gives each as a ratio to the same call in Rust. The wheel that is
installed must be an optimised one (`maturin build --release`).
"""

import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python" / "tests"))

import testigo  # noqa: E402
from headquarters import Stage  # noqa: E402


def median_ns(call, rounds, calls):
    """The middle of so many rounds, each of so many calls."""

    def one_round():
        start = time.perf_counter_ns()
        for _ in range(calls):
            call()
        return (time.perf_counter_ns() - start) / calls

    one_round()
    return statistics.median(one_round() for _ in range(rounds))


def refused(call):
    def run():
        try:
            call()
        except testigo.TestigoError.Input:
            return
        raise AssertionError("not refused")

    return run


def main(target):
    os.environ.setdefault("TESTIGO", str(target / "release" / "testigo"))
    scanner = testigo.Scanner()
    frame = bytes([255]) * (1280 * 720)
    pixel = frame[:1]
    none = testigo.Rotation.NONE
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(pathlib.Path(folder))
        phone = stage.phone()
        report = testigo.ReportInput(code=21, note="two blocks dark")
        calls = {
            "call": (testigo.library_version, 30, 2_000),
            "frame-refused": (refused(lambda: scanner.scan(frame, 1280, 720, 1, none)), 30, 500),
            "pixel-refused": (refused(lambda: scanner.scan(pixel, 1280, 720, 1, none)), 30, 500),
            "frame-scanned": (lambda: scanner.scan(frame, 1280, 720, 1280, none), 10, 1),
            "capture": (lambda: phone.report(report), 20, 10),
        }
        print(f"{'':14} {'Rust':>12} {'Python':>12} {'ratio':>7} {'more':>10}")
        for name, (call, rounds, number) in calls.items():
            python = median_ns(call, rounds, number)
            estimates = target / "criterion" / "border" / name / "new" / "estimates.json"
            rust = json.loads(estimates.read_text())["median"]["point_estimate"]
            print(
                f"{name:14} {rust / 1000:9.2f} µs {python / 1000:9.2f} µs"
                f" {python / rust:7.2f} {(python - rust) / 1000:7.2f} µs"
            )
        stage.shut()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
