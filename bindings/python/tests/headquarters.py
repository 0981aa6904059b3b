"""Headquarters: the real program, in a process of its own. TESTIGO names it."""

import json
import os
import socket
import subprocess
import time

from PIL import Image

import testigo

# Longer than anything takes, on any machine.
LIMIT_S = 120
KEY = bytes([7] * 32)
TABLE = "201301006.01"
# The text of that table's sheet of 28 July 2024: 368 valid votes.
SHEET = (
    "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0"
)


def run(*arguments):
    """Runs the program to its end and returns its JSON document."""
    command = [os.environ["TESTIGO"], "--json", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def grey(path):
    """A picture's grey pixels, width and height."""
    with Image.open(path) as picture:
        return picture.convert("L").tobytes(), picture.width, picture.height


def wait_for(holds):
    since = time.monotonic()
    while not holds():
        assert time.monotonic() - since < LIMIT_S
        time.sleep(0.005)


def await_end(link):
    """Waits until the phone breaks its link off: sooner than it would give up by itself, after 30 seconds."""
    with link:
        link.settimeout(25)
        while link.recv(65536):
            pass


class Stage:
    """A folder with a headquarters and phones in it, and the port that the phones send to."""

    def __init__(self, folder):
        self.folder = folder
        # Holds the port while headquarters do not serve: whoever connects is never answered.
        self.silent = socket.create_server(("127.0.0.1", 0))
        self.port = self.silent.getsockname()[1]
        self.server = None
        endpoint = f"http://127.0.0.1:{self.port}"
        made = run("--lang", "en", "hq", "--data", folder / "hq", "init", "--endpoint", endpoint)
        # The English words of its root, as its operator was told them.
        self.words = made["words"]

    def path(self, name):
        return str(self.folder / name)

    def public(self):
        """The keyset and the election pack that headquarters hand out."""
        public = self.folder / "hq" / "public"
        return (public / "keyset.cose").read_bytes(), (public / "pack.cose").read_bytes()

    def code(self):
        """The enrolment code of a new witness, read from its picture."""
        picture = self.path("witness.png")
        if os.path.exists(picture):
            # A code is never written over another.
            os.remove(picture)
        run("hq", "--data", self.path("hq"), "enrol", "--table", TABLE, "--out", picture)
        pixels, width, height = grey(picture)
        codes = testigo.Scanner().scan(pixels, width, height, width, testigo.Rotation.NONE)
        assert codes[0].text is not None
        return codes[0].text

    def phone(self, name="phone"):
        """A new phone that has enrolled here."""
        phone = testigo.Phone.create(self.path(name), KEY)
        self.enrol(phone)
        return phone

    def enrol(self, phone):
        """Enrols a phone here."""
        enrolled = phone.enrol(self.code(), *self.public())
        assert enrolled.table == TABLE
        assert enrolled.election == "Venezuela, elección presidencial 2024"

    def asked(self):
        """A phone's link to who never answers, once its request has begun."""
        link, _ = self.silent.accept()
        assert link.recv(1024)
        return link

    def shut(self):
        """Takes the port from whoever holds it: from now on nobody answers there."""
        self.silent.close()
        if self.server:
            self.server.kill()
            self.server.wait()
            self.server.stdout.close()
            self.server = None

    def serve(self):
        self.shut()
        self.server = subprocess.Popen(
            [os.environ["TESTIGO"], "--json", "hq", "--data", self.path("hq")]
            + ["serve", "--listen", f"127.0.0.1:{self.port}"],
            stdout=subprocess.PIPE,
        )
        assert b"listening" in self.server.stdout.readline()

    def held(self):
        """What headquarters hold, once everything that arrived has been opened."""
        held = run("hq", "--data", self.path("hq"), "table")
        since = time.monotonic()
        while held["results"]["unopened"]:
            assert time.monotonic() - since < LIMIT_S
            time.sleep(0.02)
            held = run("hq", "--data", self.path("hq"), "table")
        return held

    def incidents(self):
        return self.held()["incidents"]["incidents"]

    def opened(self, file):
        """What headquarters' staff open of a file that arrived."""
        out = self.folder / f"opened-{file['id']}"
        run("hq", "--data", self.path("hq"), "blob", file["id"], "--out", out)
        return out.read_bytes()
