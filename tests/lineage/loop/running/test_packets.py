"""A verdict is about a packet, by enough people, and void when the data change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import GateFailed, UsageError, VerificationError
from lineage.loop.reviews.acting import margin_gone
from lineage.loop.reviews.ballots import People
from lineage.loop.reviews.deciding import decide
from lineage.loop.reviews.labels import LABEL, Label, audits
from lineage.loop.reviews.packet import sha256_of
from lineage.loop.reviews.records import line_of
from lineage.loop.reviews.saying import edit, label
from lineage.loop.reviews.standing import Reviews
from lineage.loop.running.overview import loops

if TYPE_CHECKING:
    from pathlib import Path

Toy = Any
EVERY = {"num_generations": 3, "review": {"every": 1}}
FILTER = """
def check_record(record):
    assert "fox" in record["text"], "no fox"
"""
FILTERED = {"gates": [{"type": "check_record", "min_pass_rate": 0}]}


def packet_of(toy: Toy, subject: str) -> Any:
    return Reviews.read(toy.registry).ballots[subject].packet


def as_somebody_else(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    who = {"name": "Bob", "email": "bob@example.com"}
    monkeypatch.setattr(toy.registry, "actor", lambda: who)


def flip(toy: Toy, subject: str) -> None:
    """Change one byte of the records that a packet shows."""
    packet = packet_of(toy, subject)
    [entry] = toy.registry.files(packet["datasets"]["kept"])
    path: Path = toy.registry.payloads.path(entry.md5)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"o", b"0", 1))


def test_a_verdict_names_the_packet_that_was_asked_about(toy: Toy) -> None:
    """The packet has its own hash, and the event of the verdict has it too."""
    subject = toy.pause(**EVERY)
    packet = packet_of(toy, subject)
    made = decide(toy.registry, subject, "approve")

    assert made.packet == packet["sha256"] == sha256_of(packet)
    assert len(packet["samples"]) == 12
    assert made.seconds is not None


def test_changed_data_void_a_verdict(toy: Toy) -> None:
    """A byte that flipped after the verdict stops the loop with a sentence."""
    subject = toy.pause(**EVERY)
    decide(toy.registry, subject, "approve")
    flip(toy, subject)
    with pytest.raises(VerificationError, match="does not have its recorded SHA-256"):
        toy.run(**EVERY)


def test_changed_data_cannot_be_approved(toy: Toy) -> None:
    """Nobody signs for records that are not those that were asked about."""
    subject = toy.pause(**EVERY)
    flip(toy, subject)
    with pytest.raises(VerificationError, match="does not have its recorded SHA-256"):
        decide(toy.registry, subject, "approve")
    assert "review" not in toy.types()


@pytest.mark.parametrize("packet", ["0" * 64, None])
def test_a_verdict_on_another_packet_does_not_count(toy: Toy, packet: Any) -> None:
    """The loop says so and ends; a verdict on the right one counts afterwards."""
    subject = toy.pause(**EVERY)
    data = {"verdict": "approve", "by": "Eve", "packet": packet}
    toy.registry.attest("review", subject=subject, data=data)
    with pytest.raises(
        VerificationError, match=r"of Eve on .* is about another packet"
    ):
        toy.run(**EVERY)
    decide(toy.registry, subject, "approve")

    assert toy.pause(**EVERY) != subject


def test_a_verdict_is_no_use_for_another_commit(toy: Toy) -> None:
    """What was said of generation 1 does not let generation 2 pass."""
    one = toy.pause(**EVERY)
    made = decide(toy.registry, one, "approve")
    two = toy.pause(**EVERY)
    data = {"verdict": "approve", "by": "Ada", "packet": made.packet}
    toy.registry.attest("review", subject=two, data=data)
    with pytest.raises(VerificationError, match="is about another packet"):
        toy.run(**EVERY)


def test_two_people_have_to_approve(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same person twice counts once and is told; then the loop goes on."""
    sections = {"num_generations": 1, "review": {"every": 1, "approvals": 2}}
    subject = toy.pause(**sections)
    assert decide(toy.registry, subject, "approve").missing == 1
    with pytest.raises(UsageError, match=r"approved .* already, which counts once"):
        decide(toy.registry, subject, "approve")
    assert toy.pause(**sections) == subject
    as_somebody_else(toy, monkeypatch)
    assert decide(toy.registry, subject, "approve").missing == 0
    assert toy.run(**sections).made == ()
    [done] = Reviews.read(toy.registry).decided.values()
    assert done.by.endswith(" and Bob")


def test_nobody_can_ask_for_fewer_people(toy: Toy) -> None:
    """What the config says counts, whatever a later request says; more may be asked."""
    sections = {"num_generations": 1, "review": {"every": 1, "approvals": 2}}
    subject = toy.pause(**sections)
    [request] = Reviews.read(toy.registry).waiting.values()
    for asked, needed in ((1, 2), (0, 2), ("1", 2), (3, 3)):
        data = {"approvals": asked, "packet": packet_of(toy, subject)}
        data |= {"loop": request.loop, "generation": 1, "on": "generation"}
        toy.registry.attest("review_requested", subject=subject, data=data)
        made = decide(toy.registry, subject, "approve")
        assert made.missing == needed - 1
        assert toy.pause(**sections) == subject


def test_one_rejection_rejects(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many have approved."""
    sections = {"num_generations": 1, "review": {"every": 1, "approvals": 3}}
    subject = toy.pause(**sections)
    decide(toy.registry, subject, "approve")
    as_somebody_else(toy, monkeypatch)
    decide(toy.registry, subject, "reject", "dull")
    with pytest.raises(GateFailed, match="rejected by Bob: dull"):
        toy.run(**sections)


def test_a_rejection_can_mean_another_try_at_once(toy: Toy) -> None:
    """The same run takes the generation back and makes it with other seeds."""
    sections = {"num_generations": 1, "review": {"every": 1, "on_reject": "retry"}}
    subject = toy.pause(**sections)
    decide(toy.registry, subject, "reject")
    again = toy.pause(**sections)

    assert toy.registry.load(again).params == {"generation": 1, "attempt": 1}
    assert toy.branch("loop/toy@rejected")[0] == subject


def test_a_rejection_can_take_back_all_that_nobody_approved(toy: Toy) -> None:
    """Back to the last approved generation; what follows it is made anew."""
    review = {"every": 2, "on": ["first"], "on_reject": "rollback"}
    sections = {"num_generations": 4, "review": review | {"every": 4}}
    one = toy.pause(**sections)
    decide(toy.registry, one, "approve")
    four = toy.pause(**sections)
    decide(toy.registry, four, "reject", "dull")
    with pytest.raises(GateFailed, match="generation 4 of loop/toy was stopped"):
        toy.run(**sections)
    assert toy.branch()[0] == one
    [state] = loops(toy.registry, "toy")
    why = "generation 4 of toy rejected by Ada Example: dull"
    assert (state.state, state.why) == ("stopped", why)
    toy.pause(**sections)
    attempts = [toy.registry.load(id_).params["attempt"] for id_ in toy.branch()]
    assert attempts == [0, 0, 1, 0, 0]


def test_edited_records_are_trained_on(toy: Toy) -> None:
    """They are a dataset of their own, which says who edited it, and pass the gates."""
    sections = {"num_generations": 1, "review": {"every": 1}}
    subject = toy.pause(**sections)
    first = packet_of(toy, subject)["samples"]
    better = {"id": first[0]["id"], "text": "The fox sees the moon."}
    made = edit(toy.registry, subject, [better], [first[1]["id"]], "put right")
    again = toy.pause(**sections)

    dataset = toy.registry.load(made.dataset)
    assert (dataset.params["edited"], dataset.params["dropped"]) == (1, 1)
    [edge] = [edge for edge in dataset.edges if edge.role == "derived_from"]
    assert (edge.id, edge.share) == (made.instead_of, {"records": [10, 11]})
    assert dataset.origin is not None
    assert dataset.origin["type"] == "mixed"
    assert packet_of(toy, again)["records"] == {"kept": 11, "dropped": 0}
    texts = [s["id"] for s in packet_of(toy, again)["samples"]]
    assert first[1]["id"] not in texts
    assert toy.registry.load(again).metrics["kept"].value == 11


def labelled(toy: Toy, **answers: bool) -> str:
    """Pause with a filter, and label all records: kept and dropped ones."""
    toy.write("checks.py", FILTER)
    subject: str = toy.pause(**EVERY, **FILTERED)
    samples = packet_of(toy, subject)["samples"]
    given = [Label(s["id"], answers[s["stratum"]]) for s in samples]
    label(toy.registry, subject, given)
    return subject


def test_labels_tell_that_the_filter_does_its_work(toy: Toy) -> None:
    """It keeps what is right and drops what is wrong: the loop goes on."""
    subject = labelled(toy, kept=True, dropped=False)
    log = list(toy.registry.events_log.iterate())
    [made] = audits(toy.registry, "toy", log)
    decide(toy.registry, subject, "approve")

    assert made.audit.state == "safe"
    assert made.audit.keeps_right is not None
    assert made.audit.keeps_right.value == 1
    assert made.labelled == 12
    assert toy.pause(**EVERY, **FILTERED) != subject


def test_the_loop_asks_when_the_filter_keeps_what_is_wrong(toy: Toy) -> None:
    """Labels after an approval ask once more; a newer approval settles it."""
    sections = {"num_generations": 2, "review": {"on": ["first"]}} | FILTERED
    toy.write("checks.py", FILTER)
    subject = toy.pause(**sections)
    samples = packet_of(toy, subject)["samples"]
    decide(toy.registry, subject, "approve")
    wrong = [Label(s["id"], s["stratum"] == "dropped") for s in samples]
    label(toy.registry, subject, wrong)
    assert toy.pause(**sections) == subject
    why = Reviews.read(toy.registry).waiting[subject].why
    assert "no longer keeps more right records than wrong ones" in why
    decide(toy.registry, subject, "approve", "known: the checks are being mended")

    assert len(toy.run(**sections).made) == 1


def test_labels_that_do_not_count_ask_for_nothing(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels by a key that is nobody's are left out, also when there are no others."""
    sections = {"num_generations": 2, "review": {"on": ["first"]}}
    subject = toy.pause(**sections)
    decide(toy.registry, subject, "approve")
    sample = packet_of(toy, subject)["samples"][0]["id"]
    label(toy.registry, subject, [Label(sample, right=False)])
    monkeypatch.setattr(People, "who", lambda *_: ("", "it is signed by nobody"))
    assert not audits(toy.registry, "toy", toy.registry.events_log.iterate())
    ids = [subject]
    assert margin_gone(toy.registry, "toy", ids) == ""


def test_labels_of_records_that_somebody_chose_do_not_count(toy: Toy) -> None:
    """Only those that were drawn at random say something of the others."""
    sections = {"num_generations": 1, "review": {"every": 1, "sample": {"n": 2}}}
    subject = toy.pause(**sections)
    seen = {s["id"] for s in packet_of(toy, subject)["samples"]}
    other = next(str(n) for n in range(12) if str(n) not in seen)
    label(toy.registry, subject, [Label(other, right=True)])
    [made] = audits(toy.registry, "toy", toy.registry.events_log.iterate())

    assert (made.chosen, made.audit.state) == (1, "unknown")
    with pytest.raises(UsageError, match="no record is called 'nothing'"):
        label(toy.registry, subject, [Label("nothing", right=True)])


def test_labels_that_nobody_gave_by_review_label(toy: Toy) -> None:
    """An event of labels that another program wrote counts whole, or not at all."""
    subject = labelled(toy, kept=True, dropped=False)
    [given] = [
        e.event for e in toy.registry.events_log.iterate() if e.event.type == LABEL
    ]
    one = {**given.data["labels"][0], "sha256": "0" * 64}
    odd: Any = ({"right": "yes"}, {"right": None}, {"sha256": 5}, {"stratum": []})
    for label_ in odd:
        data = {**given.data, "labels": [one, one | label_]}
        toy.registry.attest(LABEL, subject=subject, data=data)
    for count in (-1, True, "9"):
        records = {**given.data["records"], "kept": count}
        data = {**given.data, "labels": [one], "records": records}
        toy.registry.attest(LABEL, subject=subject, data=data)
    [made] = audits(toy.registry, "toy", toy.registry.events_log.iterate())
    assert (made.labelled, made.audit.kept.labelled) == (12, 12)

    few = {**given.data, "labels": [one], "records": {"kept": 0, "dropped": 0}}
    toy.registry.attest(LABEL, subject=subject, data=few)
    [made] = audits(toy.registry, "toy", toy.registry.events_log.iterate())
    assert (made.labelled, made.audit.kept) == (13, (13, 13, 13))


@pytest.mark.parametrize("raw", [b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_line_that_is_no_record_is_one_sentence(raw: bytes) -> None:
    """Data of other people's can hold anything."""
    with pytest.raises(VerificationError, match=r"a\.jsonl has a line that is no rec"):
        line_of(raw, "a.jsonl")
