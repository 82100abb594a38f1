"""A record that was found in a file, and how files spell what is looked for."""

import json
import re
from typing import Any, NamedTuple


class Hit(NamedTuple):
    """A record of a file; `place` is where it begins, in bytes or records."""

    place: int
    line: int
    data: dict[str, Any]
    raw: bytes | None = None


def spellings(piece: str) -> list[bytes]:
    """The ways in which writers of JSON spell a piece of text."""
    plain, escaped = (json.dumps(piece, ensure_ascii=a)[1:-1] for a in (False, True))
    capital = re.sub(r"\\u[0-9a-f]{4}", lambda u: "\\u" + u[0][2:].upper(), escaped)
    some = [plain, escaped, capital]
    some += [text.replace("/", "\\/") for text in some]
    return [text.encode(errors="surrogatepass") for text in dict.fromkeys(some)]


def quoted(piece: str) -> list[bytes]:
    """The same for a whole string."""
    return [b'"' + text + b'"' for text in spellings(piece)]
