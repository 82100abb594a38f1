"""Freeing what nothing needs any more: first to the trash, then for good.

Needed are the files of every commit that a branch, a tag or a part of a running loop
reaches, of every commit that had a name within the grace period, so that `undo` finds
its bytes, and of what the setting ``gc.keep``, a revset, selects. Manifests, lineage
and the log stay for ever: only payload bytes go, and an event says whose.

DVC's own use of its cache comes first: an object that any of its files names keeps
its place there and only loses our pin.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lineage.erase import enforce
from lineage.errors import StoreError, UsageError
from lineage.keeping import refresh_keep
from lineage.registry import Registry
from lineage.store import dvc, keep
from lineage.store.disk import disk_errors
from lineage.store.dvc_use import used_by_dvc
from lineage.store.events import now, stamp
from lineage.store.files import dvc_address
from lineage.store.objects import Event
from lineage.store.packed.leaving import Leaving
from lineage.store.pins import Batch, Pins, dated
from lineage.store.uploads import Uploads
from lineage.store.workspace import sweep
from lineage.walks import ancestors

GRACE, TRASH = timedelta(days=30), timedelta(days=7)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Row(NamedTuple):
    """What gc frees of one commit, or (`id` empty) of none, and why.

    The `size` of packed objects is what they take in the packs.
    """

    id: str
    kind: str
    name: str
    objects: int
    size: int
    why: str


@dataclass(slots=True)
class Collected:
    """What gc freed, or would free."""

    rows: list[Row] = field(default_factory=list)
    left_to_dvc: int = 0  # objects that DVC needs, or may need
    left_packed: int = 0  # that are not worth writing packs anew, or are built on
    emptied: list[Batch] = field(default_factory=list)
    emptied_size: int = 0
    erased: int = 0  # objects that somebody erased elsewhere, removed here

    @property
    def size(self) -> int:
        return sum(row.size for row in self.rows)

    @property
    def objects(self) -> int:
        return sum(row.objects for row in self.rows)


@dataclass(slots=True)
class _Plan:
    """Rows, the pins and packed files that go, and who loses some, as of one event."""

    tip: str | None
    rows: list[Row]
    oids: list[str]
    packed: Leaving
    losing: list[str]


def gc(
    registry: Registry,
    *,
    grace: timedelta | None = None,
    dry_run: bool = False,
    empty_trash: bool = False,
) -> Collected:
    """Move what nothing needs to the trash, and empty the trash of old things.

    Writers wait meanwhile; their copies that are not recorded yet are never taken.

    Raises:
        UsageError: for a setting ``gc.…`` that is not understood.
        VerificationError: when the log, or a commit, is not whole.
    """
    pins = Pins(registry.payloads)
    grace = _setting(registry, "grace", GRACE) if grace is None else grace
    result = Collected()
    with _alone(registry, dry_run=dry_run), disk_errors("cleaning the DVC cache"):
        if not dry_run:
            sweep(registry.payloads.places.tmp)
            Uploads(registry.payloads).sweep()
            registry.git.sweep_old()
            result.erased = enforce(registry)
        plan = _plan(registry, pins, grace)
        result.rows = plan.rows
        spare = _spare(registry, pins, plan.oids)
        result.left_to_dvc = len(plan.oids) - len(spare)
        result.left_packed = plan.packed.left
        if not dry_run:
            _carry_out(registry, pins, plan, grace)
        keep = timedelta() if empty_trash else _setting(registry, "trash", TRASH)
        _empty(pins, result, keep, dry_run=dry_run)
    if result.erased:
        refresh_keep(registry, again=True)
    return result


@contextmanager
def _alone(registry: Registry, *, dry_run: bool) -> Iterator[None]:
    """Hold writers off; where nothing can be written a look goes without."""
    with ExitStack() as held:
        with suppress(StoreError) if dry_run else nullcontext():
            held.enter_context(registry.payloads.alone())
        yield


def restore(registry: Registry) -> int:
    """Bring back what lies in the trash and was not erased; how many objects."""
    pins = Pins(registry.payloads)
    with registry.payloads.alone(), disk_errors("cleaning the DVC cache"):
        enforce(registry)
    with registry.payloads.writing(), disk_errors("emptying the trash"):
        return sum(len(pins.restore(batch)) for batch in pins.trash())


def age(text: str) -> timedelta:
    """A period such as ``30d``, ``12h`` or ``2w``.

    Raises:
        UsageError: when it is none.
    """
    count, unit = text[:-1], _UNITS.get(text[-1:])
    if unit and count.isdecimal() and len(count) < 7:
        return timedelta(**{unit: int(count)})
    raise UsageError(f"{text!r} is not a period", hint="write 30d, 12h or 2w")


def _setting(registry: Registry, name: str, default: timedelta) -> timedelta:
    text = registry.settings.get(f"gc.{name}")
    return default if text is None else age(text)


# what is needed


def needed(registry: Registry, grace: timedelta) -> set[str]:
    """The commits whose files have to stay."""
    names = (registry.names(space).values() for space in ("heads", "tags", "runs"))
    starts = {target.id for found in names for target in found}
    if policy := registry.settings.get("gc.keep"):
        starts |= set(registry.select(policy))
    starts |= _named_since(registry, datetime.now(UTC) - grace)
    return ancestors(registry, starts)


def _named_since(registry: Registry, moment: datetime) -> set[str]:
    """Commits that came, or had a name that moved, after `moment`.

    An event counts as no older than those before it: a clock that was wrong once
    must not make its events fair game.
    """
    found: set[str] = set()
    latest = datetime.min.replace(tzinfo=UTC)
    for logged in registry.events_log.iterate(oldest_first=True):
        latest = max(latest, datetime.fromisoformat(logged.event.time))
        if latest > moment:
            found.update(id_ for id_, _ in logged.event.commits)
            moved = logged.event.refs
            ends = (id_ for change in moved for id_ in (change.before, change.after))
            found.update(filter(None, ends))
    return found


def _objects(registry: Registry, id_: str) -> Iterator[str]:
    """The oids of a commit's stored files and of DVC's list of them."""
    if payload := registry.load(id_).stored:
        entries = registry.files(id_)
        yield dvc_address(payload.type, entries)[0]
        yield from (entry.md5 for entry in entries if not entry.is_directory)


# what goes


def _plan(registry: Registry, pins: Pins, grace: timedelta) -> _Plan:
    registry.events_log.check_whole()
    tip = registry.events_log.tip()
    alive = needed(registry, grace)
    records = sorted(registry.ids, key=lambda record: record.number, reverse=True)
    wanted = {oid for id_ in alive for oid in _objects(registry, id_)}
    wanted.add(keep.kept_list(registry.git) or "")
    pinned = {oid for oid in pins if oid not in wanted}
    packed = Leaving(registry.payloads.packs, wanted)
    going = pinned | packed.oids
    unneeded, lost = frozenset(going), going - packed.keep
    plan = _Plan(tip, [], sorted(pinned), packed, [])

    def size(oids: set[str]) -> int:
        return sum(map(pins.size, oids & pinned)) + packed.size(oids & packed.oids)

    since = _last_reached(registry) if going else {}
    for record in records if going else ():
        if record.id not in alive:
            ours = {oid for oid in _objects(registry, record.id) if oid in unneeded}
            plan.losing += [record.id] if ours & lost else []
            if first := ours & going:
                row = _row(registry, record.id, len(first), size(first), since)
                plan.rows.append(row)
            going -= ours
    if going:
        why = "no commit names them: left by a stopped writer, or old lists for DVC"
        plan.rows.append(Row("", "", "", len(going), size(going), why))
    return plan


def _row(
    registry: Registry, id_: str, objects: int, size: int, since: dict[str, str]
) -> Row:
    commit = registry.load(id_)
    day = since.get(id_, "")[:10]
    why = f"no name reaches it since {day}" if day else "no name ever reached it"
    return Row(id_, commit.kind, commit.name, objects, size, why)


def _last_reached(registry: Registry) -> dict[str, str]:
    """By id: when the last name that reached a commit went elsewhere."""
    found: dict[str, str] = {}
    for logged in registry.events_log.iterate():
        queue = [change.before for change in logged.event.refs if change.before]
        while queue:
            id_ = queue.pop()
            if id_ not in found:
                found[id_] = logged.event.time
                queue += registry.load(id_).ids()
    return found


def _spare(registry: Registry, pins: Pins, oids: Iterable[str]) -> set[str]:
    """Those that neither DVC nor another registry in this cache needs.

    A cache outside of the repository may serve other DVC projects, of which nobody
    here knows: then everything is left to `dvc gc`.
    """
    if not pins.cache.is_relative_to(dvc.home(registry.git)):
        return set()
    found = set(oids) - pins.of_others()
    return found - used_by_dvc(registry.git, pins.cache) if found else found


def _carry_out(registry: Registry, pins: Pins, plan: _Plan, grace: timedelta) -> None:
    """Say it, then do it: an event without its move excuses nothing that is here."""
    if not (plan.oids or plan.packed.oids):
        return
    with registry.events_log.locked() as lock:
        if registry.events_log.tip() != plan.tip:  # somebody named something meanwhile
            plan = _plan(registry, pins, grace)
        event = _event(registry, plan)
        if event.data["commits"]:
            registry.record(event, lock=lock)
        spare = _spare(registry, pins, plan.oids)
        date = dated(event.time)
        pins.drop(plan.oids, spare, date)
        if plan.packed.oids:
            pins.drop_packed(plan.packed, date)


def _event(registry: Registry, plan: _Plan) -> Event:
    commits = [{"id": id_} for id_ in plan.losing]
    objects = sum(row.objects for row in plan.rows)
    sizes = {"objects": objects, "size": sum(row.size for row in plan.rows)}
    data = {"clone": registry.payloads.registry, "commits": commits, **sizes}
    return Event("gc", now(), registry.actor(), "freed what nothing needs", data=data)


def _empty(pins: Pins, result: Collected, keep: timedelta, *, dry_run: bool) -> None:
    """Remove what has been in the trash for longer than `keep`."""
    limit = dated(stamp(datetime.now(UTC) - keep))
    for batch in pins.trash():
        if batch.date <= limit:
            result.emptied.append(batch)
            result.emptied_size += batch.size
            if not dry_run:
                pins.empty(batch)
