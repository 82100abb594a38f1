"""The keys that the auditor has from elsewhere, as OpenSSH writes them in files.

The format is that of ssh-keygen(1), ALLOWED SIGNERS. Lines with options that are not
understood here are refused, not skipped: an option limits what a key is good for.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from lineage.errors import UsageError
from lineage.store.disk import read_file
from lineage.store.sshsig import PublicKey

_FIELD = re.compile(r'(?:"[^"]*"|[^\s"])+')
_OPTION = re.compile(r'([a-z-]+)(?:="([^"]*)")?(?:,|$)', re.IGNORECASE)
_STAMP = re.compile(r"(\d{8})(\d{4})?(\d{2})?(Z?)", re.ASCII)
_SECONDS = len("2026-11-03T10:00:01")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One line: a key, for which namespaces, and between which times."""

    fingerprint: str
    who: str
    namespaces: tuple[str, ...]
    after: str
    before: str

    def covers(self, namespace: str, time: str) -> bool:
        """As OpenSSH does: in whole seconds, those of both ends included."""
        named = not self.namespaces or namespace in self.namespaces
        after, second, before = (t[:_SECONDS] for t in (self.after, time, self.before))
        return named and after <= second <= before


@dataclass(frozen=True, slots=True)
class Signers:
    """All lines of a file of allowed signers, and the keys that were revoked."""

    allowed: tuple[Allowed, ...]
    revoked: frozenset[str]

    @classmethod
    def read(cls, signers: Path, revoked: Path | None) -> Self:
        """Read the files.

        Raises:
            StoreError: when a file cannot be read.
            UsageError: when it holds something else.
        """
        allowed = (_allowed(line, signers) for line in _lines(signers))
        ended = (_key(line, revoked) for line in _lines(revoked)) if revoked else ()
        return cls(tuple(allowed), frozenset(key.fingerprint for key in ended))

    def fault(self, fingerprint: str, namespace: str, time: str) -> str:
        """Why a signature of that key is not good; "" where it is."""
        if fingerprint in self.revoked:
            return "is on your list of revoked keys"
        own = [line for line in self.allowed if line.fingerprint == fingerprint]
        if not own:
            return "is none of the keys that you hold"
        if any(line.covers(namespace, time) for line in own):
            return ""
        spaces = [line for line in own if line.covers(namespace, line.after)]
        if not spaces:
            return f"may not sign in the namespace {namespace}"
        return f"was not valid on {time[:10]}"


def _lines(path: Path) -> Iterator[str]:
    try:
        text = read_file(path).decode()
    except UnicodeDecodeError:
        hint = "`lineage key list --format allowed-signers` writes one"
        raise UsageError(f"{path} is no list of keys", hint=hint) from None
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _allowed(line: str, path: Path) -> Allowed:
    fields = _FIELD.findall(line)
    for at in (1, 2):
        with suppress(UsageError):
            key = PublicKey.parse(" ".join(fields[at : at + 2]))
            options = _options(fields[1], path) if at == 2 else {}
            break
    else:
        raise _not_signers(path, line)
    return Allowed(
        key.fingerprint,
        fields[0],
        tuple(filter(None, options.get("namespaces", "").split(","))),
        _time(options.get("valid-after"), "", path),
        _time(options.get("valid-before"), "9999", path),
    )


def _options(text: str, path: Path) -> Mapping[str, str]:
    found = {name.lower(): value for name, value in _OPTION.findall(text)}
    whole = "".join(match[0] for match in _OPTION.finditer(text))
    if whole != text or found.keys() - {"namespaces", "valid-after", "valid-before"}:
        raise _not_signers(path, text)
    return found


def _time(stamp: str | None, absent: str, path: Path) -> str:
    """A time as events hold it. One without a Z is the auditor's own."""
    if stamp is None:
        return absent
    found = _STAMP.fullmatch(stamp)
    if found is None:
        raise _not_signers(path, stamp)
    digits = f"{found[1]}{found[2] or '0000'}{found[3] or '00'}"
    try:
        when = datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007
        when = when.replace(tzinfo=UTC) if found[4] else when.astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or before the first year
        raise _not_signers(path, stamp) from None
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _key(line: str, path: Path | None) -> PublicKey:
    try:
        return PublicKey.parse(line)
    except UsageError:
        hint = "`lineage key list --revoked` writes it: one public key a line"
        raise UsageError(f"{path} is no list of public keys", hint=hint) from None


def _not_signers(path: Path, line: str) -> UsageError:
    hint = "`lineage key list --format allowed-signers` writes it"
    return UsageError(f"{path} is no list of allowed signers: {line[:60]!r}", hint=hint)
