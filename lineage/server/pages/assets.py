"""The files that pages need: one style sheet, one script, one icon."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from lineage.audit import look

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
FILES = ("icon.svg", "pages.css", "pages.js")


@cache
def content(file: str) -> bytes:
    """What is in one of `FILES`; the style begins with what reports look like, too."""
    found = files("lineage.server.pages").joinpath("static", file).read_bytes()
    if file == "pages.css":
        return look.shared().encode() + found
    return found


@cache
def version(file: str) -> str:
    """Changes when the content does, so that it may be kept for ever."""
    return sha256(content(file)).hexdigest()[:12]


def media_type(file: str) -> str:
    """What a browser is told of it."""
    return f"{TYPES[file.rpartition('.')[2]]}; charset=utf-8"
