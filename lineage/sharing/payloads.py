"""Which payloads travel with the refs.

A push sends those of all commits that the remote's log lacks, before the refs, so that
nobody reads of files that are not there. A pull and a clone bring what the branches
have now; the rest comes when somebody asks for it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lineage.errors import UsageError
from lineage.needed import PARTIAL, absent
from lineage.registry import Registry
from lineage.sharing.remotes import Remote
from lineage.store.reading import Progress
from lineage.tombstones import tombstones
from lineage.transfer import Moved, fetch_payloads, push_payloads


class Choice(NamedTuple):
    """Whose payloads to bring: of all commits, of a revset, since a day, of none.

    Without any of these, those of the branches.
    """

    everything: bool = False
    none: bool = False
    only: str | None = None
    since: str | None = None

    @property
    def said(self) -> bool:
        return any(self)


def send(
    registry: Registry,
    remote: Remote,
    ids: Iterable[str],
    progress: Progress | None = None,
) -> Moved:
    """Send the payloads of `ids` that the remote's DVC remote lacks.

    What `gc` has freed here was not kept on purpose, and is not missed.

    Raises:
        UsageError: when there is something to send and no DVC remote.
        StoreError, VerificationError: as `lineage.transfer.push_payloads`.
    """
    stored = list(_stored(registry, ids))
    freed = tombstones(registry).freed if stored else {}
    kept = [i for i in stored if not (i in freed and absent(registry, [i]))]
    return push_payloads(registry, remote.dvc, kept, progress) if kept else Moved()


def bring(
    registry: Registry,
    remote: Remote,
    choice: Choice,
    progress: Progress | None = None,
    *,
    fresh: bool = True,
) -> Moved | None:
    """Bring the payloads of `choice`; None where nobody asked and no DVC remote is.

    With `fresh` commits that have just come, of which not all payloads do, this is a
    partial clone from now on (see `lineage.needed`).

    Raises:
        UsageError: when they were asked for and there is no DVC remote.
        StoreError, VerificationError: as `lineage.transfer.fetch_payloads`.
    """
    chosen = set(_chosen(registry, choice))
    if fresh and not all(record.id in chosen for record in registry.ids):
        registry.settings.set(PARTIAL, "true")
    wanted = list(_stored(registry, chosen))
    if not wanted:
        return Moved()
    try:
        moved = fetch_payloads(registry, remote.dvc, wanted, progress)
    except UsageError:
        if choice.said:
            raise
        return None
    if choice.everything:
        registry.settings.unset(PARTIAL)
    return moved


def _chosen(registry: Registry, choice: Choice) -> list[str]:
    """The commits, and what the generations among them include."""
    if choice.none:
        return []
    if choice.everything:
        return [record.id for record in registry.ids]
    texts = [f"({choice.only})"] if choice.only else []
    texts += [f"since({choice.since})"] if choice.since else []
    found = (
        registry.select(" & ".join(texts)) if texts else registry.branches().values()
    )
    ids = list(dict.fromkeys(found))
    parts = [part for id_ in ids for part in registry.load(id_).ids("includes")]
    return list(dict.fromkeys([*ids, *parts]))


def _stored(registry: Registry, ids: Iterable[str]) -> Iterator[str]:
    for id_ in ids:
        payload = registry.load(id_).payload
        if payload is not None and payload.stored:
            yield id_
