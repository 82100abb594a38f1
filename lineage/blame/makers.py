"""Who and what made a record: model, prompt, settings, judges; and whom it trained."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from lineage.blame.finding import ID, opened
from lineage.blame.result import Chooser, Place, Prompt, Step, Tainted, Writer
from lineage.blame.way_back import place_of
from lineage.descent.roles import CHOICE, WRITING
from lineage.errors import LineageError
from lineage.records import Row, record_files
from lineage.registry import Registry
from lineage.store.objects import Commit
from lineage.store.reading import Progress

_SAMPLING = (  # names of GenerationConfig, and of hosted models' interfaces
    *("temperature", "top_p", "top_k", "min_p", "do_sample", "num_beams", "seed"),
    *("max_new_tokens", "max_tokens", "repetition_penalty", "system_prompt", "stop"),
)


class Made(TypedDict):
    """The fields of a Blame that say who made the record."""

    writers: tuple[Writer, ...]
    generator: str
    prompt: Prompt | None
    config: str
    settings: Mapping[str, Any]
    choosers: tuple[Chooser, ...]
    origin: Mapping[str, Any] | None
    trained: tuple[str, ...]


def of(
    registry: Registry,
    steps: Sequence[Step],
    data: Mapping[str, Any],
    notes: list[str],
    progress: Progress,
) -> Made:
    """Everything that is known of the making of a record that took these steps."""
    first = registry.load(steps[-1].dataset)
    generator = data.get("generator")
    named = generator if isinstance(generator, str) else ""
    writers = tuple(_writers(registry, first, named, notes))
    config = next(iter(first.ids("configured_by")), "") if writers else ""
    return Made(
        writers=writers,
        generator=named,
        prompt=_prompt(registry, steps[-1].dataset, data, notes, progress),
        config=config,
        settings=_settings(registry, first, config) if writers else {},
        choosers=tuple(_choosers(registry, steps)),
        origin=first.origin,
        trained=_trained(registry, steps, notes),
    )


def _writers(
    registry: Registry, first: Commit, named: str, notes: list[str]
) -> list[Writer]:
    """The model that the record names among those that wrote the dataset, or all."""
    edges = [edge for edge in first.edges if edge.role in WRITING]
    roots = {edge.id: _root(registry, edge.id) for edge in edges}
    right = [edge for edge in edges if named and roots[edge.id] == named]
    if right:
        return [Writer(edge.id, edge.role, matches=True) for edge in right[:1]]
    if named and not edges:
        what = f"the record names a generator, {named[:12]}"
        notes.append(f"{what}, and no edge says which model that is")
    return [
        Writer(e.id, e.role, False if named and roots[e.id] else None) for e in edges
    ]


def _root(registry: Registry, id_: str) -> str:
    """The SHA-256 over a model's files, by which records name it."""
    if id_ not in registry.ids:
        return ""
    payload = registry.load(id_).payload
    return payload.root if payload else ""


def _settings(registry: Registry, first: Commit, config: str) -> dict[str, Any]:
    """What it was sampled with, where a config or the dataset itself says it."""
    found: dict[str, Any] = {}
    if config and config in registry.ids:
        params = registry.load(config).params
        section = params.get("generation")
        own = section.get("generation_config") if isinstance(section, Mapping) else None
        found |= own if isinstance(own, Mapping) else _sampling(params)
    return found | _sampling(first.params)


def _sampling(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in _SAMPLING if name in params}


def _choosers(registry: Registry, steps: Sequence[Step]) -> Iterator[Chooser]:
    """The models that chose or rewarded, wherever the record passed."""
    seen = set()
    for step in steps:
        for edge in registry.load(step.dataset).edges:
            if edge.role in CHOICE and (edge.id, edge.role) not in seen:
                seen.add((edge.id, edge.role))
                yield Chooser(edge.id, edge.role, step.dataset)


def _prompt(
    registry: Registry,
    first: str,
    data: Mapping[str, Any],
    notes: list[str],
    progress: Progress,
) -> Prompt | None:
    text, source = data.get("prompt"), data.get("prompt_source")
    if not isinstance(text, str) or not isinstance(source, str | None):
        return None
    found = _record(registry, first, source, notes, progress) if source else None
    if found is None:
        return Prompt(text, source or "")
    return Prompt(text, source or "", *found)


def _record(
    registry: Registry, first: str, name: str, notes: list[str], progress: Progress
) -> tuple[Place, Mapping[str, Any]] | None:
    """The record of an id in the datasets that `first` was made from."""
    ahead = list(registry.load(first).ids("derived_from"))
    for parent in ahead:  # grows: the near ones come first
        if parent not in registry.ids:
            continue
        try:
            if found := _named(registry, parent, name, progress):
                return place_of(parent, found), found.data
        except LineageError as error:
            what = f"{registry.load(parent).name} {parent[:12]}"
            notes.append(f"{what} could not be looked at: {error}")
        ahead += (
            p for p in registry.load(parent).ids("derived_from") if p not in ahead
        )
    return None


def _named(
    registry: Registry, dataset: str, name: str, progress: Progress
) -> Row | None:
    for entry in record_files(registry, dataset):
        with opened(registry, entry) as lookup:
            for hit in lookup.holding(name, whole=True):
                if hit.data.get(ID) == name:
                    return Row(entry.path, 0, *hit[1:])
        progress(entry.size)
    return None


def _trained(
    registry: Registry, steps: Sequence[Step], notes: list[str]
) -> tuple[str, ...]:
    """The models trained on a dataset of the steps, oldest first."""
    from lineage.walks import descendants

    datasets = {step.dataset for step in steps}
    try:
        found = descendants(registry, datasets, ["trained_on"]) - datasets
    except LineageError as error:
        notes.append(f"which models were trained on it is not known: {error}")
        return ()
    return tuple(sorted(found, key=lambda id_: registry.ids.get(id_).number))


def tainted(
    registry: Registry, sources: Collection[str], identity: str
) -> tuple[Tainted, ...]:
    """The standing taints of commits that speak of a record of this identity."""
    from lineage.taints import standing

    return tuple(
        Tainted(one.event, one.subject, one.reason)
        for one in standing(registry)
        if one.subject in sources and (one.records is None or identity in one.records)
    )
