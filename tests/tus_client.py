"""A foreign tus client, PyPI's tuspy, brings a phone's attachment to headquarters.

Usage: tus_client.py PATH-OF-testigo
Resumes after a pause, with and without checksums, and in one request; then the phone gets its receipt
without sending a byte of it again, and headquarters open the very bytes that were attached.
"""

import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time

from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

program = sys.argv[1]

# What a question of a phone's is padded to, in bytes: a file that goes again is far larger.
PADDED_ASK = 4096


def testigo(*arguments, status=0):
    ended = subprocess.run([program, "--json", *map(str, arguments)], capture_output=True, text=True)
    assert ended.returncode == status, ended
    return json.loads(ended.stdout)


def bring(url, sealed, how):
    """Uploads a sealed file; returns the uploader."""
    metadata = {"sha256": sealed.name, "token": secrets.token_hex(16)}
    client = TusClient(f"{url}/v1/blobs")
    size = sealed.stat().st_size
    if how == "in one request":
        uploader = client.uploader(str(sealed), metadata=metadata)
    else:
        checksum = how == "with checksums"
        options = dict(chunk_size=100_000, metadata=metadata, upload_checksum=checksum)
        first = client.uploader(str(sealed), **options)
        first.upload(stop_at=size // 2)
        assert 0 < first.offset < size, first.offset
        uploader = client.uploader(str(sealed), url=first.url, **options)
        assert uploader.offset == first.offset, (uploader.offset, first.offset)
    uploader.upload()
    assert uploader.offset == size == uploader.get_offset(), uploader.offset
    return uploader


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    hq, phone, image = folder / "hq", folder / "phone", folder / "witness.png"
    # The phone is told where headquarters are before they know their port: it is the first to ask.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = "http://%s:%d" % free.getsockname()
    testigo("hq", "--data", hq, "init", "--endpoint", url)
    testigo("hq", "--data", hq, "enrol", "--table", "201301006.01", "--out", image)
    testigo("phone", "--home", phone, "init")
    public = hq / "public"
    testigo("phone", "--home", phone, "enrol", "--qr", image, "--keyset", public / "keyset.cose")
    serving = subprocess.Popen(
        [program, "--json", "hq", "--data", hq, "serve", "--listen", url.removeprefix("http://"), "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert json.loads(serving.stdout.readline())["listening"] == url
        recordings = {}
        for how in ("in one request", "with checksums", "without checksums"):
            recording = folder / "recording.bin"
            recording.write_bytes(os.urandom(1_000_000))
            testigo("phone", "--home", phone, "report", 99, "--note", how, "--attach", recording)
            recordings[how] = recording.read_bytes()
            (sealed,) = (phone / "blobs").iterdir()
            # Out of the phone's sight, so that it sends the record alone.
            elsewhere = folder / sealed.name
            sealed.rename(elsewhere)
            try:
                bring(url, elsewhere, how)
                raise AssertionError("taken in without a record that names it")
            except TusCommunicationError as refused:
                assert refused.status_code == 403, refused.status_code
            alone = testigo("phone", "--home", phone, "sync", status=1)
            assert (alone["delivered"], alone["attachments_missing"]) == (1, 1), alone
            uploader = bring(url, elsewhere, how)
            elsewhere.rename(sealed)
            whole = testigo("phone", "--home", phone, "sync")
            # Asking for the receipt takes no body, the question for the desk's word little.
            assert whole["attachments_delivered"] == 1 and whole["bytes_sent"] <= PADDED_ASK, whole
            (delivered, *_) = testigo("phone", "--home", phone, "list")
            assert delivered["state"] == "delivered", delivered
            sealed.unlink()
            print(f"tuspy, {how}: {uploader.offset} bytes held and signed for")
        incidents = []
        until = time.monotonic() + 120
        while len(incidents) < len(recordings):
            assert time.monotonic() < until, "the desk does not come to an end"
            incidents = testigo("hq", "--data", hq, "table")["incidents"]["incidents"]
        for incident in incidents:
            (file,) = incident["attachments"]["files"]
            out = folder / "opened.bin"
            testigo("hq", "--data", hq, "blob", file["id"], "--out", out)
            assert out.read_bytes() == recordings[incident["note"]], incident
            out.unlink()
    finally:
        serving.stdin.close()
        serving.wait(timeout=60)
