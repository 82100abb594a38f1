"""What the card of a repository says: the YAML at the top of its README.md."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lineage.errors import LineageError, UsageError
from lineage.loop.spec.yaml_file import parse_yaml

_MATTER = re.compile(
    r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL
)
_REPOSITORY = re.compile(
    r"(?:hf://|https://(?:huggingface\.co|hf\.co)/)?(?:datasets/|models/)?"
    r"(?P<id>[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?)/?"
)
_ROLES = {
    "adapter": "fine_tuned_from",
    "finetune": "fine_tuned_from",
    "merge": "merged_from",
    "quantized": "quantized_from",
}
_HUMAN = {"crowdsourced", "expert-generated", "found"}
_OF_DATA = ("configs", "dataset_info", "pretty_name", "size_categories")


@dataclass(frozen=True, slots=True)
class Card:
    """What people say of a model or a dataset, as far as lineage has words for it.

    `made_from` has the repositories that it came from, each with a role.
    """

    made_from: tuple[tuple[str, str], ...] = ()
    licence: str = ""
    origin: str = "unknown"
    metrics: Mapping[str, float] = field(default_factory=dict)
    says: Mapping[str, Any] = field(default_factory=dict)
    is_dataset: bool = False


def split(text: str) -> tuple[dict[str, Any], str]:
    """The front matter of a card and the text below it.

    Raises:
        UsageError: when it has one that is no YAML, or no mapping.
    """
    found = _MATTER.match(text)
    if found is None:
        return {}, text
    data = parse_yaml(found[1].encode(), Path("README.md"))
    if data is not None and not isinstance(data, dict):
        hint = "the lines between the two `---` are YAML: `name: value`"
        raise UsageError("the card does not map names to values", hint=hint)
    return data or {}, text[found.end() :]


def read(folder: Path) -> Card:
    """The card in a folder; an empty one where there is none.

    Raises:
        UsageError: when it cannot be read.
    """
    path = folder / "README.md"
    if not path.is_file():
        return Card()
    try:
        data, _ = split(path.read_text(encoding="utf-8", errors="replace"))
    except LineageError as error:
        raise UsageError(f"{path}: {error}", hint=error.hint) from None
    is_dataset = any(key in data for key in _OF_DATA)
    made_from = _sources(data) if is_dataset else _parents(data, folder)
    return Card(
        made_from=tuple(dict.fromkeys(made_from)),
        licence=str(data.get("license_name") or data.get("license") or ""),
        origin=_origin(data) if is_dataset else "unknown",
        metrics=dict(_metrics(data.get("model-index"))),
        says={key: data[key] for key in _KEPT if data.get(key)},
        is_dataset=is_dataset,
    )


_KEPT = (
    *("base_model", "base_model_relation", "datasets", "source_datasets"),
    *("library_name", "pipeline_tag", "language"),
)


def repository(text: str) -> str | None:
    """The id of the Hub's repository that a text names, if it names one."""
    found = _REPOSITORY.fullmatch(text.strip())
    return found["id"] if found else None


def _parents(data: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """The models and data that a model came from."""
    bases = [*_named(data.get("base_model"))]
    relation = str(data.get("base_model_relation") or _guessed(bases, folder))
    role = _ROLES.get(relation, "fine_tuned_from")
    yield from ((role, base) for base in bases)
    yield from (("trained_on", name) for name in _named(data.get("datasets")))


def _guessed(bases: list[str], folder: Path) -> str:
    """How the Hub takes a card that does not say: several bases are a merge."""
    if any(folder.glob("*.gguf")):
        return "quantized"
    return "merge" if len(bases) > 1 else "finetune"


def _sources(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The datasets that a dataset came from; ``original`` is none."""
    for name in _texts(data.get("source_datasets")):
        named = repository(name.removeprefix("extended|"))
        if named and named not in ("original", "extended", "other"):
            yield "derived_from", named
    own = data.get("lineage")
    for name in _texts(own.get("generated_by") if isinstance(own, Mapping) else None):
        if named := repository(name):
            yield "generated_by", named


def _origin(data: Mapping[str, Any]) -> str:
    """Who wrote the records of a dataset, as far as its card says."""
    makers = set(_texts(data.get("language_creators")))
    if "synthetic" in _texts(data.get("tags")):
        makers.add("machine-generated")
    people, machine = makers & _HUMAN, "machine-generated" in makers
    if not makers or makers - _HUMAN - {"machine-generated"}:
        return "unknown"
    return "mixed" if people and machine else "machine" if machine else "human"


def _metrics(index: Any) -> Iterator[tuple[str, float]]:
    """The values of a ``model-index``, by the metric and what it was measured on."""
    for model in index if isinstance(index, list) else ():
        results = model.get("results") if isinstance(model, Mapping) else None
        for result in results if isinstance(results, list) else ():
            yield from _result(result)


def _result(result: Any) -> Iterator[tuple[str, float]]:
    known = result if isinstance(result, Mapping) else {}
    data, metrics = known.get("dataset"), known.get("metrics")
    on = data.get("name") if isinstance(data, Mapping) else None
    for metric in metrics if isinstance(metrics, list) else ():
        value = metric.get("value") if isinstance(metric, Mapping) else None
        name = (metric.get("type") or metric.get("name")) if value is not None else None
        if name and isinstance(value, int | float) and not isinstance(value, bool):
            yield (f"{name} on {on}" if on else str(name)), value


def _named(value: Any) -> Iterator[str]:
    return (found for text in _texts(value) if (found := repository(text)))


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str)]
