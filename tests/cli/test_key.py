"""`lineage key`: making, adding, listing and revoking keys, and what is shown."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.store.key_files import generate
from lineage.store.settings import Settings
from lineage.store.signing import sign
from tests.tools import needs_openssh

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

    Run = Any
    Transcript = Callable[..., str]

pytestmark = pytest.mark.usefixtures("own_config")  # keys are made

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
PUBLIC = re.compile(r"AAAA[A-Za-z0-9+/=]{40,}")
TIME = re.compile(r"20\d{12}Z")
DATE = re.compile(r"\d{4}-\d\d-\d\d(?=[ .]|$)", re.MULTILINE)


@pytest.fixture
def said(transcript: Transcript) -> Transcript:
    """Give transcripts whose fingerprints, keys and dates are the same in each run."""

    def said(*commands: str) -> str:
        found: dict[str, str] = {}
        text = FINGERPRINT.sub(
            lambda m: found.setdefault(m[0], f"SHA256:{'ABCD'[len(found)] * 8}"),
            transcript(*commands),
        )
        text = TIME.sub("20260102030405Z", PUBLIC.sub("AAAA…", text))
        return re.sub(r" +$", "", text, flags=re.MULTILINE)

    return said


GENERATE = "key generate --no-passphrase"
RUNNER = "key generate runner --role runner --no-passphrase"


def test_generate_and_list(repo: Registry, said: Transcript) -> None:
    """The first key may add others; a runner's key goes into a setting of its own."""
    assert said(
        "key list",
        GENERATE,
        RUNNER,
        "key list",
        "key list --format allowed-signers",
    ) == snapshot("""\
$ lineage key list
2> there are no keys
$ lineage key generate --no-passphrase
SHA256:AAAAAAAA
2> /test/config/lineage/keys/Ada-Example signs here from now on
$ lineage key generate runner --role runner --no-passphrase
SHA256:BBBBBBBB
2> /test/config/lineage/keys/runner signs here from now on
$ lineage key list
name         email            roles               state   valid  fingerprint
Ada Example  ada@example.com  reviewer, releaser  active         SHA256:AAAAAAAA
runner       ada@example.com  runner              active         SHA256:BBBBBBBB
2> trust starts at SHA256:AAAAAAAA of Ada Example: compare it by another way
$ lineage key list --format allowed-signers
ada@example.com namespaces="git,lineage-report" ssh-ed25519 AAAA…
ada@example.com namespaces="git" ssh-ed25519 AAAA…
""")
    own = Settings(repo.home).section("signing.")
    assert own.keys() == {"signing.key", "signing.runner-key"}


def test_a_second_person(
    repo: Registry, said: Transcript, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who cannot add keys is told what a releaser has to do, and signs nothing yet."""
    said(GENERATE)
    repo.settings.unset("signing.key")
    told = said(
        "key generate Bob --email bob@example.com --no-passphrase",
        "commit config --name c --param x=1",
    )
    assert told == snapshot("""\
$ lineage key generate Bob --email bob@example.com --no-passphrase
SHA256:AAAAAAAA
2> /test/config/lineage/keys/Bob signs here from now on
2> a releaser has to add it before; this goes into FILE.pub:
2>   ssh-ed25519 AAAA…
2>   lineage key add FILE.pub --name 'Bob' --email bob@example.com
$ lineage commit config --name c --param x=1
2> error: nobody has added the key SHA256:AAAAAAAA, with which this is signed
2> hint: a releaser adds it: `lineage key add FILE.pub`
exit 4
""")
    shutil.copy(tmp_path / "config/lineage/keys/Bob.pub", "bob.pub")
    monkeypatch.setenv(
        "LINEAGE_SIGNING_KEY", str(tmp_path / "config/lineage/keys/Ada-Example")
    )
    assert said(
        "key add bob.pub --name Bob --email bob@example.com --role reviewer",
        "key add bob.pub --name Bob --email bob@example.com --until 2001-01-01",
    ) == snapshot("""\
$ lineage key add bob.pub --name Bob --email bob@example.com --role reviewer
aaaaaaaaaaaa…
2> SHA256:AAAAAAAA of Bob is added
$ lineage key add bob.pub --name Bob --email bob@example.com --until 2001-01-01
2> error: the key would be valid until 2001-01-01: in no time
exit 2
""")
    monkeypatch.delenv("LINEAGE_SIGNING_KEY")
    assert said(
        "commit config --name c --param x=1",
        "key revoke 'Ada Example' --reason x",
    ) == snapshot("""\
$ lineage commit config --name c --param x=1
aaaaaaaaaaaa…
2> config c recorded on config/c
$ lineage key revoke 'Ada Example' --reason x
2> error: Ada Example is the only releaser that is left
2> hint: add another first: `lineage key add FILE.pub --role releaser`
exit 4
""")


def test_events_say_who_signed(repo: Registry, said: Transcript, run: Run) -> None:
    """Once there are keys, events and show tell good signatures from others."""
    from lineage.store.events import EventLog, now
    from lineage.store.objects import Event

    made = repo.commit("config", "c", params={"x": 1})
    said(GENERATE, RUNNER)
    run("tag", "v1", made.id)
    review = Event("review", now(), repo.actor(), "fine", subject=made.id)
    log = EventLog(repo.git, repo.home)
    with log.locked() as lock:
        log.append(review, [], [], lock=lock)
    assert said(
        "events",
        "show v1",
        "verify",
        "key revoke runner --reason 'machine sold'",
        "key list",
    ) == snapshot("""\
$ lineage events
event     time              by           signed by    what    subject
aaaaaaaa  2026-01-02 03:04  Ada Example  unsigned     review  bbbbbbbb
  fine
cccccccc  2026-01-02 03:04  Ada Example  Ada Example  tag     v1
dddddddd  2026-01-02 03:04  Ada Example  Ada Example  key
  add runner (runner)
eeeeeeee  2026-01-02 03:04  Ada Example  Ada Example  key
  add Ada Example (reviewer, releaser)
ffffffff  2026-01-02 03:04  Ada Example               commit  config/c
gggggggg  2026-01-02 03:04  Ada Example               init
$ lineage show v1
config c (HEAD -> config/c, tag: v1)
id        bbbbbbbbbbbb…
git       hhhhhhhhhhhh…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>

params
  name  value
  x     1

events
  time              event   by           signed by                         message
  2026-01-02 03:04  review  Ada Example  unsigned                          fine
  2026-01-02 03:04  tag     Ada Example  Ada Example (reviewer, releaser)  v1
$ lineage verify
id            path  problem
aaaaaaaaaaaa        the event is not signed
2> 1 commit checked: 1 problem
exit 3
$ lineage key revoke runner --reason 'machine sold'
iiiiiiiiiiii…
2> SHA256:AAAAAAAA of runner is revoked
$ lineage key list
name         email            roles               state    valid  fingerprint
Ada Example  ada@example.com  reviewer, releaser  active          SHA256:BBBBBBBB
runner       ada@example.com  runner              revoked         SHA256:AAAAAAAA
2> trust starts at SHA256:BBBBBBBB of Ada Example: compare it by another way
""")
    found = run("events", "--format", "json").json()["events"]
    assert [one.get("signature", {}).get("state") for one in found] == [
        "good", "unsigned", "good", "good", "good", None, None,
    ]  # fmt: skip
    assert found[0]["signature"]["says"] == "signed by Ada Example (reviewer, releaser)"


@needs_openssh
def test_a_key_of_ones_own(repo: Registry, said: Transcript, tmp_path: Path) -> None:
    """A key that was there before is used and added; a private one is not read."""
    path = tmp_path / "id"
    words = ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(path)]
    subprocess.run(words, check=True)
    assert said(
        f"key add {path}",
        "key add .git/config",
        f"key add {path}.pub --role reviewer",
        f"key add {path}.pub --name Ada --until 2100-01-01",
        f"config signing.key {path}x",
        "commit config --name c --param x=1",
        f"config signing.key {path}",
        "key list",
        f"key add {path}.pub --name Ada --until 2101-01-01",
        "key revoke SHA256:zzz --reason x",
        "key revoke Ada --reason ''",
        "key revoke Ada --reason x --since 2026-01-01 --all",
    ) == snapshot("""\
$ lineage key add /test/id
2> error: /test/id is a private key
2> hint: give its public half: /test/id.pub
exit 2
$ lineage key add .git/config
2> error: .git/config holds no public key of SSH
2> hint: give the .pub file that ssh-keygen made
exit 2
$ lineage key add /test/id.pub --role reviewer
2> error: the first key of a registry is a releaser's
2> hint: begin with a person's: `lineage key generate`
exit 2
$ lineage key add /test/id.pub --name Ada --until 2100-01-01
aaaaaaaaaaaa…
2> SHA256:AAAAAAAA of Ada is added
$ lineage config signing.key /test/idx
$ lineage commit config --name c --param x=1
2> error: there is no key /test/idx
2> hint: `lineage config signing.key FILE` says which one signs
exit 1
$ lineage config signing.key /test/id
$ lineage key list
name  email            roles               state   valid             fingerprint
Ada   ada@example.com  reviewer, releaser  active  until 2100-01-01  SHA256:AAAAAAAA
2> trust starts at SHA256:AAAAAAAA of Ada: compare it by another way
$ lineage key add /test/id.pub --name Ada --until 2101-01-01
2> error: Ada is the only releaser that is left
2> hint: give it the role again, `--role releaser`, or add another first
exit 4
$ lineage key revoke SHA256:zzz --reason x
2> error: there is no key SHA256:zzz
2> hint: `lineage key list` shows them
exit 5
$ lineage key revoke Ada --reason ''
2> error: --reason is empty
2> hint: give it a value
exit 2
$ lineage key revoke Ada --reason x --since 2026-01-01 --all
2> error: --since and --all are two ways to say it: give one
exit 2
""")
    assert Settings(repo.home).get("signing.key") == str(path)


def test_generate_asks_on_a_terminal_only(repo: Registry, said: Transcript) -> None:
    """Without a person to ask, a passphrase has to be declined in so many words."""
    assert said("key generate", f"{GENERATE} --role king") == snapshot("""\
$ lineage key generate
2> error: nobody is here to type a passphrase
2> hint: run it on a terminal, or give --no-passphrase
exit 2
$ lineage key generate --no-passphrase --role king
2> error: 'king' is not a role of a key
2> hint: one of: runner, reviewer, releaser
exit 2
""")
    assert repo.key_log.oids() == []


@needs_openssh
@pytest.mark.usefixtures("repo")
def test_what_openssh_reads(run: Run, tmp_path: Path) -> None:
    """`ssh-keygen -Y verify` takes the exported files, and refuses a revoked key."""
    run("key", "generate", "--no-passphrase")
    run(*RUNNER.split())
    made = sign(b"x", tmp_path / "config/lineage/keys/runner")
    (tmp_path / "sig").write_bytes(made)
    words = ["-f", "allowed", "-r", "revoked", "-s", "sig", "-n", "git"]

    def verdict() -> int:
        allowed = run("key", "list", "--format", "allowed-signers").stdout
        (tmp_path / "allowed").write_text(allowed, encoding="utf-8")
        revoked = run("key", "list", "--revoked").stdout
        (tmp_path / "revoked").write_text(revoked, encoding="utf-8")
        command = ["ssh-keygen", "-Y", "verify", *words, "-I", "ada@example.com"]
        return subprocess.run(
            command, input=b"x", cwd=tmp_path, capture_output=True, check=False
        ).returncode

    assert verdict() == 0
    run("key", "revoke", "runner", "--reason", "sold")
    assert verdict() != 0


def on_a_terminal(words: str, *typed: str) -> tuple[int, str]:
    """Run a command on a terminal of its own and type at each prompt; what it shows."""
    command = [sys.executable, "-m", "lineage", *words.split()]
    child, terminal = pty.fork()
    if not child:  # pragma: no cover
        os.execv(command[0], command)  # noqa: S606
    shown, answers = b"", list(typed)
    while True:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # its other end is closed
            break
        if answers and shown.endswith(b": "):
            os.write(terminal, f"{answers.pop(0)}\n".encode())
            shown += b"\n"
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


@needs_openssh
def test_a_key_with_a_passphrase(repo: Registry, run: Run) -> None:
    """The terminal asks it, twice for a new key; without it nothing is written."""
    code, shown = on_a_terminal("key generate", "sesame", "sesame", "sesame")
    assert (code, shown.count("Enter ")) == (0, 3), shown
    assert "signs here from now on" in shown
    tip = repo.events_log.tip()

    code, shown = on_a_terminal("commit config --name c --param x=1", "wrong")
    assert code == 1
    assert "incorrect passphrase" in shown
    assert repo.events_log.tip() == tip
    code, shown = on_a_terminal("commit config --name c --param x=1", "sesame")
    assert (code, list(repo.branches())) == (0, ["config/c"]), shown
    assert run("verify").exit_code == 0


def test_key_events_are_not_undone(repo: Registry, said: Transcript) -> None:
    """The command says so, and how a key ends; nothing is written."""
    said(GENERATE)
    tip = repo.events_log.tip()
    assert said(f"undo {tip}", "undo") == snapshot("""\
$ lineage undo aaaaaaaaaaaa…
2> error: the event bbbbbbbb (key) moved no name
2> hint: a key ends with `lineage key revoke`
exit 4
$ lineage undo
2> error: there is nothing to undo
2> hint: `lineage events` lists them all
exit 5
""")
    assert repo.events_log.tip() == tip


@pytest.mark.usefixtures("repo")
def test_a_day_counts_whole(run: Run, tmp_path: Path) -> None:
    """A key is valid to the last moment of its last day, in UTC as all dates are."""
    generate(tmp_path / "id", "", passphrase=False)
    until = ("--from", "2026-01-01", "--until", "2100-01-31")
    assert run("key", "add", tmp_path / "id.pub", "--name", "A", *until).exit_code == 0
    [key] = run("key", "list", "--format", "json").json()["keys"]

    assert key["from"] == "2026-01-01T00:00:00.000000Z"
    assert key["until"] == "2100-01-31T23:59:59.999999Z"
