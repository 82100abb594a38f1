"""The front matter of cards: what the Hugging Face Hub reads of them, as YAML.

Only what is recorded or stated: a licence by its name on the Hub, else as ``other``;
models and datasets where their source is a repository of the Hub; languages where
somebody stated codes; measured values with the data that they were measured on.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lineage.audit import text
from lineage.audit.model import Artifact, Generation, Measurement, Report, Source
from lineage.audit.obligations.scope import Scope, of
from lineage.audit.permitted import FILE
from lineage.loop.measuring.definitions import MEASURES

# Identifiers as https://huggingface.co/docs/hub/repositories-licenses has them.
_LICENCES = frozenset(
    """
    afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bigcode-openrail-m
    bigscience-bloom-rail-1.0 bigscience-openrail-m bsd bsd-2-clause
    bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5
    cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
    cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 cdla-sharing-1.0 creativeml-openrail-m
    deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gemma gfdl
    gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 llama3
    llama3.1 llama3.2 llama3.3 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by
    ofl-1.1 openrail openrail++ osl-3.0 pddl postgresql unlicense wtfpl zlib
    """.split()  # noqa: SIM905
)
_REPOSITORY = re.compile(
    r"(?:https://(?:huggingface[.]co|hf[.]co)/(?P<data>datasets/)?)?"
    r"(?P<id>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})"
)
_LANGUAGES = re.compile(r"[a-z]{2,3}(?:\s*,\s*[a-z]{2,3})*")
_RELATIONS = {
    "fine_tuned_from": "finetune",
    "merged_from": "merge",
    "quantized_from": "quantized",
}
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
    (10**10, "1B<n<10B"),
    (10**11, "10B<n<100B"),
    (10**12, "100B<n<1T"),
)

Data = dict[str, Any]


def front_matter(data: Mapping[str, Any]) -> str:
    """YAML between its two lines; whatever is in a value stays in that value."""
    import yaml

    body = yaml.safe_dump(
        _one_line(data), sort_keys=False, allow_unicode=False, width=10**6
    )
    return f"---\n{body}---\n"


def _one_line(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(text.visible(value).split())
    if isinstance(value, Mapping):
        return {key: _one_line(item) for key, item in value.items()}
    return [_one_line(item) for item in value] if isinstance(value, list) else value


def model_data(report: Report, model: Artifact) -> Data:
    """The front matter of a model's card."""
    scope = Scope(report)
    known = [*upwards(scope, model)]
    bases = dict(_bases(scope, model))
    data: Data = {
        **_licence(model),
        **_language(model),
        "base_model": [*bases],
        "base_model_relation": _only(bases.values()),
        "datasets": _unlike(
            _repository(one, "dataset") for one in known if one.kind == "dataset"
        ),
        "tags": _tags(known),
        "model-index": _index(scope, model),
    }
    return {key: value for key, value in data.items() if value}


def dataset_data(report: Report, dataset: Artifact) -> Data:
    """The front matter of a dataset's card."""
    scope = Scope(report)
    known = [*upwards(scope, dataset)]
    sources = (_repository(one, "dataset") for one in known if one.kind == "dataset")
    data: Data = {
        "pretty_name": dataset.name,
        **_licence(dataset),
        **_language(dataset),
        "size_categories": _sizes(scope, dataset),
        "source_datasets": _unlike(sources),
        "tags": _tags(known),
    }
    return {key: value for key, value in data.items() if value}


def upwards(scope: Scope, made: Artifact) -> Iterator[Artifact]:
    """A commit and all that it came from."""
    seen: set[str] = set()
    queue = [made.id]
    while queue:
        id_ = queue.pop(0)
        if id_ not in seen and id_ in scope.artifacts:
            seen.add(id_)
            found = scope.artifacts[id_]
            yield found
            skipped = ("configured_by", "evaluated_on", "follows")
            queue += [edge.id for edge in found.sources if edge.role not in skipped]


def _licence(made: Artifact) -> Data:
    """The licence that was stated of a commit, or that it came with."""
    said = made.stated.get("licence") or made.origin.get("licence")
    if said is None or not said.value:
        return {}
    name = str(said.value).strip()
    if name.lower() in _LICENCES:
        return {"license": name.lower()}
    return {"license": "other", "license_name": name}


def _language(made: Artifact) -> Data:
    said = made.stated.get("languages")
    given = (said.value or "").strip() if said else ""
    if not _LANGUAGES.fullmatch(given):
        return {}
    return {"language": _unlike(code.strip() for code in given.split(","))}


def _bases(scope: Scope, model: Artifact) -> Iterator[tuple[str, str]]:
    """The models of the Hub that a model began with, through those of the loop."""
    queue: list[tuple[Source, str]]
    queue = [(edge, _RELATIONS[edge.role]) for edge in of(model, *_RELATIONS)]
    seen: set[str] = set()
    while queue:
        edge, relation = queue.pop(0)
        base = scope.artifacts[edge.id]
        if base.id in seen:
            continue
        seen.add(base.id)
        if found := _repository(base, "model"):
            yield found, relation
        else:
            queue += [(further, relation) for further in of(base, *_RELATIONS)]


def _repository(made: Artifact, kind: str) -> str | None:
    """The repository of the Hub that a commit's source names, if it is one."""
    said = made.origin.get("source")
    found = _REPOSITORY.fullmatch(str(said.value).strip()) if said else None
    if found is None or FILE.search(found["id"]):
        return None
    address = "://" in found[0]
    return (
        found["id"]
        if not address or bool(found["data"]) == (kind == "dataset")
        else None
    )


def _only(found: Iterable[str]) -> str | None:
    """What all are; None where they differ."""
    all_ = set(found)
    return all_.pop() if len(all_) == 1 else None


def _unlike(found: Iterable[str | None]) -> list[str]:
    return [*dict.fromkeys(one for one in found if one)]


def _tags(known: Iterable[Artifact]) -> list[str]:
    machine = any(one.origin_class in ("machine", "mixed") for one in known)
    return ["lineage", "synthetic"] if machine else ["lineage"]


def _sizes(scope: Scope, dataset: Artifact) -> list[str]:
    """The size category of a dataset, where edges or metrics say how many it has."""
    count = records(scope, dataset)
    if count is None:
        return []
    return [next((name for most, name in _SIZES if count < most), "n>1T")]


def records(scope: Scope, dataset: Artifact) -> int | None:
    """How many records a dataset has, as edges from or to it say; None: nobody did."""
    written = [w for w in scope.report.written if w.dataset == dataset.id]
    kept = [int(w.kept.value) for w in written if w.kept.value is not None]
    shares = (edge.share.value for edge in dataset.sources if edge.share)
    totals = [share["records"][1] for share in shares if share and "records" in share]
    parts = (
        edge.share.value["records"][0]
        for made in scope.report.artifacts
        for edge in of(made, "trained_on")
        if edge.id == dataset.id and edge.share and edge.share.value
        if "records" in edge.share.value
    )
    found = {*kept, *totals} or {*parts}
    return found.pop() if len(found) == 1 else None


def _index(scope: Scope, model: Artifact) -> list[Data]:
    """What was measured of a model, in the Hub's shape; n and interval in `args`."""
    found = [
        (turn, turn.metrics) for turn in scope.report.turns if made_in(turn, model)
    ]
    turn, measured = found[-1] if found else (None, model.metrics)
    held_out = [*(turn.held_out if turn else of(model, "evaluated_on"))]
    measured = tuple(filter(_is_of_models, measured))
    if not measured:
        return []
    data = {"type": "other", "name": "not provided"}
    if held_out:
        names = ", ".join(dict.fromkeys(edge.name for edge in held_out))
        data = {"type": "held-out", "name": names, "revision": held_out[0].id}
    results = {
        "task": {"type": "other"},
        "dataset": data,
        "metrics": [_metric(metric) for metric in measured],
    }
    return [{"name": model.name, "results": [results]}]


def _is_of_models(metric: Measurement) -> bool:
    """Not one that lineage measures of data."""
    known = MEASURES.get(metric.definition or "")
    return known is None or known.on == "model"


def made_in(turn: Generation, model: Artifact) -> bool:
    """Whether a model is a part of a turn."""
    return any(part.id == model.id for part in turn.parts)


def _metric(metric: Measurement) -> Data:
    args = {
        "definition_version": metric.version,
        "n": metric.n,
        "interval": metric.interval,
    }
    given = {key: value for key, value in args.items() if value is not None}
    named = {"type": metric.definition or metric.name, "name": metric.name}
    return {**named, "value": metric.value, **({"args": given} if given else {})}
