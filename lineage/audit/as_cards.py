"""Cards of models and datasets for the Hugging Face Hub: YAML, then Markdown.

A card is made to be read by everybody, so the command line makes it for the public
unless it is told otherwise. It renders whatever report it is given.
"""

from collections.abc import Iterator

from lineage.audit import card_data, text
from lineage.audit.audiences import TOLD
from lineage.audit.card_data import dataset_data, front_matter, made_in, model_data
from lineage.audit.markdown import (
    code,
    document,
    heading,
    how,
    named,
    number,
    paragraph,
    plain,
    shares,
    table,
    value,
)
from lineage.audit.md_obligations import obligations_chapter
from lineage.audit.model import Artifact, Generation, Report, Source
from lineage.audit.obligations.scope import Scope, of
from lineage.audit.words import FEW, judged
from lineage.errors import UsageError
from lineage.wording import spaced

Lines = Iterator[str]


def model_card(report: Report) -> bytes:
    """The card of the one model that the report is on.

    Raises:
        UsageError: when it is on none, or on several.
    """
    scope = Scope(report)
    model = _one(scope, "model")
    turn = next((t for t in reversed(report.turns) if made_in(t, model)), None)
    lines = (
        *_start(report, model),
        *_made_of(scope, model, turn),
        *_from(scope, model),
        *_measured(model, turn),
        *_checked(turn),
        *_end(report, model),
    )
    return front_matter(model_data(report, model)).encode() + document(("", *lines))


def dataset_card(report: Report) -> bytes:
    """The card of the one dataset that the report is on.

    Raises:
        UsageError: when it is on none, or on several.
    """
    scope = Scope(report)
    dataset = _one(scope, "dataset")
    lines = (
        *_start(report, dataset),
        *_content(scope, dataset),
        *_from(scope, dataset),
        *_measured(dataset, None),
        *_end(report, dataset),
    )
    return front_matter(dataset_data(report, dataset)).encode() + document(("", *lines))


def _one(scope: Scope, kind: str) -> Artifact:
    subjects = [made for made in scope.subjects if made.kind == kind]
    found = subjects or [made for made in scope.about if made.kind == kind]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{made.name} {made.id[:12]}" for made in found[:FEW])
    more = ", …" if len(found) > FEW else ""
    hint = (
        f"name one: {names}{more}" if found else f"name a {kind}, or what includes one"
    )
    message = f"a {kind} card is about one {kind}, and this report is on {len(found)}"
    raise UsageError(message, hint=hint)


def _start(report: Report, made: Artifact) -> Lines:
    yield f"# {plain(made.name)}"
    number_ = f", generation {made.generation}" if made.generation else ""
    yield from paragraph(
        f"{made.kind.capitalize()} {plain(made.name)}{number_}, {code(made.id)}.",
        "Every value below is recorded in a registry, stated by a person, or not "
        "provided. They support an assessment; they are none.",
    )
    yield from paragraph(TOLD[report.audience])
    yield from table(
        ("stated", "text", "known"),
        ((plain(k), value(f), how(f)) for k, f in made.stated.items()),
    )


def _made_of(scope: Scope, model: Artifact, turn: Generation | None) -> Lines:
    yield from heading(2, "Training data")
    made = scope.made_of.get(model.id)
    told = shares(made)
    yield from paragraph(f"Through every generation that led to it: {told}.")
    rows = [
        (
            f"{spaced(edge.role)} {named(scope.artifacts[edge.id])}",
            *_share(edge),
        )
        for edge in of(
            model, "trained_on", "fine_tuned_from", "distilled_from", "merged_from"
        )
    ]
    yield from table(("from", "share", "known"), rows)
    if turn and turn.compute:
        spent = turn.compute
        counts = [
            f"{text.number(found)} {name}"
            for name in ("generated", "rejected", "kept")
            if (found := getattr(spent, name)) is not None
        ]
        if counts:
            yield from paragraph(f"Records of its turn: {', '.join(counts)}.")


def _share(edge: Source) -> tuple[str, str]:
    given = edge.share.value if edge.share and edge.share.value else {}
    told = ", ".join(f"{a:,} of {b:,} {unit}" for unit, (a, b) in given.items())
    return plain(told), how(edge.evidence)


def _content(scope: Scope, dataset: Artifact) -> Lines:
    yield from heading(2, "Content")
    count = card_data.records(scope, dataset)
    held = dataset.bytes.value or {}
    size = held.get("size")
    rows = [
        ("origin", plain(dataset.origin_class or "not provided")),
        ("records", number(count) if count is not None else "not provided"),
        ("files", plain(text.size(size)) if isinstance(size, int) else "not provided"),
    ]
    for written in scope.report.written:
        if written.dataset == dataset.id:
            for name in ("generated", "rejected", "kept"):
                found = getattr(written, name)
                rows.append((name, value(found) or "not provided"))
            for edge in written.generators:
                maker = f"{named(scope.artifacts[edge.id])} {code(edge.id)}"
                rows.append(("written by", maker))
    yield from table(("what", "value"), rows)


def _from(scope: Scope, made: Artifact) -> Lines:
    roots = [one for one in card_data.upwards(scope, made) if one.origin]
    rows = [
        (f"{named(one)} {code(one.id)}", plain(key), value(field), how(field))
        for one in roots
        for key, field in one.origin.items()
    ]
    if rows:
        yield from heading(2, "From outside")
    yield from table(("commit", "what", "value", "known"), rows)


def _measured(made: Artifact, turn: Generation | None) -> Lines:
    metrics = turn.metrics if turn else made.metrics
    if metrics:
        yield from heading(2, "Measured")
    yield from table(
        ("metric", "value", "n", "better"),
        (
            (
                plain(metric.name),
                number(metric.value),
                number(metric.n),
                metric.direction or "",
            )
            for metric in metrics
        ),
    )


def _checked(turn: Generation | None) -> Lines:
    if turn and turn.gates:
        yield from heading(2, "Gates")
        yield from table(
            ("gate", "verdict", "value"),
            (
                (
                    plain(g.id or g.type or ""),
                    plain(g.verdict or ""),
                    plain(judged(g.value, g.bounds)[0]),
                )
                for g in turn.gates
            ),
        )


def _end(report: Report, made: Artifact) -> Lines:
    yield from obligations_chapter(report)
    yield from heading(2, "How to check")
    yield from paragraph(
        f"The commit is the SHA-256 of its record: `{made.id}`. The card is as of "
        f"event `{report.as_of.event}` of {plain(text.moment(report.as_of.time))}.",
        "A bundle of the same registry has the proofs: signatures, log and hashes.",
    )
    if report.gaps:
        yield from paragraph("Not recorded:")
        yield ""
        yield from (f"- {plain(gap.what)}" for gap in report.gaps[:FEW])
