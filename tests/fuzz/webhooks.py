"""Addresses of webhooks: those that are taken can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lineage.server.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 60
KEPT = (
    *(b"http://[x", b"http://[2001:d\xff8::1]:80/", b"http://a:99999/", b"http://a:b/"),
    *(
        b"http://a/\xc3\xbc",
        b"https://xn--mn\xe2\x80\xa8chen-3ya.example/",
        b"http://a/#\x85",
    ),
)
SEEDS = (
    "https://example.com/hook?x=1&y=%20#part",
    "http://127.0.0.1:8080/",
    "http://[2001:db8::1]:80/a",
    "https://xn--mnchen-3ya.example/a/b;c",
)


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    return [text.encode() for text in SEEDS]


def attack(data: bytes, folder: Path) -> None:
    hooks = Hooks(folder)
    hook = hooks.add(data.decode(errors="replace"), ["commit"], "", private=False)
    assert hooks.find(hook.id) == hook
    hooks.remove(hook.id)
    parts = urlsplit(hook.url)
    assert parts.port is None or parts.port > 0
    (parts.hostname or "").encode("idna")
    assert f"{parts.path}?{parts.query}".encode("ascii").isascii()
    assert not {*hook.url} & {*map(chr, range(33)), "\x7f"}
