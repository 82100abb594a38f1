"""Signatures as reports have them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage import keys, releases, stated
from lineage.audit.report import report
from lineage.errors import NotAllowed
from lineage.keys.judge import Judge
from lineage.keys.signatures import Signature, Signatures, words
from lineage.store.key_files import generate, read_public

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lineage.keys.ring import Standing
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged

PEOPLE = {
    "ada": ("reviewer", "releaser"),
    "bob": ("reviewer",),
    "runner": ("runner",),
}


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[Registry]:
    """A registry with a commit from before there were keys, and three keys."""
    with closing(lineage.init(tmp_path / "signed")) as registry:
        registry.commit("model", "m", params={"x": 1})
        stated.state(registry, registry.resolve("model/m"), {"purpose": "sums"})
        for name, roles in PEOPLE.items():
            generate(tmp_path / name, name, passphrase=False)
            public = read_public(tmp_path / f"{name}.pub")
            mail = f"{name}@example.com"
            with registry.signer.using(tmp_path / "ada"):
                keys.add(registry, public, name.title(), mail, roles=roles)
        registry.settings.set("signing.key", str(tmp_path / "ada"))
        yield registry


def as_(registry: Registry, who: str) -> None:
    registry.settings.set("signing.key", str(registry.root.parent / who))


def test_what_people_say_is_told_with_key_and_role(signed: Registry) -> None:
    """A statement is a reviewer's, a release a releaser's; the key says whose."""
    id_ = signed.resolve("model/m")
    before = stated.stated(signed, id_)["purpose"].signature
    assert (before.state, words(before)) == (
        "no keys",
        "not signed: the registry had no keys then",
    )
    as_(signed, "bob")
    stated.state(signed, id_, {"purpose": "sums of two numbers"})
    said = stated.stated(signed, id_)["purpose"]
    print_ = read_public(signed.root.parent / "bob.pub").fingerprint
    assert said.signature == Signature(
        "good", said.time, "Bob", ("reviewer",), "reviewer", print_
    )
    assert words(said.signature) == "signed by Bob (reviewer)"
    as_(signed, "ada")
    releases.release(signed, id_, "production")
    [one] = releases.releases(signed)
    assert (one.signature.by, one.signature.role) == ("Ada", "releaser")
    signers = Signatures(signed).signers()
    assert [one.name for one in signers] == ["Ada", "Bob", "Runner"]
    assert [one.root for one in signers] == [True, False, False]


def test_a_report_verifies_each_signature_once(
    signed: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Releases, statements and reviews share what was judged before."""
    id_ = signed.resolve("model/m")
    releases.release(signed, id_, "production")
    stated.state(signed, id_, {"limits": "small numbers"})
    signed.attest("review_requested", subject=id_)
    signed.attest("review", subject=id_, data={"verdict": "approve"})
    signed.signer.keys()  # which judges the events about keys, once per process
    judged: list[str] = []
    standing = Judge.standing
    many = Judge.many

    def one(self: Judge, logged: Logged) -> Standing | None:
        judged.append(logged.git)
        return standing(self, logged)

    def several(self: Judge, logged: Sequence[Logged]) -> Iterator[Standing | None]:
        judged.extend(each.git for each in logged)
        return many(self, logged)

    monkeypatch.setattr(Judge, "standing", one)
    monkeypatch.setattr(Judge, "many", several)
    made = report(signed, id_)
    assert made.releases[0].signature.state == "good"
    assert len(judged) == len(set(judged)) > 3


def test_who_may_not_is_refused_before_anything_is_said(signed: Registry) -> None:
    """A reviewer releases nothing, a runner states nothing."""
    id_, tip = signed.resolve("model/m"), signed.events_log.tip()
    as_(signed, "bob")
    with pytest.raises(NotAllowed, match="a release takes a releaser"):
        releases.release(signed, id_, "production")
    as_(signed, "runner")
    with pytest.raises(NotAllowed, match="a runner's key signs no statement"):
        stated.state(signed, id_, {"purpose": "x"})
    assert signed.events_log.tip() == tip


def test_a_revocation_shows_in_what_was_signed_before(signed: Registry) -> None:
    """With `since`, what a thief signed is told as such, and so is the key's end."""
    id_ = signed.resolve("model/m")
    as_(signed, "bob")
    stated.state(signed, id_, {"purpose": "x"})
    as_(signed, "ada")
    keys.revoke(signed, keys.find(signed, "Bob"), reason="stolen", since="")
    found = stated.stated(signed, id_)["purpose"].signature
    assert (found.state, found.by) == ("revoked", "Bob")
    assert words(found).startswith("signed with the key of Bob (reviewer), which was")
    [ended] = Signatures(signed).signers()[1].revoked
    assert (ended.reason, ended.since) == ("stolen", "")


def test_what_a_text_says_does_not_depend_on_names() -> None:
    """Without the name, where it was left out, the role is told."""
    found = Signature("good", "", None, ("releaser",), "releaser", "SHA256:x")
    assert words(found) == "signed by a releaser"
    unknown = Signature("unknown", "", fingerprint="SHA256:x")
    assert words(unknown) == "signed with a key that nobody had added"
