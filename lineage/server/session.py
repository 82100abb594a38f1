"""Signing in with a browser: a token, given once, becomes a session.

A session is 256 random bits in a cookie that no script and no other site can use.
What is kept of it is its SHA-256, which names the file ``<home>/sessions/DIGEST.json``,
with the digest of the token that it stands for: so it ends when the token does, and
all worker processes know it. Signing out removes the file.
"""

import json
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from lineage.server.tokens import Token, Tokens
from lineage.store.disk import disk_errors, write_atomically

COOKIE = "lineage-session"
LASTS = timedelta(hours=12)


class Sessions:
    """The sessions of the registry whose own files are in `home`."""

    def __init__(self, home: Path, tokens: Tokens) -> None:
        self._folder = home / "sessions"
        self._tokens = tokens

    def begin(self, secret: str) -> str:
        """Begin a session of whoever has this token; gives the cookie's value.

        Raises:
            StoreError: when it cannot be written.
        """
        value = secrets.token_urlsafe(32)
        until = (datetime.now(UTC) + LASTS).isoformat()
        kept = {"token": sha256(secret.encode()).hexdigest(), "until": until}
        with disk_errors("signing in"):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._sweep()
            write_atomically(self._path(value), json.dumps(kept).encode())
        return value

    def find(self, value: str) -> Token | None:
        """The token of a session, in whatever state; None when it is over."""
        kept = _read(self._path(value))
        if kept is None or kept["until"] <= datetime.now(UTC).isoformat():
            return None
        return self._tokens.of_digest(kept["token"])

    def end(self, value: str) -> None:
        """Forget a session."""
        with disk_errors("signing out"):
            self._path(value).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove those that are over."""
        oldest = (datetime.now(UTC) - LASTS).timestamp()
        for path in self._folder.glob("*.json"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _path(self, value: str) -> Path:
        return self._folder / f"{sha256(value.encode()).hexdigest()}.json"


def _read(path: Path) -> dict[str, str] | None:
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):  # a damaged one is none: its owner signs in again
        return None
    is_whole = isinstance(kept, dict) and {"token", "until"} <= kept.keys()
    return {key: str(kept[key]) for key in kept} if is_whole else None
