"""The packet: what a reviewer is shown, as canonical JSON with a SHA-256.

It is made once, when a review is asked for, and stands in that event. Records are in
it by id and by the SHA-256 of their line; their text is read from the payload when
somebody looks, and has to have that hash then. A verdict names the packet's hash, so
it is about these records and numbers, and void when they change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.errors import VerificationError
from lineage.loop.reviews.comparing import compared
from lineage.loop.reviews.drawing import HIGHEST_LOSS, Flag, draw
from lineage.loop.reviews.records import DROPPED, KEPT, line_of, read_lines, records_of
from lineage.loop.steps import STEPS
from lineage.store.canonical import canonical, digest, normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lineage.loop.reviews.drawing import Drawn
    from lineage.loop.reviews.records import Line, Records
    from lineage.loop.spec.review import SampleSpec
    from lineage.registry import Registry

    Packet = Mapping[str, Any]
    Losses = Callable[[Sequence[str]], tuple[list[float | None], str]]

VERSION = 1
_DIGITS = 4  # of a loss in nats


def make(
    registry: Registry,
    subject: str,
    place: tuple[str, int],
    sample: SampleSpec,
    losses: Losses | None = None,
) -> dict[str, Any]:
    """The packet of a generation or a dataset, with its own `sha256`.

    Args:
        registry: where it is.
        subject: the full id of what a person is to decide on.
        place: the loop and the generation that it is from.
        sample: how many records to show, chosen how.
        losses: gives the mean loss of texts, None for those without, and why there
            are none at all; None where nobody can compute any here.

    Raises:
        VerificationError: a record's file is not what was recorded.
    """
    records = records_of(registry, subject)
    drawn, loss = sampled(registry, records, sample, losses)
    packet: Any = {
        "version": VERSION,
        "subject": subject,
        "loop": place[0],
        "generation": place[1],
        "datasets": {KEPT: records.kept or None, DROPPED: records.dropped or None},
        "records": {name: records.count(name) for name in (KEPT, DROPPED)},
        "samples": [entry(one) for one in drawn],
        "measures": [row.values() for row in compared(registry, subject, place)],
        "gates": [_gate(gate) for gate in gates_of(registry, subject)],
        "loss": loss,
    }
    plain: Any = normalise(packet, "packet")
    return {**plain, "sha256": digest(canonical(plain))}


def sha256_of(packet: Packet) -> str:
    """The hash that a packet has by its content."""
    plain: Any = {key: packet[key] for key in packet if key != "sha256"}
    return digest(canonical(plain))


def sampled(
    registry: Registry,
    records: Records,
    sample: SampleSpec,
    losses: Losses | None = None,
    seed: int = 0,
) -> tuple[list[Drawn], str | None]:
    """The records to show in their order; why none of them has a loss, if so."""
    known: dict[str, float] = {}
    why = None
    if HIGHEST_LOSS in sample.strategy:
        known, why = _losses(records, losses)
    flags = flags_of(registry, records)
    wanted = sample.strategy
    return draw(records, sample.n, wanted, seed, flags=flags, losses=known), why


def _losses(records: Records, losses: Losses | None) -> tuple[dict[str, float], str]:
    if losses is None:
        return {}, "not available: nothing here can compute it"
    found, why = losses([line.text for line in records.lines])
    pairs = zip(records.lines, found, strict=False)
    known = {line.sha256: loss for line, loss in pairs if loss is not None}
    return {key: round(loss, _DIGITS) for key, loss in known.items()}, why


def entry(drawn: Drawn) -> dict[str, Any]:
    """A record as a packet has it."""
    line = drawn.line
    found: dict[str, Any] = {
        "id": line.id,
        "file": line.file,
        "sha256": line.sha256,
        "stratum": line.stratum,
        "why": drawn.why,
    }
    if drawn.loss is not None:
        found["loss"] = drawn.loss
    if drawn.flags:
        found["flags"] = [flag._asdict() for flag in drawn.flags]
    return found


def flags_of(registry: Registry, records: Records) -> dict[str, list[Flag]]:
    """What gates had against single records, by the hash of the record's line.

    The check step tells of a bounded number of them, in its event.
    """
    found: dict[str, list[Flag]] = {}
    for said in checked(registry, records).get("flagged", ()):
        flag = Flag(str(said["gate"]), str(said["reason"]))
        found.setdefault(str(said["sha256"]), []).append(flag)
    return found


def checked(registry: Registry, records: Records) -> Mapping[str, Any]:
    """What the event of the check step says that judged these records."""
    if records.kept:
        return registry.first_event(records.kept).data
    for _, event in registry.events_log.iterate():
        if event.subject == records.dropped and event.data.get("step") == "check":
            return event.data
    return {}


def gates_of(registry: Registry, id_: str) -> list[dict[str, Any]]:
    """A generation's gate verdicts; a dataset's are in the events of its steps.

    What a check kept was judged by the step that generated it as well.
    """
    commit = registry.load(id_)
    if commit.kind == "generation":
        return list(commit.gates or ())
    judged = set(_origins(registry, id_))
    said: dict[str, Any] = {}
    for _, event in registry.events_log.iterate():
        if event.subject in judged and "result" in event.data:
            said.setdefault(event.data["step"], event.data["result"].get("gates", ()))
        if said.keys() & {"generate", "mix"}:
            break
    return [gate for step in STEPS for gate in said.get(step, ())]


def _origins(registry: Registry, id_: str) -> Iterator[str]:
    """A dataset, and those that a loop made it of before mixing."""
    while id_:
        yield id_
        commit = registry.load(id_)
        filtered = commit.params.get("part") in ("synthetic", "edited")
        id_ = next(iter(commit.ids("derived_from")), "") if filtered else ""


def _gate(gate: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "on", "verdict", "action", "value")
    return {name: gate[name] for name in names if name in gate}


def lines_of(registry: Registry, packet: Packet) -> list[Line]:
    """The records of a packet, read from the payload, in its order.

    Raises:
        VerificationError: a record is not what the packet says, or is gone.
    """
    known: dict[tuple[str, str], dict[str, Line]] = {}
    for stratum, dataset in packet["datasets"].items():
        wanted = {s["file"] for s in packet["samples"] if s["stratum"] == stratum}
        entries = registry.files(dataset) if dataset and wanted else []
        for file in (one for one in entries if one.path in wanted):
            lines = (line_of(raw, file.path) for raw in read_lines(registry, file))
            known[stratum, file.path] = {line.sha256: line for line in lines}
    return [_line(known, sample) for sample in packet["samples"]]


def _line(
    known: Mapping[tuple[str, str], Mapping[str, Line]], sample: Mapping[str, Any]
) -> Line:
    lines = known.get((sample["stratum"], sample["file"]), {})
    if sample["sha256"] not in lines:
        message = f"the record {sample['id']} of the packet is not in {sample['file']}"
        raise VerificationError(message, hint="run `lineage verify`")
    return lines[sample["sha256"]]


def check(registry: Registry, packet: Packet, subject: str) -> None:
    """Hold a packet against itself, what it is about, and the data of today.

    Raises:
        VerificationError: one sentence that says what does not fit.
    """
    hint = "ask for the review again: `lineage loop run`"
    if packet.get("sha256") != sha256_of(packet):
        raise VerificationError("the review's packet is not what was hashed", hint=hint)
    if packet.get("subject") != subject:
        message = f"the review's packet is about another commit than {subject[:12]}"
        raise VerificationError(message, hint=hint)
    lines_of(registry, packet)
