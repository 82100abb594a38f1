"""Bytes that are nearly as they should be, the same ones for the same seed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

TOKENS = (
    *(b"null", b"true", b"[]", b"{}", b'""', b"-1", b"0", b"1e999", b"NaN", b"0.0"),
    *(b"9007199254740993", b"18446744073709551616", b"9" * 5000, b"[" * 3000),
    *(b'{"a":' * 3000, b'"\\ud800"', b"\\u0000", b"\xff\xfe", b"\xed\xa0\x80"),
    *(b"\xef\xbb\xbf", b"\r\n", b"\0", b"..", b"../../x", b"/etc/passwd", b"~", b"^"),
    *(b"@{", b"%2F", b"%00", b"%ff", b"\xe2\x80\xa8", b"\xc2\x85", b"$(x)", b"-x"),
    *(b"&a *a", b"!!python/object:os.system", b"<script>", b"'", b'"'),
    *(b"\\", b"(" * 50),
)  # fmt: skip
NUMBERS = (0, 1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
LARGE = (*NUMBERS, 2**40, 2**53 + 1, 2**60, 2**63 - 1, 2**63, 2**64 - 1)


def mutants(seeds: Sequence[bytes], tries: int, random: Random) -> Iterator[bytes]:
    """So many bytes, each of which was one of `seeds` before a few changes."""
    for number in range(tries * len(seeds)):
        data = seeds[number % len(seeds)]
        for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
            data = random.choice(_WAYS)(data, random, seeds)
        yield data


def _flip(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    at = _place(data, random)
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _put(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    at = _place(data, random)
    return data[:at] + random.choice(TOKENS) + data[at:]


def _replace(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    """One word, number or text becomes something else."""
    words = list(re.finditer(rb'"[^"]*"|[A-Za-z_]+|[0-9.]+', data))
    if not words:
        return data
    start, end = random.choice(words).span()
    return data[:start] + random.choice(TOKENS) + data[end:]


def _number(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    """A number as files of other formats have it."""
    size, at = random.choice((1, 2, 4, 8)), _place(data, random)
    number = (random.choice(LARGE) % (1 << 8 * size)).to_bytes(size, "big")
    return data[:at] + number[:: random.choice((1, -1))] + data[at + size :]


def _cut(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    at = _place(data, random)
    return data[:at] + data[at + random.choice((1, 2, 8, 100, len(data))) :]


def _double(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    at = _place(data, random)
    piece = data[at : at + random.choice((1, 8, 64, 1000))]
    return data[:at] + piece * random.choice((2, 2, 3, 100)) + data[at + len(piece) :]


def _splice(data: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    return data[: _place(data, random)] + other[_place(other, random) :]


def _place(data: bytes, random: Random) -> int:
    return random.randrange(len(data)) if data else 0


def _any(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    return data + random.randbytes(random.randrange(64))


_WAYS: tuple[Callable[[bytes, Random, Sequence[bytes]], bytes], ...] = (
    _put, _replace, _replace, _number, _cut, _double, _splice, _any,
    lambda data, random, seeds: _flip(data, random, seeds) if data else data,
)  # fmt: skip
