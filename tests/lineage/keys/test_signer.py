"""Signing as events are written: nothing is recorded that could not count."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage import keys
from lineage.errors import Ambiguous, NotAllowed, NotFound, StoreError, UsageError
from lineage.keys.judge import Judge
from lineage.keys.making import add_file
from lineage.store.key_files import read_public
from lineage.verify.signatures import signature_findings

if TYPE_CHECKING:
    from pathlib import Path

    Team = Any


def refused(team: Team, error: type[Exception], match: str) -> None:
    """Nothing can be committed, attested or stored, and nothing was."""
    registry = team.registry
    before = registry.events_log.tip()
    file = registry.root / "file.txt"
    file.write_text("text", encoding="utf-8")
    with pytest.raises(error, match=match):
        registry.commit("dataset", "d", file)
    with pytest.raises(error, match=match):
        registry.attest("note")
    assert registry.events_log.tip() == before
    assert not [*registry.payloads.cache.glob("files/md5/*/*")]


def test_every_event_is_signed_once_a_key_is_set(team: Team) -> None:
    """Commits, names and statements carry the signature of `signing.key`."""
    from lineage.names_ops import set_branch, set_tag

    registry = team.registry
    registry.settings.set("signing.key", str(team.files["bob"]))
    made = registry.commit("config", "c", params={"x": 1})
    set_branch(registry, "b", made.id)
    set_tag(registry, "v1", made.id)
    registry.attest("review", subject=made.id)

    judge = Judge(registry)
    newest = [judge.standing(one) for one in registry.events_log.iterate()][:4]
    assert [one and one.says for one in newest] == ["signed by Bob (reviewer)"] * 4


def test_a_key_signs_before_there_are_keys(empty: Team) -> None:
    """A key that is set signs in a registry that nobody gave keys."""
    empty.registry.settings.set("signing.key", str(empty.files["bob"]))
    empty.registry.attest("note")

    found = empty.registry.git.read("refs/lineage/events")
    assert found
    assert b"\ngpgsig -----BEGIN SSH SIGNATURE-----\n" in found[1].data


def test_a_missing_key_is_an_error_before_anything_is_written(team: Team) -> None:
    """With a key that is not there nothing is stored and no event is unsigned."""
    team.registry.settings.set("signing.key", str(team.registry.root / "gone"))

    refused(team, StoreError, "there is no key")


def test_a_key_of_wrong_mode_is_an_error(team: Team, tmp_path: Path) -> None:
    """With a key that ssh refuses no event is recorded."""
    path = tmp_path / "wide"
    path.write_bytes(team.files["bob"].read_bytes())
    path.chmod(0o644)
    team.registry.settings.set("signing.key", str(path))
    before = team.registry.events_log.tip()

    with pytest.raises(StoreError, match="cannot sign"):
        team.registry.attest("note")
    assert team.registry.events_log.tip() == before


def test_no_event_is_silently_unsigned(team: Team) -> None:
    """Where events are signed, one without a key is refused, unless that is allowed."""
    refused(team, NotAllowed, "no key is set here")

    team.registry.settings.set("signing.required", "false")
    assert team.registry.attest("note")


@pytest.mark.parametrize(
    ("by", "type_", "match"),
    [
        ("eve", "note", "nobody has added the key SHA256:"),
        (
            "runner",
            "review",
            "Runner may not sign this: a runner's key signs no review",
        ),
        ("runner", "release", "a runner's key signs no release"),
        ("bob", "release", "a release takes a releaser"),
    ],
)
def test_what_would_not_count_is_refused(
    team: Team, by: str, type_: str, match: str
) -> None:
    """A signature that verify would complain of is not made."""
    team.registry.settings.set("signing.key", str(team.files[by]))

    with pytest.raises(NotAllowed, match=match):
        team.registry.attest(type_)


def test_a_revoked_key_signs_no_more(team: Team) -> None:
    """Whoever has a revoked key is told so, with the reason."""
    team.revoke("bob")
    team.registry.settings.set("signing.key", str(team.files["bob"]))

    with pytest.raises(NotAllowed, match="the key of Bob was revoked: lost"):
        team.registry.attest("note")


def test_the_first_key_adds_itself(empty: Team) -> None:
    """A first key that does not sign its own event, or adds nobody, is refused."""
    pub = empty.files["ada"].with_suffix(".pub")
    with pytest.raises(NotAllowed, match="the first key adds itself"):
        empty.add("bob", "releaser", by="ada")
    with pytest.raises(NotAllowed, match="the first key adds itself"):
        empty.add("ada", "reviewer")
    with pytest.raises(UsageError, match="is a releaser's"):
        add_file(empty.registry, pub, "Ada", "a@x", roles=["runner"])

    add_file(empty.registry, pub, "Ada", "ada@example.com")

    assert keys.find(empty.registry, "Ada").roles == ("reviewer", "releaser")
    assert empty.registry.settings.get("signing.key") == str(pub)


def test_a_runner_is_no_person(team: Team) -> None:
    """No key is both a runner's and a reviewer's."""
    with pytest.raises(UsageError, match="no person's"):
        team.add("eve", "runner", "reviewer")


def test_the_last_releaser_stays(team: Team) -> None:
    """The only key that can add others cannot be revoked; its successor is spared."""
    with pytest.raises(NotAllowed, match="the only releaser"):
        team.revoke("ada")

    team.add("bob", "releaser")
    team.revoke("ada", by="bob", since="")

    left = keys.current(team.registry).active(team.time(0))
    assert [key.name for key in left] == ["Bob"]


def test_keys_are_found_by_name_and_fingerprint(team: Team) -> None:
    """A name, an address or the beginning of a fingerprint means one key."""
    team.add("eve")
    team.add("rsa", by="ada")
    eve = team.public("eve").fingerprint
    for name in ("Eve", "eve@example.com", eve, eve[:20], eve[7:20]):
        assert keys.find(team.registry, name).fingerprint == eve
    with pytest.raises(NotFound, match="no key Zed"):
        keys.find(team.registry, "Zed")
    with pytest.raises(Ambiguous, match="means 5 keys"):
        keys.find(team.registry, "SHA256:")


def test_a_loop_signs_with_its_own_key(team: Team) -> None:
    """What a loop records is the runner's, whatever key is a person's here."""
    registry = team.registry
    registry.settings.set("signing.key", str(team.files["bob"]))
    with (
        pytest.raises(NotAllowed, match="a loop signs with a key of its own"),
        registry.signer.machine(),
    ):
        pass
    registry.settings.set("signing.runner-key", str(team.files["runner"]))
    with registry.signer.machine():
        registry.attest("gate")
        with pytest.raises(NotAllowed, match="a runner's key signs no review"):
            registry.attest("review")
    registry.attest("review")

    judge = Judge(registry)
    newest = [judge.standing(one) for one in registry.events_log.iterate()][:2]
    assert [one and one.key and one.key.name for one in newest] == ["Bob", "Runner"]


def test_a_machine_of_its_own_needs_no_second_setting(team: Team) -> None:
    """On a machine whose only key is a runner's, loops sign with that."""
    team.registry.settings.set("signing.key", str(team.files["runner"]))
    with team.registry.signer.machine():
        assert team.registry.attest("gate")


def test_a_loop_never_borrows_a_persons_key(empty: Team) -> None:
    """Without keys in the registry a loop's events are unsigned, not the person's."""
    empty.registry.settings.set("signing.key", str(empty.files["bob"]))
    with empty.registry.signer.machine():
        empty.registry.attest("gate")

    found = empty.registry.git.read("refs/lineage/events")
    assert found
    assert b"gpgsig" not in found[1].data


def test_key_events_are_found_by_every_road(team: Team) -> None:
    """The remembered key events are those of a fresh look, however the log grew."""
    registry = team.registry
    (registry.home / "keys").unlink()
    for number in range(40):
        team.write("ada" if number % 2 else "bob")
    team.add("eve")
    with closing(lineage.open(registry.root)) as fresh:
        assert sorted(fresh.key_log.oids()) == sorted(registry.key_log.oids())
        assert len(fresh.key_log.oids()) == 4
    (registry.home / "keys").write_bytes(b"{")
    with closing(lineage.open(registry.root)) as fresh:
        assert len(fresh.key_log.oids()) == 4
        assert list(signature_findings(fresh)) == []


def test_the_past_has_the_keys_of_its_time(team: Team) -> None:
    """A registry opened as it was knows no later key, and forgets none for others."""
    early = next(team.registry.events_log.iterate()).event.id
    team.add("eve")
    with closing(lineage.open(team.registry.root, at=early)) as past:
        assert len(keys.current(past).keys) == 3
    with closing(lineage.open(team.registry.root)) as present:
        assert len(keys.current(present).keys) == 4


def test_no_private_key_is_in_the_registry(team: Team) -> None:
    """The log holds public halves only."""
    text = b"".join(event.encoded for _, event in team.registry.events())
    assert read_public(team.files["ada"].with_suffix(".pub")).line.encode() in text
    assert b"PRIVATE" not in text


def test_who_only_reads_can_follow(team: Team) -> None:
    """A pull needs no key that counts; verify lets it be, unless it brings commits."""
    registry = team.registry
    with registry.signer.using(team.files["eve"]):  # who is added by what comes
        registry.attest("pull")
    pulled = registry.attest("pull")
    team.write("ada")
    assert list(signature_findings(registry)) == []
    event = next(event for id_, event in registry.events() if id_ == pulled)
    forged = replace(event, commits=(("1" * 64, "2" * 40),))
    with registry.events_log.locked() as lock:
        registry.events_log.append(forged, [], [], lock=lock)

    [problem] = signature_findings(registry)
    assert problem.what == "the event is not signed"
