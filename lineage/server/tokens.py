"""Tokens: who may use this registry's server from elsewhere, and for what.

A token is 256 random bits, told once; what is kept is its SHA-256, which names the
file ``<home>/tokens/DIGEST.json`` with whose it is. So finding one is opening one
file, making one never touches another, and whoever reads the folder cannot ask in
anybody's name. All worker processes read the same folder; what is revoked there is
refused from the next request on. A file's time of change is when it was last used.
"""

import json
import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from lineage.errors import Ambiguous, NotFound, StoreError, UsageError
from lineage.protocol import BEARER
from lineage.store.disk import disk_errors, locked, write_atomically
from lineage.store.events import now

SCOPES = ("read", "write", "review", "admin")
SHORTEST = 4  # digits of an id that name a token
_ID = 12  # digits of the SHA-256
_SECRET = re.compile(rf"{BEARER}[A-Za-z0-9_-]{{43}}")
_DIGEST = re.compile("[0-9a-f]{64}")
_FRESH = 60  # seconds between two notes that a token was used


@dataclass(frozen=True)
class Token:
    """What is kept of a token; times as events write them, UTC."""

    id: str
    name: str
    email: str
    scopes: tuple[str, ...]
    created: str
    expires: str | None = None
    revoked: str | None = None
    used: str | None = None

    def state(self, moment: str) -> str:
        """``active``, ``expired`` or ``revoked`` at `moment`."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= moment else "active"


class Tokens:
    """The tokens of the registry whose own files are in `home`."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "tokens"
        self._lock = home / "tokens.lock"

    def __bool__(self) -> bool:
        """Whether one was ever made here, be it revoked since."""
        return any(self._files())

    def create(
        self,
        name: str,
        email: str,
        scopes: Collection[str],
        expires: str | None = None,
    ) -> tuple[str, Token]:
        """Make a token; gives its secret, which is kept nowhere, and what is kept.

        Raises:
            UsageError: for a scope that there is not, or an end that has passed.
        """
        created = now()
        if unknown := sorted(set(scopes) - set(SCOPES)):
            hint = f"scopes are {', '.join(SCOPES)}"
            raise UsageError(f"there is no scope {unknown[0]}", hint=hint)
        if expires and expires <= created:
            raise UsageError(f"{expires[:10]} has passed", hint="name a later day")
        secret = BEARER + secrets.token_urlsafe(32)
        digest = sha256(secret.encode()).hexdigest()
        ordered = tuple(scope for scope in SCOPES if scope in scopes)
        token = Token(digest[:_ID], name, email, ordered, created, expires)
        with disk_errors("making the token"), locked(self._lock):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            for left in self._folder.glob(".*.new"):  # by somebody who was killed
                left.unlink()
            self._write(digest, token, used=0.0)
        return secret, token

    def find(self, secret: str) -> Token | None:
        """The token whose secret this is, in whatever state it is."""
        if not _SECRET.fullmatch(secret):
            return None
        return self._read(self._path(sha256(secret.encode()).hexdigest()))

    def of_digest(self, digest: str) -> Token | None:
        """The token whose secret has this SHA-256, in whatever state it is."""
        return self._read(self._path(digest)) if _DIGEST.fullmatch(digest) else None

    def note_use(self, secret: str) -> None:
        """Remember that a token was used, to the minute."""
        path = self._path(sha256(secret.encode()).hexdigest())
        moment = datetime.now(UTC).timestamp()
        with suppress(OSError):  # a full or read-only disk is no reason to refuse
            if moment - path.stat().st_mtime > _FRESH:
                os.utime(path, (moment, moment))

    def all(self) -> list[Token]:
        """Every token that was made here, oldest first."""
        found = [token for path in self._files() if (token := self._read(path))]
        return sorted(found, key=lambda token: (token.created, token.id))

    def revoke(self, prefix: str) -> Token:
        """Refuse from now on the token whose id starts with `prefix`.

        Raises:
            NotFound: when there is none, or `prefix` is shorter than 4 digits.
            Ambiguous: when there are several.
        """
        with disk_errors("revoking the token"), locked(self._lock):
            path = self._named(prefix)
            token, used = self._read(path), path.stat().st_mtime
            assert token is not None
            if not token.revoked:
                token = replace(token, revoked=now())
                self._write(path.stem, token, used=used)
        return token

    def _named(self, prefix: str) -> Path:
        found = [path for path in self._files() if path.name.startswith(prefix)]
        if not found or len(prefix) < SHORTEST:
            hint = "`lineage token list` lists them; 4 digits of an id are enough"
            raise NotFound(f"there is no token {prefix}", hint=hint)
        if len(found) > 1:
            ids = sorted(path.stem[:_ID] for path in found)
            raise Ambiguous(f"{prefix!r} could be {len(found)} tokens", ids)
        return found[0]

    def _files(self) -> Iterator[Path]:
        return self._folder.glob("[0-9a-f]*.json")

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"

    def _read(self, path: Path) -> Token | None:
        try:
            with path.open("rb") as file:
                used = os.fstat(file.fileno()).st_mtime
                kept = json.load(file)
            kept["scopes"] = tuple(kept["scopes"])
            token = Token(**kept)
        except FileNotFoundError:
            return None
        except (OSError, TypeError, ValueError, KeyError) as error:
            hint = "remove the file, and make a new token"
            raise StoreError(f"{path} is damaged", hint=hint) from error
        moment = datetime.fromtimestamp(used, UTC)
        return replace(token, used=_text(moment) if used else None)

    def _write(self, digest: str, token: Token, *, used: float) -> None:
        """Keep `token`; its file is nobody else's to read, from the start."""
        path = self._path(digest)
        kept = {k: v for k, v in asdict(token).items() if k != "used"}
        write_atomically(path, json.dumps(kept).encode(), sync=True)
        os.utime(path, (used, used))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
