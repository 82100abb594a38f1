"""What an audience does not see is in no format of its report."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from lineage.audit import as_cards, as_html, as_json, as_md, as_prov, permitted
from lineage.audit.audiences import for_audience
from lineage.audit.model import Field, Report
from lineage.audit.obligations.filled import Filled
from lineage.audit.obligations.filling import addressed
from lineage.audit.obligations.template import load
from lineage.audit.report import from_facts, report
from lineage.erase import erase, plan_erasure
from lineage.stated import state
from lineage.store.objects import Edge, Metric
from lineage.taints import taint

if TYPE_CHECKING:
    from collections.abc import Iterator

# What nobody but an authority reads, as it stands in places that hold anything.
PRIVATE = (
    "Vera Nemo",
    "vera@nemo.example",
    "gpu-7.nemo.internal",
    "vnemo",
    "/home/vnemo/run",
    "lost the key of the safe",
    "SECRET PROMPT",
)
NAME, MAIL, HOST, USER, PATH, NOTE, PROMPT = PRIVATE
WHO = {"name": NAME, "email": MAIL}


def everywhere() -> dict[str, Any]:
    """Data of a shape that nobody expects, with all that is private in it."""
    return {
        "host": HOST,
        "user": USER,
        "cwd": PATH,
        "note": NOTE,
        "by": NAME,
        "name": USER,
        "system_prompt": PROMPT,
        "type": NOTE,
        HOST: 1,
        PATH: {"seconds": 3},
        "environment": {
            "python": PATH,
            "packages": {"torch": HOST, PATH: "1.0", "numpy": "2.4.6"},
            "hostname": HOST,
            "platform": USER,
        },
        "list": [NAME, {"deep": PATH}],
        "seconds": 2.5,
        "training": {"output_dir": PATH, "learning_rate": 0.002, "optim": HOST},
        "verdict": NOTE,
    }


def formats(made: Report) -> Iterator[str]:
    """The report in every form that an audience may be given."""
    yield as_html.render(made)
    yield as_json.render(made)
    yield as_md.render(made).decode()
    yield as_prov.render(made).decode()
    yield as_cards.model_card(made).decode()


def quickly(made: Report) -> Iterator[str]:
    """The forms that have all that a report has."""
    yield as_html.render(made)
    yield as_json.render(made)
    yield as_md.render(made).decode()


def told_by(made: Report) -> list[str]:
    """What private words a report has, in any format."""
    texts = [*formats(made)]
    return [word for word in PRIVATE for text in texts if word in text]


def tell(story: Any) -> None:
    """Write private words into every place of a registry that takes them."""
    registry = story.registry
    story.go_on(message=f"{NOTE} at {HOST}")
    last = story.turns[-1]
    data = {"loop": "tutor", **everywhere()}
    for type_ in ("failed step", "note", "review_requested", "review"):
        registry.attest(type_, subject=last, message=f"{NOTE} {PATH}", data=data)
    verdict = {"verdict": "approve", "by": NAME, "note": NOTE, "override": HOST}
    registry.attest("review", subject=last, data={**verdict, "loop": "tutor"})
    odd = registry.commit(
        "dataset",
        "odd",
        params=everywhere(),
        origin={"type": "human", "source": f"{HOST}:{PATH}", "by": NAME, "from": USER},
        metrics={"odd": Metric(1.0, PATH, 1, "lower")},
        circumstances=everywhere(),
        message=f"{NOTE} {MAIL}",
    )
    (registry.root / "gone.txt").write_text("gone\n")
    gone = registry.commit("dataset", "gone", registry.root / "gone.txt", message=NOTE)
    sources = [odd.id, gone.id, story.ids["human"]]
    edges = [Edge("trained_on", id_) for id_ in sources]
    made = registry.commit("model", "end", params=everywhere(), edges=edges)
    state(registry, made.id, {"provider": "Acme", "contact": f"{NAME} {MAIL}"})
    taint(registry, gone.id, NOTE)
    plan = plan_erasure(registry, gone.id)
    erase(registry, plan, reason=NOTE, authority=f"{NAME} of {HOST}")


def test_a_registry_full_of_secrets_tells_none(
    story: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of people stay for those who build on a model; all else is left out."""
    monkeypatch.setattr(story.registry, "actor", lambda: WHO)
    tell(story)
    for of in ("model/end", "loop/tutor"):
        everything = report(story.registry, of)
        whole = as_json.render(everything)
        assert {NAME, MAIL, HOST, USER, PATH, NOTE, PROMPT} <= {
            word for word in PRIVATE if word in whole
        }
        for audience, allowed in (("public", set()), ("downstream", {NAME})):
            seen = addressed(everything, audience, load("eu-gpai"))
            assert set(told_by(seen)) <= allowed
            assert seen.audience == audience
        assert ("its files were erased" in {gap.what for gap in seen.gaps}) == (
            of == "model/end"
        )


def filled(type_: Any, path: str, salt: str) -> Any:  # noqa: PLR0911
    """A value of a type of the model, in which each text says where it stands."""
    if type_ is Any or isinstance(type_, TypeVar):
        return f"{path} {salt}"
    if is_dataclass(type_) and isinstance(type_, type):
        return type_(
            **{
                field.name: filled(hint, f"{type_.__name__}.{field.name}", salt)
                for field in fields(type_)
                if (hint := hints(type_, localns={"Filled": Filled})[field.name])
            }
        )
    origin, args = get_origin(type_), get_args(type_)
    if origin is Field:
        known = filled(Field, path, salt)
        return replace(known, status="stated", value=filled(args[0], path, salt))
    if origin in (Union, UnionType):
        return filled(args[0], path, salt)
    if origin is Literal:
        return args[0]
    if origin is tuple:
        return (filled(args[0], path, salt),)
    if origin is list:
        return [filled(args[0], path, salt)]
    if origin in (dict, Mapping):
        return {f"key of {path} {salt}": filled(args[1], f"{path}[]", salt)}
    if type_ in (bool, int, float):
        return type_(1)
    return f"{path} {salt}"


def texts(value: Any) -> Iterator[str]:
    """All texts in a value of the model, and all keys."""
    if is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def kept(audience: str) -> list[str]:
    """The places of the model whose texts an audience reads."""
    whole = filled(Report, "", "#")
    seen = for_audience(whole, audience)
    return sorted({text.removesuffix(" #") for text in texts(seen) if "#" in text})


def test_what_the_public_reads_is_a_list() -> None:
    """A new text of the model is read by nobody until somebody has added it here."""
    assert kept("public") == snapshot(
        [
            "Against.about",
            "Against.commit",
            "Against.name",
            "Artifact.event",
            "Artifact.git",
            "Artifact.id",
            "Artifact.kind",
            "Artifact.name",
            "Artifact.origin_class",
            "Artifact.tags",
            "Artifact.time",
            "AsOf.event",
            "AsOf.time",
            "AsOf.type",
            "Change.after",
            "Change.before",
            "Change.changed",
            "Change.gone",
            "Change.new",
            "Change.released",
            "Ended.event",
            "Ended.since",
            "Ended.time",
            "Erasure.event",
            "Erasure.files",
            "Erasure.subjects",
            "Erasure.time",
            "Field.commit",
            "Field.event",
            "Field.time",
            "Gap.what",
            "Gap.where",
            "Gate.action",
            "Gate.commit",
            "Gate.id",
            "Gate.on",
            "Gate.type",
            "Gate.verdict",
            "Generation.follows",
            "Generation.id",
            "Generator.model",
            "Generator.name",
            "Generator.root",
            "Generator.wrote",
            "Loop.also_in",
            "Loop.name",
            "MadeOf.model",
            "MadeOf.unit",
            "Measure.definition",
            "Measure.direction",
            "Measure.meaning",
            "Measure.name",
            "Measure.reference",
            "Measurement.commit",
            "Measurement.definition",
            "Measurement.direction",
            "Measurement.name",
            "MetricChange.name",
            "MetricChange.verdict",
            "Override.event",
            "Override.failed",
            "Override.subject",
            "Override.time",
            "Oversight.fallbacks",
            "Point.generation",
            "Portion.exact",
            "Release.ended",
            "Release.environment",
            "Release.event",
            "Release.kind",
            "Release.name",
            "Release.since",
            "Release.subject",
            "Release.until",
            "Report.subjects",
            "Signature.at",
            "Signature.role",
            "Signature.roles",
            "Signer.added",
            "Signer.event",
            "Signer.roles",
            "Signer.valid_from",
            "Signer.valid_until",
            "Source.evidence",
            "Source.id",
            "Source.kind",
            "Source.name",
            "Source.origin",
            "Source.role",
            "Statement.event",
            "Statement.subject",
            "Statement.time",
            "Statement.type",
            "Step.commit",
            "Step.event",
            "Step.part",
            "Step.step",
            "Taint.event",
            "Taint.lifted",
            "Taint.perhaps",
            "Taint.reaches",
            "Taint.subject",
            "Taint.time",
            "TimeStamp.event",
            "TimeStamp.of",
            "TimeStamp.time",
            "TimeStamp.tsa",
            "Training.made",
            "Training.model",
            "Training.role",
            "Written.dataset",
            "a Signature.role",
            "key of Compute.by_filter",
            "key of Source.share",
            "key of Training.counts",
        ]
    )


def test_what_builders_read_more() -> None:
    """Whoever builds on a model reads names of people, branches and keys, too."""
    assert sorted({*kept("downstream")} - {*kept("public")}) == snapshot(
        [
            "Artifact.branches",
            "Artifact.by",
            "Erasure.by",
            "Field.by",
            "Loop.branches",
            "Override.by",
            "ParamChange.change",
            "ParamChange.name",
            "Release.by",
            "Signature.by",
            "Signature.fingerprint",
            "Signer.added_by",
            "Signer.fingerprint",
            "Signer.key",
            "Signer.name",
            "Statement.by",
            "Taint.by",
        ]
    )


# No white space, which formats fold, and nothing that they would write differently.
word = st.text(string.ascii_letters + string.digits + "-.@/_", min_size=9, max_size=30)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(word, min_size=6, max_size=6, unique=True))
def test_no_words_of_events_reach_the_public(long_loop: Any, drawn: list[str]) -> None:
    """Whatever names, addresses, messages and data events have: no format has them."""
    name, mail, message, key, value, place = drawn
    facts = long_loop(3)
    plain = addressed(from_facts(facts), "public", load("full"))
    before = [*quickly(plain)]

    def spoiled(known: Any) -> Any:
        event = replace(
            known.event,
            actor={"name": name, "email": mail},
            message=message,
            data={key: value, "environment": {"hostname": place, key: {place: 1}}},
        )
        return replace(known, event=event)

    commits = {id_: spoiled(known) for id_, known in facts.commits.items()}
    made = from_facts(replace(facts, commits=commits))
    seen = addressed(made, "public", load("full"))

    whole = as_json.render(made)
    assert all(one in whole for one in (name, mail, message, key, value, place))
    for text, calm in zip(quickly(seen), before, strict=True):
        assert [one for one in drawn if one in text and one not in calm] == []


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("Common Crawl, CC-MAIN-2026-10", True),
        ("HuggingFaceTB/cosmopedia", True),
        ("https://huggingface.co/datasets/roneneldan/TinyStories", True),
        ("see https://doi.org/10.6028/NIST.AI.600-1 (July 2024)", True),
        ("pydoc_data.topics of Python 3.11.7", True),
        ("/srv/data/crawl", False),
        ("C:\\Users\\ada\\crawl", False),
        ("~/crawl", False),
        ("data/private.jsonl", False),
        ("data/2026/11/crawl", False),
        ("ada@example.com", False),
        ("ada@gpu7:/srv", False),
        ("s3://bucket/crawl", False),
        ("https://wiki.corp/pages", False),
        ("https://gpu7/crawl", False),
        ("https://10.0.0.7/crawl", False),
        ("https://[::1]/crawl", False),
        ("https://ada:secret@example.org/crawl", False),
        ("https://example.org:8080/crawl", False),
        ("https://example.org/crawl?token=1", False),
        ("http://example.org/crawl", False),
        ("192.168.0.7", False),
    ],
)
def test_public_places(text: str, *, public: bool) -> None:
    """Public addresses and repositories stay; paths, hosts and users do not."""
    assert permitted.is_public(text) is public


def test_what_builders_see_of_free_data() -> None:
    """Numbers, versions and words of a few settings; nothing of unknown names."""
    data = everywhere() | {"mixing": {"strategy": "accumulate", "weights": {"a": 1}}}

    assert permitted.conditions(data) == {
        "seconds": 2.5,
        "environment": {"python": None, "packages": {"numpy": "2.4.6"}},
    }
    assert permitted.settings(data) == {
        "seconds": 2.5,
        "training": {"learning_rate": 0.002},
        "mixing": {"strategy": "accumulate", "weights": {"a": 1}},
    }
    code = {"step": "lineage.loop.steps.train", "sha256": "0" * 64, "file": PATH}
    assert [*permitted.code(code)] == ["step", "sha256"]


def test_an_authority_is_told_everything(told: Any) -> None:
    """The report is as it was made."""
    made = report(told.registry, "loop/tutor")

    assert for_audience(made, "authority") == made
