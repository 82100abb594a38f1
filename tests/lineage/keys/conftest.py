"""Real SSH keys, people who hold them, and a log that they sign."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage import keys
from lineage.keys.judge import Judge
from lineage.store.events import EventLog
from lineage.store.key_files import generate, read_public
from lineage.store.objects import Event
from lineage.store.signing import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry
    from lineage.store.event_reading import Logged
    from lineage.store.sshsig import PublicKey

KINDS = {
    "ecdsa": ["-N", "", "-t", "ecdsa", "-b", "256"],
    "ecdsa521": ["-N", "", "-t", "ecdsa", "-b", "521"],
    "rsa": ["-N", "", "-t", "rsa", "-b", "2048"],
    "locked": ["-N", "secret", "-t", "ed25519"],
}
PEOPLE = ("ada", "bob", "eve", "runner")


class Files(dict[str, Path]):
    """Keys by their name; a test with one that only OpenSSH makes is skipped."""

    def __missing__(self, name: str) -> Path:
        pytest.skip(f"not on this machine: ssh-keygen, for the key {name}")


@pytest.fixture(scope="session")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """One key of each kind, one for each person, and a locked one."""
    folder = tmp_path_factory.mktemp("keys")
    made = Files({name: folder / name for name in (*PEOPLE, "ed25519")})
    for name, path in made.items():
        generate(path, name, passphrase=False)
    if shutil.which("ssh-keygen"):
        for name, words in KINDS.items():
            common = ["ssh-keygen", "-q", "-C", name, "-f", str(folder / name)]
            subprocess.run([*common, *words], check=True)
            made[name] = folder / name
    return made


@dataclass
class Team:
    """A registry whose log people sign; ada's key is the first one."""

    registry: Registry
    files: dict[str, Path]
    start: datetime = field(default_factory=lambda: datetime.now(UTC))

    def public(self, who: str) -> PublicKey:
        return read_public(Path(f"{self.files[who]}.pub"))

    def time(self, days: float) -> str:
        """A time so many days from now, as events hold it."""
        when = (self.start + timedelta(days=days)).isoformat(timespec="microseconds")
        return when.replace("+00:00", "Z")

    def add(self, who: str, *roles: str, by: str = "ada", **limits: Any) -> str:
        with self.registry.signer.using(self.files[by]):
            return keys.add(
                self.registry,
                self.public(who),
                who.title(),
                f"{who}@example.com",
                roles=roles,
                **limits,
            )

    def revoke(self, who: str, *, by: str = "ada", since: str | None = None) -> str:
        with self.registry.signer.using(self.files[by]):
            found = keys.find(self.registry, self.public(who).fingerprint)
            return keys.revoke(self.registry, found, reason="lost", since=since)

    def write(
        self,
        by: str | None,
        type_: str = "note",
        *,
        days: float = 0,
        merged: tuple[str, ...] = (),
        data: dict[str, Any] | None = None,
    ) -> Logged:
        """Append an event past every check, as whoever can write refs can."""
        registry = self.registry
        event = Event(type_, self.time(days), registry.actor(), data=data or {})

        def signer(_: Event, commit: bytes) -> bytes | None:
            return sign(commit, self.files[by]) if by else None

        log = EventLog(registry.git, registry.home, signer=signer)
        with log.locked() as lock:
            return log.append(event, [], [], lock=lock, merged=merged)

    def said(self, logged: Logged) -> str:
        """What is said of an event's signature; "" before there were keys."""
        standing = Judge(self.registry).standing(logged)
        return standing.says if standing else ""

    def state(self, logged: Logged) -> str:
        standing = Judge(self.registry).standing(logged)
        return standing.state if standing else ""


@pytest.fixture
def empty(tmp_path: Path, key_files: dict[str, Path]) -> Iterator[Team]:
    """Make a registry without keys."""
    with closing(lineage.init(tmp_path / "repo")) as registry:
        yield Team(registry, key_files)


@pytest.fixture
def team(empty: Team) -> Team:
    """Let ada add others and review, bob review, and the runner run."""
    empty.add("ada", "reviewer", "releaser")
    empty.add("bob", "reviewer")
    empty.add("runner", "runner")
    return empty
