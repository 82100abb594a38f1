"""What was measured of a commit: metrics in its manifest, and those attested later.

What the manifest says holds; under other names the newest attestation does. Whoever
shows or compares metrics asks here. Where nothing was attested, that costs nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple

from lineage.errors import UsageError
from lineage.repository import Repository
from lineage.statements import statements, subjects
from lineage.store.attested import METRICS, Attested
from lineage.store.attested import attested as holding
from lineage.store.objects import Metric

__all__ = ["Attested", "Said", "attest", "attested", "metrics"]


class Said(NamedTuple):
    """The event that says it; `created` is False when one said all of it already."""

    event: str
    created: bool


def metrics(registry: Repository, id_: str) -> Mapping[str, Metric]:
    """The metrics of the commit `id_` by name, recorded and attested.

    Raises:
        NotFound: when it is not here.
    """
    recorded = registry.load(id_).metrics
    if id_ not in subjects(registry, METRICS):
        return recorded
    later = attested(registry, id_)
    both = {**recorded, **{name: found.metric for name, found in later.items()}}
    return dict(sorted(both.items()))


def attested(registry: Repository, id_: str) -> dict[str, Attested]:
    """The metrics that were attested of the commit `id_` and that it does not record.

    Of a registry as it was at some event, those attested by then.
    """
    if id_ not in subjects(registry, METRICS):
        return {}
    recorded = registry.load(id_).metrics
    found = holding(statements(registry, id_, METRICS))
    return {name: item for name, item in found.items() if name not in recorded}


def attest(
    registry: Repository,
    id_: str,
    given: Mapping[str, Metric | None],
    *,
    message: str = "",
) -> Said:
    """Say that `given` was measured of the commit `id_`; None takes a metric back.

    Where all of it holds already nothing is recorded.

    Raises:
        NotFound: when the commit is not here.
        UsageError: for nothing at all, for a name that the commit itself records,
            and for taking back what nobody attested.
        NotAllowed: when the registry is that of a time that has passed.
    """
    registry.events_log.check_writable()
    _check(registry, id_, given)
    present = attested(registry, id_)
    if all(name in present and present[name].metric == m for name, m in given.items()):
        return Said(max(map(_event, map(present.__getitem__, given)))[1], created=False)
    data = {name: metric and metric.to_json() for name, metric in given.items()}
    event = registry.attest(
        METRICS, subject=id_, message=message, data={"metrics": data}
    )
    return Said(event, created=True)


def _event(found: Attested) -> tuple[str, str]:
    return found.event.time, found.event.id


def _check(registry: Repository, id_: str, given: Mapping[str, Metric | None]) -> None:
    """Refuse what would be said and never heard."""
    if not given:
        raise UsageError("there is nothing to attest", hint="give at least one metric")
    recorded, present = registry.load(id_).metrics, attested(registry, id_)
    for name, metric in given.items():
        if name in recorded:
            hint = "attest it under another name"
            message = f"{id_[:12]} records {name} itself, and that holds"
            raise UsageError(message, hint=hint)
        if metric is None and name not in present:
            hint = "`lineage show` lists what was attested"
            raise UsageError(f"nobody attested {name} of {id_[:12]}", hint=hint)
