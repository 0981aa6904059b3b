"""The scenarios of bindings/contract.toml, as a stranger with the wheel would write them."""

import asyncio
import gc
import io
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

import pytest
from PIL import Image

import testigo
from headquarters import KEY, LIMIT_S, SHEET, TABLE, Stage, await_end, grey, run, wait_for
from testigo import (
    AttachmentKind,
    Budget,
    DeliveryView,
    DetailInput,
    DetailKind,
    HandoverInput,
    HostError,
    HostKeysError,
    LogLevel,
    NextStep,
    Phone,
    RecordView,
    ReportInput,
    Rotation,
    Scanner,
    SyncOutcome,
    SyncStop,
    TallyInput,
    TallyReading,
    TestigoError,
    TypedInput,
    TypedSheet,
)


def power_cut(note, **fields):
    return ReportInput(code=21, note=note, **fields)


def sheet():
    return TallyInput(texts=[SHEET.encode()])


def deliver(phone):
    return asyncio.run(phone.sync())


def assert_explained(error, code, next_step, field=None):
    explanation = error.value.explanation
    assert (explanation.code, explanation.next) == (code, next_step)
    assert explanation.field == field
    assert len(explanation.es) > 20 and len(explanation.en) > 20
    assert explanation.es != explanation.en


def test_covers_exactly_the_listed_scenarios(request):
    contract = pathlib.Path(__file__).parents[2] / "contract.toml"
    listed = re.findall(r'^id = "(.+)"$', contract.read_text(), re.MULTILINE)
    marked = [item.get_closest_marker("scenario") for item in request.session.items]
    assert [marker.args[0] for marker in marked if marker] == listed


@pytest.mark.scenario("enrol")
def test_enrol(stage, tmp_path_factory):
    keyset, pack = stage.public()
    home = stage.path("phone")
    assert not testigo.phone_exists(home)
    phone = Phone.create(home, KEY)
    assert testigo.phone_exists(home)
    with pytest.raises(TestigoError.Enrolment) as error:
        Phone.create(home, KEY)
    assert_explained(error, "phone-exists", NextStep.ASK_COORDINATOR)
    with pytest.raises(TestigoError.Enrolment) as error:
        phone.report(power_cut("x"))
    assert_explained(error, "not-enrolled", NextStep.ENROL)
    with pytest.raises(TestigoError.Input) as error:
        phone.enrol("TESTIGO1:AB", keyset, None)
    assert_explained(error, "input", NextStep.CORRECT_INPUT, "code")
    other, _ = Stage(tmp_path_factory.mktemp("other")).public()
    for wrong, code in [(other, "other-headquarters"), (keyset[: len(keyset) // 2], "damaged")]:
        with pytest.raises(TestigoError.Enrolment) as error:
            phone.enrol(stage.code(), wrong, pack)
        assert_explained(error, code, NextStep.ASK_COORDINATOR)
    assert not phone.status().enrolled

    code = stage.code()
    before = phone.status()
    assert (before.root_words, before.confirmation) == (None, None)
    enrolled = phone.enrol(code, keyset, pack)
    assert (enrolled.table, enrolled.root_words.en) == (TABLE, stage.words)
    assert len(enrolled.root_words.es.split()) == 6
    assert enrolled.root_words.es != enrolled.root_words.en
    status = phone.status()
    assert status.root_words == enrolled.root_words
    assert status.confirmation == enrolled.confirmation
    assert status.enrolled and not status.enrolment_delivered
    assert (status.table, status.last_contact) == (TABLE, None)
    with pytest.raises(TestigoError.Enrolment) as error:
        phone.enrol(code, keyset, pack)
    assert_explained(error, "already-enrolled", NextStep.ASK_COORDINATOR)

    assert re.fullmatch("([0-9A-Z]{4} ){2}[0-9A-Z]{4}", status.confirmation)
    stage.serve()
    deliver(phone)
    data = stage.path("hq")
    run("hq", "--data", data, "devices", "confirm", *status.confirmation.split())
    listed = run("hq", "--data", data, "devices")["devices"]
    assert [device["state"] for device in listed] == ["confirmed"]


@pytest.mark.scenario("capture-offline")
def test_capture_offline(stage):
    phone = stage.phone()
    saved = phone.report(power_cut("two blocks dark"))
    assert (saved.sequence, saved.table, saved.warnings) == (1, TABLE, [])
    assert re.fullmatch("[0-9a-f]{32}", saved.record_id)
    doubtful = phone.report(
        power_cut(
            "backwards", started="2024-07-28T14:00:00-04:00", ended="2024-07-28T13:00:00-04:00"
        )
    )
    assert [warning.code for warning in doubtful.warnings] == [12]
    assert doubtful.warnings[0].es and doubtful.warnings[0].en

    entry = next(entry for entry in phone.catalogue() if entry.code == 90)
    assert [field.name for field in entry.fields] == ["hour", "voters"]
    assert entry.fields[1].kind == DetailKind.NUMBER
    people = DetailInput(field="people", value="4")
    with pytest.raises(TestigoError.Input) as error:
        phone.report(ReportInput(code=90, details=[people]))
    assert_explained(error, "input", NextStep.CORRECT_INPUT, "details")
    place = phone.table(TABLE)
    assert (place.registered, len(place.areas)) == (535, 3)
    assert not phone.election().practice and not phone.status().practice

    tally = phone.tally(sheet())
    assert isinstance(tally.reading, TallyReading.READ)
    read = tally.reading.tally
    assert (read.table, read.valid_votes) == (TABLE, 368)
    assert sum(candidate.votes for candidate in read.candidates) == 368
    kept = phone.tally(TallyInput(texts=[b"no sheet"]))
    assert isinstance(kept.reading, TallyReading.NOT_A_TALLY)
    assert kept.saved.sequence == 4

    wrong = {
        "code": ReportInput(code=7),
        "note": power_cut("ñ" * 501),
        "started": power_cut("x", started="at noon"),
        "table": power_cut("x", table="no table"),
    }
    for field, report in wrong.items():
        with pytest.raises(TestigoError.Input) as error:
            phone.report(report)
        assert_explained(error, "input", NextStep.CORRECT_INPUT, field)
    history = phone.history()
    assert [item.sequence for item in history] == [4, 3, 2, 1]
    assert all(isinstance(item.delivery, DeliveryView.QUEUED) for item in history)
    first = history[-1].content.record
    assert isinstance(first, RecordView.REPORT)
    assert (first.note, first.label_en) == ("two blocks dark", "power cut")
    assert phone.status().queued == 4


SAVE_UNTIL_KILLED = """
import sys, testigo
phone = testigo.Phone.open(sys.argv[1], bytes([7] * 32))
while True:
    print(phone.report(testigo.ReportInput(code=21)).sequence, flush=True)
"""


@pytest.mark.scenario("killed-and-reopened")
def test_killed_and_reopened(stage):
    home = stage.path("phone")
    stage.phone()
    gc.collect()
    said = 0
    for _ in range(3):
        command = [sys.executable, "-c", SAVE_UNTIL_KILLED, home]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            for _ in range(5):
                process.stdout.readline()
            process.kill()
            # What it had said and nobody had read yet counts as well.
            rest = process.stdout.read().count(b"\n")
        sequences = [item.sequence for item in Phone.open(home, KEY).history()]
        assert sequences == list(range(len(sequences), 0, -1))
        said += 5 + rest
        # The kill may fall between a commit and the word of it.
        assert said <= len(sequences) <= said + 1
        said = len(sequences)


@pytest.mark.scenario("sync")
def test_sync(stage):
    phone = stage.phone()
    phone.report(power_cut("one"))
    phone.tally(sheet())
    stage.shut()
    failed = deliver(phone)
    assert isinstance(failed.outcome, SyncOutcome.FAILED)
    assert (failed.outcome.code, failed.remaining) == ("no-network", 2)
    assert len(failed.outcome.es) > 20 and len(failed.outcome.en) > 20
    stage.serve()
    done = deliver(phone)
    assert isinstance(done.outcome, SyncOutcome.DONE)
    assert (done.delivered, done.remaining) == (2, 0)
    assert done.requests > 0 and done.bytes_sent > 0
    again = deliver(phone)
    # At most it asks what the desk has to say.
    assert (again.delivered, again.remaining) == (0, 0)
    assert again.requests <= 1 and again.bytes_sent <= 4096
    assert stage.held()["results"]["valid_votes"] == 368
    assert [incident["note"] for incident in stage.incidents()] == ["one"]


@pytest.mark.scenario("receipts")
def test_receipts(stage):
    phone = stage.phone()
    phone.report(power_cut("one"))
    stage.serve()
    assert deliver(phone).delivered == 1
    stage.shut()
    phone.report(power_cut("two"))
    assert isinstance(deliver(phone).outcome, SyncOutcome.FAILED)
    del phone

    phone = Phone.open(stage.path("phone"), KEY)
    second, first = (item.delivery for item in phone.history())
    assert isinstance(second, DeliveryView.QUEUED)
    assert isinstance(first, DeliveryView.DELIVERED)
    status = phone.status()
    assert status.enrolment_delivered
    assert (status.delivered, status.queued) == (1, 1)
    assert status.last_contact == first.received_at
    stage.serve()
    assert deliver(phone).delivered == 1
    assert len(stage.incidents()) == 2


@pytest.mark.scenario("cancelled-sync")
def test_cancelled_sync(stage):
    phone = stage.phone()
    phone.report(power_cut("before"))

    async def until(holds):
        since = time.monotonic()
        while not holds():
            assert time.monotonic() - since < LIMIT_S
            await asyncio.sleep(0.005)

    async def cancelled():
        stop = SyncStop()
        waiting = asyncio.create_task(phone.sync(stop))
        link = await asyncio.to_thread(stage.asked)
        assert phone.status().syncing
        phone.report(power_cut("meanwhile"))
        stop.stop()
        report = await waiting
        assert isinstance(report.outcome, SyncOutcome.STOPPED)
        assert report.remaining == 2
        assert not phone.status().syncing
        await asyncio.to_thread(await_end, link)

        waiting = asyncio.create_task(phone.sync())
        link = await asyncio.to_thread(stage.asked)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(lambda: not phone.status().syncing)
        await asyncio.to_thread(await_end, link)

    asyncio.run(cancelled())
    stage.serve()
    assert deliver(phone).delivered == 2
    assert len(stage.incidents()) == 2


@pytest.mark.scenario("wrong-key")
def test_wrong_key(stage):
    phone = stage.phone()
    phone.report(power_cut("kept"))
    before = phone.history()
    del phone
    home = stage.path("phone")
    with pytest.raises(TestigoError.Store) as error:
        Phone.open(home, bytes([8] * 32))
    assert_explained(error, "wrong-key", NextStep.KEEP_AND_REPORT)
    with pytest.raises(TestigoError.Input) as error:
        Phone.open(home, KEY[:31])
    assert_explained(error, "input", NextStep.CORRECT_INPUT, "database_key")
    with pytest.raises(TestigoError.Enrolment) as error:
        Phone.open(stage.path("nothing"), KEY)
    assert_explained(error, "no-phone", NextStep.ENROL)
    assert Phone.open(home, KEY).history() == before


def test_damaged_store(stage):
    phone = stage.phone()
    phone.report(power_cut("kept"))
    del phone
    home = stage.path("phone")
    with pytest.raises(TestigoError.Enrolment) as error:
        testigo.recover_store(home, KEY, False)
    assert_explained(error, "not-damaged", NextStep.ASK_COORDINATOR)
    store = pathlib.Path(home, "phone.db")
    store.write_bytes(store.read_bytes()[:-1])
    with pytest.raises(TestigoError.Store) as error:
        Phone.open(home, KEY)
    assert_explained(error, "store-damaged", NextStep.KEEP_AND_REPORT)
    recovered = testigo.recover_store(home, KEY, False)
    assert pathlib.Path(recovered.aside).exists()
    assert len(Phone.open(home, KEY).history()) == recovered.records


class Ear(testigo.PhoneObserver):
    """Remembers what it is told."""

    def __init__(self):
        self.told = []

    def on_status(self, status):
        self.told.append(status)


class Broken(testigo.PhoneObserver):
    def __init__(self, error):
        self.error = error

    def on_status(self, status):
        raise self.error


class BrokenLogger(testigo.Logger):
    def log(self, level, target, message):
        raise HostError.Failed("broken")


class Lines(testigo.Logger):
    def __init__(self):
        self.lines = []

    def log(self, level, target, message):
        self.lines.append((level, target, message))


@pytest.mark.scenario("callback-throws")
def test_callback_throws(stage):
    phone = stage.phone()
    logger = Lines()
    testigo.set_logger(logger, LogLevel.INFO)
    with pytest.raises(TestigoError.Host):
        testigo.set_logger(BrokenLogger(), LogLevel.TRACE)

    broken = [Broken(HostError.Failed("broken")), Broken(KeyError("no HostError"))]
    observations = [phone.observe(observer) for observer in broken]
    ear = Ear()
    heard = phone.observe(ear)
    phone.report(power_cut("secret words"))
    assert [status.queued for status in ear.told] == [1]
    for observation in [*observations, heard]:
        observation.stop()
    phone.report(power_cut("unheard"))
    assert len(ear.told) == 1

    said = [message for _, _, message in logger.lines]
    assert said.count("an observer failed") == 2
    assert (LogLevel.INFO, "saved a report") in [(level, m) for level, _, m in logger.lines]
    assert all(target.startswith("testigo") for _, target, _ in logger.lines)
    assert "secret" not in str(logger.lines) and TABLE not in str(logger.lines)


@pytest.mark.scenario("eight-threads")
def test_eight_threads(stage):
    each = 12
    stage.serve()
    phone = stage.phone()
    ear = Ear()
    observation = phone.observe(ear)
    sequences, faults = [], []

    def work(thread):
        try:
            for n in range(each):
                sequences.append(phone.report(power_cut(f"{thread}/{n}")).sequence)
                assert phone.status().enrolled
            assert len(phone.history()) >= each
            assert isinstance(deliver(phone).outcome, SyncOutcome.DONE)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(sequences) == list(range(1, 8 * each + 1))
    status = phone.status()
    assert (status.delivered, status.queued) == (8 * each, 0)
    wait_for(lambda: ear.told[-1] == status)
    observation.stop()
    assert len(stage.incidents()) == 8 * each


class Counted(testigo.PhoneObserver, testigo.Logger):
    """Is called back, and keeps nothing but how often."""

    def __init__(self):
        self.told = self.logged = 0

    def on_status(self, status):
        self.told += 1

    def log(self, level, target, message):
        self.logged += 1


def resident_kib():
    """Memory that this process has in use."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


@pytest.mark.scenario("ten-thousand-calls")
def test_ten_thousand_calls(stage):
    phone = stage.phone()
    phone.report(power_cut("one"))
    phone.tally(sheet())
    scanner = Scanner()
    frame = bytes([255]) * (64 * 48)
    counted = Counted()
    testigo.set_logger(counted, LogLevel.WARN)

    def call(n):
        assert len(testigo.catalogue()) == 39
        assert phone.status().queued == 2
        assert len(phone.history()) == 2
        with pytest.raises(TestigoError.Input):
            phone.report(ReportInput(code=7))
        assert isinstance(phone.read_tally([SHEET.encode()]), TallyReading.READ)
        assert scanner.scan(frame, 64, 48, 64, Rotation.NONE) == []
        observation = phone.observe(counted)
        if n % 100 == 0:
            with pytest.raises(TestigoError.Store):
                Phone.open(stage.path("phone"), bytes([8] * 32))
            stop = SyncStop()
            stop.stop()
            assert isinstance(asyncio.run(phone.sync(stop)).outcome, SyncOutcome.STOPPED)
        observation.stop()

    for n in range(2_000):
        call(n)
    gc.collect()
    before = resident_kib()
    for n in range(10_000):
        call(n)
    gc.collect()
    # A kilobyte lost in each round would be 10 MB.
    assert resident_kib() - before < 4 * 1024
    assert counted.logged >= 12_000 and counted.told >= 120


@pytest.mark.scenario("scanned-sheet")
def test_scanned_sheet(stage):
    stage.serve()
    phone = stage.phone()
    photo = stage.path("sheet.png")
    run("sheet", "--text", SHEET, "--out", photo, "--seed", 7)
    pixels, width, height = grey(photo)
    scanner = Scanner()
    (upright,) = scanner.scan(pixels, width, height, width, Rotation.NONE)
    assert upright.text == SHEET
    # The same picture, as a camera held on its side gives it, with a stride beyond its width:
    # a quarter turn clockwise brings it upright again.
    rows = [pixels[x::width] for x in reversed(range(width))]
    turned = b"".join(row + bytes(16) for row in rows)
    (code,) = scanner.scan(turned, height, width, height + 16, Rotation.QUARTER)
    assert code.bytes == upright.bytes
    for a, b in zip(code.corners, upright.corners):
        assert abs(a.x - b.x) <= 8 and abs(a.y - b.y) <= 8

    assert phone.tally(TallyInput(texts=[code.bytes])).saved.warnings == []
    record = phone.history()[0].content.record
    assert isinstance(record, RecordView.TALLY)
    assert deliver(phone).delivered == 1
    results = stage.held()["results"]
    totals = {candidate["code"]: candidate["votes"] for candidate in results["candidates"]}
    for candidate in record.reading.tally.candidates:
        assert totals[candidate.code] == candidate.votes
    assert results["valid_votes"] == 368


def photo(side):
    """A JPEG picture of this side, and the same with a place in it, as a camera writes it."""
    out = io.BytesIO()
    Image.radial_gradient("L").resize((side, side)).save(out, "JPEG")
    plain = out.getvalue()
    place = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0 10.4806 N 66.9036 W"
    segment = b"\xff\xe1" + (len(place) + 2).to_bytes(2, "big") + place
    return plain, plain[:2] + segment + plain[2:]


def files(of):
    """The files of what headquarters hold, the thumbnail first."""
    return sorted(of["attachments"]["files"], key=lambda file: not file["thumbnail"])


def of_table(held):
    (row,) = [row for row in held["results"]["rows"] if row["table"] == TABLE]
    return files(row)


@pytest.mark.scenario("photograph")
def test_photograph(stage, tmp_path):
    plain, taken = photo(640)
    plain_small, small = photo(64)
    # A file of no known form: it must arrive as it is.
    recording = b"a recording of a form that nobody knows"
    paths = [tmp_path / name for name in ("photo.jpg", "small.jpg", "recording.bin")]
    for path, content in zip(paths, (taken, small, recording)):
        path.write_bytes(content)
    at_photo, at_small, at_recording = map(str, paths)
    with pytest.raises(TestigoError.Enrolment) as error:
        Phone.create(stage.path("fresh"), KEY).seal_file(at_photo, AttachmentKind.WHOLE)
    assert_explained(error, "not-enrolled", NextStep.ENROL)

    phone = stage.phone()
    for refused in (
        lambda: phone.seal_file(stage.path("no such file"), AttachmentKind.WHOLE),
        lambda: phone.seal_file(stage.path("phone"), AttachmentKind.WHOLE),
        lambda: phone.seal_descriptor(-1, AttachmentKind.WHOLE),
    ):
        with pytest.raises(TestigoError.Input) as error:
            refused()
        assert_explained(error, "file-unreadable", NextStep.CORRECT_INPUT)
    whole = phone.seal_file(at_photo, AttachmentKind.WHOLE)
    with open(at_small, "rb") as opened:
        little = phone.seal_descriptor(opened.fileno(), AttachmentKind.THUMBNAIL)
        os.fstat(opened.fileno())
    other = phone.seal_file(at_recording, AttachmentKind.WHOLE)
    assert whole.warnings() == little.warnings() == []
    (warned,) = other.warnings()
    for path in paths:
        path.unlink()

    saved = phone.report(power_cut("seen", attachments=[whole, little]))
    assert saved.warnings == []
    tally = phone.tally(TallyInput(texts=[SHEET.encode()], attachments=[other]))
    assert tally.saved.warnings == [warned]
    assert phone.status().attachments_queued == 3

    assert phone.budget().photos_on_metered
    budget = Budget(bytes_a_day=None, photos_on_metered=False)
    phone.set_budget(budget)
    assert phone.budget() == budget

    stage.serve()
    dear = asyncio.run(phone.sync(metered=True))
    assert isinstance(dear.outcome, SyncOutcome.DONE)
    assert (dear.remaining, dear.attachments_delivered) == (0, 1)
    assert (dear.attachments_remaining, dear.held_for_cost) == (2, 2)
    for item in phone.history():
        assert isinstance(item.delivery, DeliveryView.RECEIVED)
        assert item.delivery.attachments_left == 1
    assert phone.status().delivered == 0
    (incident,) = stage.incidents()
    assert [file["held"] for file in files(incident)] == [True, False]

    cheap = deliver(phone)
    assert (cheap.attachments_delivered, cheap.attachments_remaining) == (2, 0)
    assert all(isinstance(item.delivery, DeliveryView.DELIVERED) for item in phone.history())
    status = phone.status()
    assert (status.delivered, status.attachments_queued) == (2, 0)
    (incident,) = stage.incidents()
    arrived = [stage.opened(file) for file in files(incident) + of_table(stage.held())]
    assert arrived == [plain_small, plain, recording]


@pytest.mark.scenario("by-hand")
def test_by_hand(stage, tmp_path):
    witness, carrier, other = map(stage.phone, ("witness", "carrier", "other"))
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photograph of a form that nobody knows")
    sealed = witness.seal_file(str(photo), AttachmentKind.WHOLE)
    witness.report(power_cut("by hand", attachments=[sealed]))
    bundle, again = (tmp_path / name for name in ("bundle.bin", "again.bin"))
    made = witness.bundle(str(bundle))
    assert (made.records, made.files, made.records_left_out, made.files_left_out) == (1, 1, 0, 0)
    assert made.bytes == bundle.stat().st_size
    with pytest.raises(TestigoError.Input) as error:
        witness.bundle(str(bundle))
    assert_explained(error, "file-unreadable", NextStep.CORRECT_INPUT)
    assert witness.status().queued == 1

    # One carrier has the file, the other reads codes from the witness's screen.
    carrier.carry(str(bundle))
    assert carrier.history()[0].content.record.bundle
    shown = witness.bundle_codes()
    assert (shown.bundle.records, shown.bundle.files_left_out) == (1, 1)
    first, *codes = (code.encode() for code in shown.codes)
    assert testigo.missing_codes(codes) == [1]
    with pytest.raises(TestigoError):
        other.carry_codes(codes)
    codes.append(first)
    assert testigo.missing_codes(codes) == []
    other.carry_codes(codes)
    with pytest.raises(TestigoError):
        other.carry(str(photo))

    stage.serve()
    for phone in (carrier, other):
        deliver(phone)
        assert isinstance(phone.history()[0].delivery, DeliveryView.DELIVERED)
    assert len(stage.incidents()) == 1

    receipts = str(tmp_path / "receipts.bin")
    run("hq", "--data", stage.path("hq"), "import", bundle, "--receipts", receipts)
    assert not carrier.import_receipts(receipts).for_this_phone
    taken = witness.import_receipts(receipts)
    assert (taken.received, taken.files, taken.parked) == (1, 1, 0)
    assert isinstance(witness.history()[0].delivery, DeliveryView.DELIVERED)
    assert witness.bundle(str(again)) is None
    assert not again.exists()

    with pytest.raises(TestigoError.Input) as error:
        witness.hand_over(HandoverInput(_from="04141234567", to="boat-2"))
    assert error.value.explanation.field == "from"
    witness.hand_over(HandoverInput(_from="witness-7", to="boat-2", place="the jetty"))
    record = witness.history()[0].content.record
    assert (record.bundle, record._from, record.to) == (False, "witness-7", "boat-2")


class Keys(testigo.HostKeys):
    """A key store as small as it can be: it keeps what it wraps, and gives out a ticket."""

    def __init__(self):
        self.kept = {}
        self.silent = False

    def answer(self):
        if self.silent:
            raise HostKeysError.Unavailable()

    def wrap(self, key, secret):
        self.answer()
        of_key = self.kept.setdefault(key, [])
        of_key.append(secret)
        return bytes([len(of_key) - 1])

    def unwrap(self, key, wrapped):
        self.answer()
        if key not in self.kept:
            raise HostKeysError.Gone()
        return self.kept[key][wrapped[0]]

    def destroy(self, key):
        self.answer()
        self.kept.pop(key, None)


@pytest.mark.scenario("locked")
def test_locked(stage):
    keys, home, pin = Keys(), stage.path("locked"), "428619"
    made = Phone.create_under(home, keys)
    stage.enrol(made)
    made.set_pin(pin)
    assert not made.is_locked()
    del made

    phone = Phone.open_under(home, keys)
    assert phone.has_pin() and phone.is_locked()
    phone.report(power_cut("delivered"))
    stage.serve()
    assert deliver(phone).delivered == 1
    phone.report(power_cut("waits"))
    shown = phone.status()
    assert (shown.root_words.en, shown.table, shown.confirmation) == (stage.words, None, None)
    assert shown.has_pin and shown.locked
    with pytest.raises(TestigoError.Locked) as error:
        phone.set_settings(phone.settings())
    assert_explained(error, "locked", NextStep.UNLOCK)
    with pytest.raises(TestigoError.Locked) as error:
        phone.history()
    assert_explained(error, "locked", NextStep.UNLOCK)
    with pytest.raises(TestigoError.Locked) as error:
        phone.unlock("000000")
    assert_explained(error, "wrong-pin", NextStep.CORRECT_INPUT)
    keys.silent = True
    with pytest.raises(TestigoError.Store) as error:
        phone.unlock(pin)
    assert_explained(error, "host-keys-unavailable", NextStep.TRY_AGAIN)
    keys.silent = False
    phone.unlock(pin)
    shown = phone.status()
    assert len(shown.confirmation.replace(" ", "")) == 12
    assert shown.has_pin and not shown.locked
    waits, delivered = phone.history()
    assert (delivered.sequence, delivered.content) == (1, None)
    assert (waits.content.record.note, waits.content.table) == ("waits", TABLE)
    phone.lock()
    assert phone.is_locked()

    assert phone.wipe().undelivered_records == 1
    assert keys.kept == {}
    assert not testigo.phone_exists(home)
    del phone
    with pytest.raises(TestigoError.Enrolment) as error:
        Phone.open_under(home, keys)
    assert_explained(error, "no-phone", NextStep.ENROL)

    home = stage.path("keyless")
    made = Phone.create_under(home, keys)
    del made
    del keys.kept[testigo.HostKey.STORE]
    with pytest.raises(TestigoError.Store) as error:
        Phone.open_under(home, keys)
    assert_explained(error, "host-key-gone", NextStep.KEEP_AND_REPORT)
    testigo.wipe_folder_under(home, keys)
    assert keys.kept == {}
    assert not testigo.phone_exists(home)


def paper(**other):
    """What stands on the paper of the witness's table."""
    votes = [int(votes) for votes in SHEET.split("!")[1].split(",")]
    stands = dict(table=TABLE, votes=votes, null_votes=0, machine_code="9f86d081-884c-4d65")
    return TypedSheet(**{**stands, **other})


@pytest.mark.scenario("typed-sheet")
def test_typed_sheet(stage):
    phone = stage.phone()
    form = phone.typing_form()
    assert len(form.slots) == len(paper().votes)
    assert all(slot.party and slot.candidate for slot in form.slots)
    assert (form.blank, form.null_votes, form.total) == (False, True, False)

    slipped = paper(null_votes=9)
    slipped.votes[2] += 1
    differences = testigo.typed_differences(paper(), slipped)
    assert [one.field for one in differences] == ["votes.3", "null"]
    assert all(one.es and one.en for one in differences)
    with pytest.raises(TestigoError.Input) as error:
        phone.typed(TypedInput(first=paper(), second=slipped))
    assert_explained(error, "input", NextStep.CORRECT_INPUT, "second")
    assert phone.history() == []

    saved = phone.typed(TypedInput(first=paper(), second=paper()))
    assert saved.saved.table == TABLE
    assert [warning.code for warning in saved.saved.warnings] == [18]
    assert isinstance(saved.reading, TallyReading.READ)
    read = saved.reading.tally
    assert (read.vouch, read.valid_votes) == ("typed-twice", 368)
    record = phone.history()[0].content.record
    assert isinstance(record, RecordView.TALLY) and record.reading == saved.reading

    def row():
        return next(row for row in stage.held()["results"]["rows"] if row["table"] == TABLE)

    stage.serve()
    deliver(phone)
    typed = row()
    assert (typed["state"], typed["readings"]) == ("reported", 1)
    assert typed["standing"]["code"] == "typed-twice/unconfirmed-device"
    assert typed["printed"][0]["machine_code"] == "9f86d081-884c-4d65"
    phone.tally(sheet())
    deliver(phone)
    both = row()
    assert (both["state"], both["readings"]) == ("reported", 2)
    assert both["standing"]["code"] == "plain-code/unconfirmed-device"
