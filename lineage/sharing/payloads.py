"""Which payloads travel with the refs.

A push sends those of all commits that the remote's log lacks, before the refs, so that
nobody reads of files that are not there. A pull and a clone bring what the branches
have now; the rest comes when somebody asks for it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lineage.errors import UsageError
from lineage.needed import absent
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
    *,
    packed: bool = False,
) -> Moved:
    """Send the payloads of `ids` that the remote's DVC remote lacks.

    What is packed here goes in packs if `packed`. What `gc` has freed here was not
    kept on purpose, and is not missed.

    Raises:
        UsageError: when there is something to send and no DVC remote.
        StoreError, VerificationError: as `lineage.transfer.push_payloads`.
    """
    stored = [id_ for id_ in ids if registry.load(id_).stored]
    freed = tombstones(registry).freed if stored else {}
    kept = [i for i in stored if not (i in freed and absent(registry, [i]))]
    if not kept:
        return Moved()
    return push_payloads(registry, remote.dvc, kept, progress, packed=packed)


def bring(
    registry: Registry,
    remote: Remote,
    choice: Choice,
    progress: Progress | None = None,
) -> Moved | None:
    """Bring the payloads of `choice`; None where nobody asked and no DVC remote is.

    Raises:
        UsageError: when they were asked for and there is no DVC remote.
        StoreError, VerificationError: as `lineage.transfer.fetch_payloads`.
    """
    try:
        return fetch_payloads(registry, remote.dvc, chosen(registry, choice), progress)
    except UsageError:
        if choice.said:
            raise
        return None


def chosen(registry: Registry, choice: Choice) -> list[str]:
    """The commits of a choice, and what the generations among them include.

    Raises:
        UsageError, NotFound: when it is not understood, or names what is not there.
    """
    if choice.none:
        return []
    if choice.everything:
        return [record.id for record in registry.ids]
    if choice.only or choice.since:
        ids = registry.select(choice.only or "all()")
        since = f"since({choice.since})" if choice.since else "all()"
        recent = set(registry.select(since))
        ids = [id_ for id_ in ids if id_ in recent]
    else:
        ids = list(dict.fromkeys(registry.branches().values()))
    parts = [part for id_ in ids for part in registry.load(id_).ids("includes")]
    return list(dict.fromkeys([*ids, *parts]))
