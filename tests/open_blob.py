"""Opens a sealed attachment as docs/blob-format.md describes it, from that page alone.

python3 tests/open_blob.py SEALED SECRET-IN-HEX > OPEN
"""

import re
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "blob-format.md"


def main(sealed: str, secret: str) -> None:
    """Runs the page's own lines, so that the page is what is tested."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    if code is None:
        sys.exit(f"{PAGE}: there is no Python on this page")
    room: dict[str, object] = {}
    exec(code.group(1), room)  # noqa: S102 - the page is part of this repository
    open_blob = room["open_blob"]
    sys.stdout.buffer.write(open_blob(Path(sealed).read_bytes(), bytes.fromhex(secret)))


if __name__ == "__main__":
    main(*sys.argv[1:])
