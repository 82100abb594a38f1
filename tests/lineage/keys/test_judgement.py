"""Judging signatures: every state, and every way to forge that we know."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import LineageError
from lineage.keys import current, exports
from lineage.keys.judge import Judge
from lineage.store import names
from lineage.store.event_commit import KEY, signed, unsigned
from lineage.store.git_objects import GitObject
from lineage.store.signing import sign
from lineage.verify import verify
from lineage.verify.signatures import signature_findings
from tests.tools import needs_openssh

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.store.event_reading import Logged

    Team = Any


def newest(team: Team) -> GitObject:
    found: tuple[str, GitObject] | None = team.registry.git.read(names.EVENTS)
    assert found
    return found[1]


def put(team: Team, data: bytes) -> None:
    """Make a commit the newest event, as whoever can write refs can."""
    made = GitObject("commit", data)
    team.registry.git.write([made])
    team.registry.git.run("update-ref", names.EVENTS, made.oid)


def last(team: Team) -> Logged:
    newest_: Logged = next(team.registry.events_log.iterate())
    return newest_


def problems(team: Team) -> list[str]:
    return [problem.what for problem in signature_findings(team.registry)]


def test_nothing_is_said_without_keys(empty: Team) -> None:
    """In a registry without keys no signature is judged, good or none."""
    written = [empty.write(None), empty.write("ada"), empty.write(None, "review")]

    assert [empty.said(one) for one in written] == ["", "", ""]
    assert problems(empty) == []


WHO_MAY = [
    ("ada", "note", "good"),
    ("ada", "review", "good"),
    ("ada", "release", "good"),
    ("bob", "note", "good"),
    ("bob", "review", "good"),
    ("bob", "release", "role"),
    ("bob", KEY, "role"),
    ("runner", "note", "good"),
    ("runner", "gate", "good"),
    ("runner", "review", "role"),
    ("runner", "statement", "role"),
    ("runner", "taint", "role"),
    ("runner", "release", "role"),
    ("runner", KEY, "role"),
    ("eve", "note", "unknown"),
    ("eve", "review", "unknown"),
    ("eve", KEY, "unknown"),
    (None, "note", "unsigned"),
    (None, KEY, "unsigned"),
]


def test_who_may_sign_what(team: Team) -> None:
    """A key's roles say what it may sign; without one it is unknown or unsigned."""
    for by, type_, state in WHO_MAY:
        before = len(problems(team))
        written = team.write(by, type_)
        assert (by, type_, team.state(written)) == (by, type_, state)
        assert (state == "good") is (len(problems(team)) == before)


def test_every_kind_of_key_signs(team: Team) -> None:
    """Keys of each kind are added, sign, and are judged good."""
    for kind in ("ed25519", "ecdsa", "ecdsa521", "rsa"):
        team.add(kind)
        assert team.said(team.write(kind)) == f"signed by {kind.title()}"


def test_a_key_counts_from_its_event_on(team: Team) -> None:
    """What a key signed before anybody had added it stays unknown."""
    early = team.write("eve")
    team.add("eve")
    late = team.write("eve")

    assert (team.state(early), team.state(late)) == ("unknown", "good")


def test_events_before_the_first_key_are_not_judged(empty: Team) -> None:
    """Keys say nothing of what was before them."""
    early = empty.write(None)
    empty.add("ada", "releaser")

    assert empty.said(early) == ""
    assert problems(empty) == []


def test_expiry_is_judged_as_of_the_signing_time(team: Team) -> None:
    """An expired key's earlier signatures stay good, and renewing it heals no gap."""
    team.add("eve", valid_until=team.time(2))
    good = team.write("eve", days=1)
    late = team.write("eve", days=3)
    team.add("eve", valid_until=team.time(9))
    again = team.write("eve", days=4)

    assert [team.state(one) for one in (good, late, again)] == [
        "good",
        "expired",
        "good",
    ]
    assert "Eve, which expired on" in team.said(late)


def test_a_key_is_not_valid_before_its_time(team: Team) -> None:
    """A key with a first day signs nothing before it."""
    team.add("eve", valid_from=team.time(5))

    assert "is valid from" in team.said(team.write("eve"))
    assert team.state(team.write("eve", days=6)) == "good"


def test_a_backdated_event_of_an_expired_key_is_found(team: Team) -> None:
    """An event counts as no older than the one right before it."""
    team.add("eve", valid_until=team.time(2))
    team.write("ada", days=5)

    assert team.state(team.write("eve", days=1)) == "expired"


def test_revocation_ends_a_key_whatever_time_is_claimed(team: Team) -> None:
    """After a revocation no signature counts; what was before it stays."""
    good = team.write("bob", "review")
    team.revoke("bob")
    late, backdated = team.write("bob"), team.write("bob", days=-30)

    assert team.state(good) == "good"
    assert (team.state(late), team.state(backdated)) == ("revoked", "revoked")
    assert team.said(late).endswith(
        "the key of Bob (reviewer), which was revoked: lost"
    )


def test_a_revocation_reaches_back_to_its_time(team: Team) -> None:
    """With `since`, what the key signed from then on is void, and nothing earlier."""
    good = team.write("bob", days=0)
    stolen = team.write("bob", days=2)
    team.revoke("bob", since=team.time(1))

    assert (team.state(good), team.state(stolen)) == ("good", "revoked")


def test_a_revocation_can_void_everything(team: Team) -> None:
    """With an empty `since` nothing that the key ever signed counts."""
    first = team.write("bob")
    team.revoke("bob", since="")

    assert team.state(first) == "revoked"


def test_keys_added_by_a_stolen_key_fall_with_it(team: Team) -> None:
    """Voiding a releaser's key from some time on revokes what it added since."""
    team.add("bob", "releaser")
    early = team.add("rsa", by="bob")
    team.write("ada", days=2)
    data = {"action": "add", "name": "Eve", "email": "eve@x", "roles": ["releaser"]}
    data |= {"key": (eve := team.public("eve")).line, "fingerprint": eve.fingerprint}
    team.write("bob", KEY, days=2, data=data)
    forged = team.write("eve", days=2)
    assert early
    assert team.state(forged) == "good"

    team.revoke("bob", since=team.time(1))

    assert team.state(forged) == "revoked"
    assert team.state(team.write("eve", days=3)) == "revoked"
    assert team.state(team.write("rsa", days=3)) == "good"


def test_a_revoked_key_does_not_come_back(team: Team) -> None:
    """Adding a revoked key again has no effect, and is refused beforehand."""
    team.revoke("bob")
    with pytest.raises(LineageError, match="was revoked"):
        team.add("bob", "reviewer")
    bob = team.public("bob")
    data = {"action": "add", "name": "Bob", "email": "b@x", "key": bob.line}
    team.write("ada", KEY, data={**data, "fingerprint": bob.fingerprint})

    assert team.state(team.write("bob")) == "revoked"


def test_a_key_cannot_add_itself(team: Team) -> None:
    """A key event of somebody who may not is a finding, and adds nothing."""
    eve = team.public("eve")
    data = {"action": "add", "name": "Eve", "email": "e@x", "roles": ["releaser"]}
    data |= {"key": eve.line, "fingerprint": eve.fingerprint}
    for by, said in ((None, "is not signed"), ("eve", "which nobody had added")):
        written = team.write(by, KEY, data=data)
        assert said in team.said(written)
    assert team.state(team.write("eve")) == "unknown"
    assert "a key takes a releaser" in team.said(team.write("bob", KEY, data=data))


def test_nobody_founds_a_log_but_the_first(empty: Team) -> None:
    """A key event that its own key does not sign starts nothing; the next can."""
    eve = empty.public("eve")
    data = {"action": "add", "name": "Eve", "email": "e@x", "roles": ["releaser"]}
    data |= {"key": eve.line, "fingerprint": eve.fingerprint}
    empty.write(None, KEY, data=data)
    empty.write("bob", KEY, data=data)
    assert (
        problems(empty)
        == ["the key event does not add the key that it is signed with"] * 2
    )

    empty.add("ada", "releaser")

    root = Judge(empty.registry).keys.root
    assert root
    assert root.name == "Ada"
    assert problems(empty) == []


def test_a_pinned_anchor_refuses_another_root(team: Team) -> None:
    """Where `signing.anchor` names another key than the first, verify says so."""
    other = team.public("eve").fingerprint
    team.registry.settings.set("signing.anchor", other)
    assert problems(team)[0] == f"no key event is signed by the anchor {other}"

    team.registry.settings.set("signing.anchor", team.public("ada").fingerprint)
    assert problems(team) == []


def test_unsigned_events_can_be_let_be(team: Team) -> None:
    """`signing.required = false` silences unsigned events and nothing else."""
    team.write(None)
    team.write("eve")
    assert len(problems(team)) == 2

    team.registry.settings.set("signing.required", "false")

    assert [what[:34] for what in problems(team)] == [
        "the event is signed with SHA256:" + team.public("eve").fingerprint[7:9]
    ]


# two logs that met


def fork(team: Team) -> str:
    tip = team.registry.events_log.tip()
    assert tip
    return str(tip)


def back_to(team: Team, oid: str) -> None:
    """Go on from an older event, as a clone does that never saw the later ones."""
    team.registry.git.run("update-ref", names.EVENTS, oid)
    (team.registry.home / "rolled").unlink()


def test_a_signature_beside_a_revocation_does_not_count(team: Team) -> None:
    """Whoever signs with a revoked key beside its revocation is found, backdated too.

    The signer may not have known; nobody else can tell.
    """
    start = fork(team)
    hidden = team.write("bob", days=-1)
    back_to(team, start)
    team.revoke("bob")
    team.write("ada", merged=(hidden.git,))

    assert team.state(hidden) == "revoked"


def test_a_key_added_beside_a_revocation_falls_with_it(team: Team) -> None:
    """A revoked releaser cannot hide a new key on another branch of the log."""
    team.add("bob", "releaser")
    start = fork(team)
    team.add("eve", "reviewer", by="bob")
    hidden = last(team)
    back_to(team, start)
    team.revoke("bob")
    team.write("ada", merged=(hidden.git,))

    assert team.state(hidden) == "revoked"
    assert team.state(team.write("eve")) == "revoked"


def test_work_beside_the_first_key_is_judged(empty: Team) -> None:
    """Only what is before the first key is left alone, not what goes around it."""
    start = fork(empty)
    beside = empty.write(None)
    back_to(empty, start)
    empty.add("ada", "releaser")
    empty.write("ada", merged=(beside.git,))

    assert empty.state(beside) == "unsigned"


def test_of_two_roots_the_own_one_counts(empty: Team) -> None:
    """Two first keys that met: the one on this registry's own chain is trusted."""
    start = fork(empty)
    empty.add("eve", "releaser", by="eve")
    theirs = last(empty)
    back_to(empty, start)
    empty.add("ada", "releaser")
    empty.write("ada", merged=(theirs.git,))
    root = Judge(empty.registry).keys.root
    assert root
    assert root.name == "Ada"
    assert empty.state(theirs) == "unknown"

    ours = last(empty).git
    back_to(empty, theirs.git)
    empty.write("eve", merged=(ours,))

    root = Judge(empty.registry).keys.root
    assert root
    assert root.name == "Eve"


@pytest.mark.parametrize("near", [0, 1, 3, 64])
def test_a_judgement_is_the_same_near_and_far(
    near: int, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few events count as near, each is judged as when all are gone through."""
    team.write("bob")
    start = fork(team)
    hidden = team.write("bob")
    back_to(team, start)
    team.write("eve")
    team.revoke("bob")
    for by in ("ada", "bob"):
        team.write(by, merged=(hidden.git,) if by == "ada" else ())
    expected = list(Judge(team.registry).standings())
    monkeypatch.setattr("lineage.keys.judge._NEAR", near)
    judge = Judge(team.registry)

    assert [(one, judge.standing(one)) for one, _ in reversed(expected)] == [
        *reversed(expected)
    ]
    assert {standing.state for _, standing in expected if standing} == {
        "good", "unknown", "revoked"
    }  # fmt: skip


# forgeries of bytes


def test_a_signature_of_another_event_does_not_hold(team: Team) -> None:
    """A signature that was moved to another event is bad, though its key is good."""
    team.write("ada")
    _, armored = unsigned(newest(team).data)
    team.write(None)
    assert armored
    put(team, signed(newest(team), armored).data)

    assert team.said(last(team)) == "has a signature that does not hold"
    assert "the event has a signature that does not hold" in [
        problem.what for problem in verify(team.registry).problems
    ]


def test_a_changed_header_breaks_the_signature(team: Team) -> None:
    """The signature covers author, time, parents and the id of the event."""
    team.write("ada")
    good = newest(team).data
    for old, new in (
        (rb"author [^<]*<", b"author Eve <"),
        (rb"\nLineage-Event: .", b"\nLineage-Event: _"),
        (rb"\n\nnote", b"\n\nnot"),
    ):
        put(team, re.sub(old, new, good, count=1))
        assert team.state(last(team)) == "bad"


def test_a_signature_that_is_none_of_ssh_is_bad(team: Team) -> None:
    """What is no SSH signature at all counts as bad, not as unsigned."""
    team.write(None)
    put(team, signed(newest(team), b"-----BEGIN PGP SIGNATURE-----\nx").data)

    assert team.said(last(team)).endswith("does not hold: it is none of SSH")


def test_a_signature_taken_off_is_missed(team: Team) -> None:
    """Without its signature the newest event is unsigned, and its id the same."""
    written = team.write("ada")
    put(team, unsigned(newest(team).data)[0])

    assert last(team).event.id == written.event.id
    assert team.state(last(team)) == "unsigned"


def test_two_signatures_are_none(team: Team) -> None:
    """A commit with a second signature is not the one that the log determines."""
    team.write("ada")
    once = newest(team)
    put(team, signed(once, sign(once.data, team.files["bob"])).data)

    assert "its git commit is not the one that follows from the events" in [
        problem.what for problem in verify(team.registry).problems
    ]


SENSELESS: tuple[dict[str, Any], ...] = (
    {"action": "grant"},
    {"key": "ssh-ed25519 AAAA"},
    {"fingerprint": "SHA256:other"},
    {"until": "tomorrow"},
    {"roles": 7},
    {"name": None},
)


def test_a_key_event_that_makes_no_sense_adds_nothing(team: Team) -> None:
    """A key event of a form that nobody knows is a finding, whoever signed it."""
    eve = team.public("eve")
    data = {"action": "add", "name": "Eve", "email": "e@x", "key": eve.line}
    for number, change in enumerate(SENSELESS, start=1):
        whole = {**data, "fingerprint": eve.fingerprint, **change}
        team.write("ada", KEY, data=whole)
        assert problems(team) == ["the key event cannot be read"] * number
    assert team.state(team.write("eve")) == "unknown"


# what others say


def git_says(team: Team, tmp_path: Path) -> list[str]:
    """What git finds of all events, oldest first: G, U (unknown), B (bad), N (none)."""
    ring = current(team.registry)
    allowed, revoked = tmp_path / "allowed", tmp_path / "revoked"
    allowed.write_text("".join(f"{x}\n" for x in exports.allowed_signers(ring)))
    revoked.write_text("".join(f"{x}\n" for x in exports.revoked(ring)))
    files = ["-c", f"gpg.ssh.allowedSignersFile={allowed}"]
    log = ["log", "--reverse", "--topo-order", "--format=%G?", names.EVENTS]
    done = subprocess.run(
        ["git", *files, *log],
        cwd=team.registry.root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_git_agrees(team: Team, tmp_path: Path) -> None:
    """With the exported keys alone, git finds good what we find good."""
    for kind in ("ecdsa", "rsa"):
        team.add(kind)
    team.add("eve", valid_until=team.time(2))
    for by in ("ada", "bob", "ecdsa", "rsa", "ed25519", "eve", None):
        team.write(by)
    team.write("eve", days=3)
    team.write("bob", days=4)
    team.revoke("bob", since=team.time(3.5))

    judge = Judge(team.registry)
    log = team.registry.events_log.iterate(oldest_first=True)
    ours = [judge.standing(one) for one in log]

    git = git_says(team, tmp_path)
    assert git[0] == "N"
    assert [said == "G" for said in git[1:]] == [
        one is not None and one.state == "good" for one in ours[1:]
    ]


@needs_openssh
def test_git_verifies_a_commit_with_the_exported_keys(
    team: Team, tmp_path: Path
) -> None:
    """Plain `git verify-commit` accepts an event and names its signer."""
    team.write("bob", "review")
    allowed = tmp_path / "allowed"
    lines = exports.allowed_signers(current(team.registry))
    allowed.write_text("".join(f"{line}\n" for line in lines))

    config = ["-c", f"gpg.ssh.allowedSignersFile={allowed}"]
    done = subprocess.run(
        ["git", *config, "verify-commit", names.EVENTS],
        cwd=team.registry.root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert 'Good "git" signature for bob@example.com' in done.stderr
