"""Records in JSON: an object on each line, or a list of objects in one document."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from lineage.errors import StoreError
from lineage.records.source import LONGEST, Found, Source

_CHUNK = 1 << 20
_BETWEEN = re.compile(r"[ \t\r\n]*")
_next = json.JSONDecoder().raw_decode
_TOKEN = 16  # characters; no token that is cut off is longer, but for a string
_HALF = object()  # a value that goes on in the next chunk


def jsonl(source: Source) -> Iterator[Found]:
    """An object on each line; blank ones are left out."""
    for number, raw in source.lines():
        if raw.strip():
            yield number, json_line(source, number, raw), raw


def json_line(source: Source, number: int, raw: bytes) -> dict[str, Any]:
    """The object on a line.

    Raises:
        StoreError: when there is none.
    """
    text, where = source.text(raw, number), f"line {number}"
    try:
        return _checked(source, where, json.loads(text))
    except (ValueError, RecursionError):
        raise StoreError(f"{source.name}: {where} is not JSON") from None


def _checked(source: Source, where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StoreError(f"{source.name}: {where} is not a JSON object")
    return value


def json_file(source: Source) -> Iterator[Found]:
    """A list of objects, or objects one after the other, over lines as they like."""
    reader = _Document(source)
    if reader.ahead() != "[":
        yield from _several(source, reader)
        return
    reader.skip("[")
    yield from _list(source, reader)


def _several(source: Source, reader: "_Document") -> Iterator[Found]:
    number = 0
    while reader.ahead():
        number += 1
        where = f"record {number}"
        yield number, _checked(source, where, reader.value(where)), None


def _list(source: Source, reader: "_Document") -> Iterator[Found]:
    number = 0
    while number or reader.ahead() != "]":
        number += 1
        where = f"record {number}"
        yield number, _checked(source, where, reader.value(where)), None
        if reader.ahead() == "]":
            break
        reader.skip(",", f"after record {number}")
    reader.skip("]")
    if reader.ahead():
        raise StoreError(f"{source.name} is not JSON: something follows its list")


class _Document:
    """The values of a document, one by one: no more than a chunk or one is held."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._chunks = self._decoded()
        self._text, self._at = "", 0

    def _decoded(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        try:
            with self._source.open() as file:
                while data := file.read(_CHUNK):
                    self._source.progress(len(data))
                    yield decoder.decode(data)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            message = f"{self._source.name} is not UTF-8 text"
            raise StoreError(message, hint="convert it, such as with iconv") from None

    def _more(self) -> bool:
        """Take in more text; as much again as there is, so that trying stays cheap."""
        parts, size = [self._text[self._at :]], 0
        held = len(parts[0])
        for chunk in self._chunks:
            parts.append(chunk)
            size += len(chunk)
            if size > held or held + size > LONGEST:
                break
        self._text, self._at = "".join(parts), 0
        return size > 0

    def ahead(self) -> str:
        """The next character that is no blank; nothing at the end."""
        while True:
            blank = _BETWEEN.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self, mark: str, where: str = "") -> None:
        """Step over one character, which is next."""
        if self.ahead() != mark:
            at = f" {where}" if where else ""
            raise StoreError(f"{self._source.name} is not JSON{at}: no {mark!r}")
        self._at += 1

    def value(self, where: str) -> Any:
        """The next value, whole."""
        self.ahead()
        while (found := self._try(where)) is _HALF:
            if len(self._text) - self._at > LONGEST:
                raise self._source.too_long(where)
            if not self._more():
                raise self._malformed(where)
        return found

    def _try(self, where: str) -> Any:
        try:
            found, end = _next(self._text, self._at)
        except RecursionError:
            raise self._malformed(where) from None
        except json.JSONDecodeError as error:
            if error.pos < len(self._text) - _TOKEN and "Untermin" not in error.msg:
                raise self._malformed(where) from None
            return _HALF
        self._at = end
        return found

    def _malformed(self, where: str) -> StoreError:
        return StoreError(f"{self._source.name}: {where} is not JSON")
