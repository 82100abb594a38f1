"""The registered models of a registry: names that move and names that do not.

The version N of the model NAME is the tag ``NAME/N``, so its number is never given to
another commit, and an alias A is the branch ``NAME@A``. What MLflow says beside that
is in events (see `lineage.integrations.mlflow.book`). Whoever tags a model commit
``NAME/N`` makes a version, too; whoever undoes a deletion brings one back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lineage.errors import NotAllowed
from lineage.integrations.mlflow.book import TYPE, Book, Json, Model, Version, millis
from lineage.noted import noted
from lineage.registry import Registry
from lineage.store import names
from lineage.store.disk import disk_errors
from lineage.store.event_reading import Logged
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.store.undone import UNDO
from lineage.store.views import Move, Target


@dataclass
class Notes:
    """Which events speak of registered models, by git oid, or take something back."""

    FILE: ClassVar[str] = "mlflow"
    TYPES: ClassVar[frozenset[str]] = frozenset({TYPE, UNDO})

    tip: str = ""
    told: list[str] = field(default_factory=list)

    def take(self, logged: Logged, _clone: str) -> None:
        """Note one event."""
        self.told.append(logged.git)


class Models:
    """The registered models as of the newest event that `refresh` saw."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._tip: str | None = None
        self._book = Book()
        self._tags: dict[str, dict[int, str]] = {}
        self._heads: dict[str, dict[str, str]] = {}
        self._kinds: dict[str, bool] = {}

    # reading

    def refresh(self) -> None:
        """Take in what was written since."""
        tip = self.registry.events_log.tip()
        if tip == self._tip:
            return
        if not self._go_on(tip):
            self._book = self._read()
        self._tags, self._heads, self._tip = {}, {}, tip
        for tag, oid in self.registry.events_log.names("tags").items():
            if (place := _version_of(tag)) and self._is_ours(place[0], tag, oid):
                self._tags.setdefault(place[0], {})[place[1]] = oid
        for branch, oid in self.registry.events_log.names("heads").items():
            name, at, alias = branch.rpartition("@")
            if at:
                self._heads.setdefault(name, {})[alias] = oid

    def _go_on(self, tip: str | None) -> bool:
        """Take in the few events of one chain that came since, if that is all."""
        log = self.registry.events_log
        fresh = log.recent(tip, self._tip) if tip and self._tip else None
        events = [log.event(oid) for oid in reversed(fresh or ())]
        if fresh is None or any(event.type == UNDO for event in events):
            return False
        for event in events:
            if event.type == TYPE:
                self._book.take(event)
        return True

    def _read(self) -> Book:
        book, events = Book(), [logged.event for logged in self._told()]
        gone: set[str] = set()
        for event in reversed(events):
            if event.type == UNDO and event.id not in gone:
                gone.add(event.data["undoes"])
        for event in events:
            if event.type == TYPE and event.id not in gone:
                book.take(event)
        return book

    def _told(self) -> list[Logged]:
        """The events that tell something, oldest first, as every clone has them.

        Git is asked for the order where times do not say it: two logs have met, or a
        clock went back.
        """
        log = self.registry.events_log
        heard = list(log.many(noted(self.registry, Notes).told))
        by_time = sorted(heard, key=lambda logged: (logged.event.time, logged.event.id))
        if by_time == heard:
            return heard
        ordered = ("rev-list", "--date-order", "--reverse", log.tip() or "")
        oids = self.registry.git.run(*ordered).decode().split()
        found = {logged.git: logged for logged in heard}
        return [found[oid] for oid in oids if oid in found]

    def _is_ours(self, name: str, tag: str, oid: str) -> bool:
        """A tag that nobody spoke of is a version where its commit is a model."""
        if name in self._book.models:
            return True
        if oid not in self._kinds:
            target = self.registry.target(f"tags/{tag}")
            kind = self.registry.load(target.id).kind if target else ""
            self._kinds[oid] = kind == "model"
        return self._kinds[oid]

    def names(self) -> list[str]:
        """The names of all registered models, sorted."""
        return sorted({*self._book.models, *self._tags})

    def model(self, name: str) -> Model | None:
        """What is said of a registered model, if there is one."""
        if name in self._book.models or name not in self._tags:
            return self._book.models.get(name)
        found = {n: self._untold(oid) for n, oid in self._tags[name].items()}
        first = min(one.created for one in found.values())
        last = max(one.updated for one in found.values())
        return Model(first, last, versions=found)

    def _untold(self, oid: str) -> Version:
        """A version that is a tag and nothing else."""
        target = self.registry.target_of(oid)
        time = millis(self.registry.first_event(target.id).time)
        return Version(time, time)

    def versions(self, name: str) -> dict[int, Version]:
        """The versions that are there, by number."""
        model = self.model(name)
        if model is None:
            return {}
        return {
            number: model.versions.get(number) or self._untold(oid)
            for number, oid in sorted(self._tags.get(name, {}).items())
        }

    def aliases(self, name: str) -> dict[str, int]:
        """The aliases of a model with the number that each stands for."""
        model, tags = self.model(name), self._tags.get(name, {})
        found: dict[str, int] = {}
        for alias, oid in sorted(self._heads.get(name, {}).items()):
            there = [number for number, at in tags.items() if at == oid]
            given = model.aliases.get(alias) if model else None
            if there:
                found[alias] = next((n for n in there if str(n) == given), max(there))
        return found

    def target(self, name: str, number: int) -> Target:
        """The commit of a version that is there."""
        target = self.registry.target(f"tags/{name}/{number}")
        assert target is not None
        return target

    # writing

    @contextmanager
    def writing(self) -> Iterator[int]:
        """Hold the registry's write lock, with everything in that was written."""
        doing = "recording what MLflow says"
        with disk_errors(doing), self.registry.events_log.locked() as lock:
            self.refresh()
            yield lock

    def say(
        self,
        name: str,
        data: Mapping[str, Any],
        message: str,
        *,
        lock: int,
        moves: Sequence[Move] = (),
        subject: str | None = None,
    ) -> None:
        """Append one event about the model `name`."""
        event = Event(
            TYPE,
            now(),
            self.registry.actor(),
            message,
            subject=subject,
            data={"model": name, **{k: v for k, v in data.items() if v}},
        )
        self.registry.record(event, moves, lock=lock)
        self.refresh()

    def make(self, name: str, fields: Json, tags: Json, *, lock: int) -> None:
        """Make a registered model without versions."""
        names.check(f"{name}/1")
        data = {"made": True, "fields": fields, "tags": tags}
        self.say(name, data, f"made {name}", lock=lock)

    def add(
        self,
        name: str,
        target: Target,
        fields: Json,
        tags: Json,
        *,
        lock: int,
        number: int | None = None,
    ) -> int:
        """Make the commit `target` a version, the next one unless `number` is given."""
        number = number or self._next(name)
        move = Move(f"tags/{name}/{number}", None, target)
        said = {"versions": {str(number): {"fields": fields, "tags": tags}}}
        self.say(name, said, f"version {number} of {name}", lock=lock, moves=[move],
                 subject=target.id)  # fmt: skip
        return number

    def _next(self, name: str) -> int:
        """One more than any number that was ever given."""
        log = self.registry.events_log
        spent = (_version_of(tag) for tag in log.names("spent"))
        given = [place[1] for place in spent if place and place[0] == name]
        return max([0, *given, *self._tags.get(name, {})]) + 1

    def drop(self, name: str, number: int, *, lock: int) -> None:
        """Delete a version: its number is spent, its aliases go, its commit stays."""
        target = self.target(name, number)
        moves = [*_spend(f"{name}/{number}", target)]
        aliases = [alias for alias, n in self.aliases(name).items() if n == number]
        moves += [self._alias(name, alias, None) for alias in aliases]
        said = {"aliases": dict.fromkeys(aliases)}
        message = f"deleted version {number} of {name}"
        self.say(name, said, message, lock=lock, moves=moves, subject=target.id)

    def drop_all(self, name: str, *, lock: int) -> None:
        """Delete a registered model, its versions and aliases; the commits stay."""
        moves = [self._alias(name, alias, None) for alias in self.aliases(name)]
        for number in self.versions(name):
            moves += _spend(f"{name}/{number}", self.target(name, number))
        self.say(name, {"deleted": True}, f"deleted {name}", lock=lock, moves=moves)

    def rename(self, name: str, new: str, *, lock: int) -> None:
        """Call a registered model, its versions and its aliases otherwise.

        Raises:
            NotAllowed: when a version of the new name had a number that is needed.
        """
        names.check(f"{new}/1")
        moves: list[Move] = []
        for number in self.versions(name):
            target = self.target(name, number)
            if self.registry.target(f"spent/{new}/{number}"):
                message = f"the version {number} of {new} was deleted once"
                raise NotAllowed(message, hint="choose a name that was not in use")
            moves += _spend(f"{name}/{number}", target)
            moves.append(Move(f"tags/{new}/{number}", None, target))
        for alias, number in self.aliases(name).items():
            moves.append(self._alias(name, alias, None))
            moves.append(self._alias(new, alias, self.target(name, number)))
        told = f"{name} is now {new}"
        self.say(name, {"renamed": new}, told, lock=lock, moves=moves)

    def set_alias(self, name: str, alias: str, number: int, *, lock: int) -> None:
        """Let an alias stand for a version from now on."""
        target = self.target(name, number)
        move = self._alias(name, alias, target)
        moves = [move] if move.before != target else []
        said, told = {"aliases": {alias: str(number)}}, f"{alias} is version {number}"
        self.say(name, said, told, lock=lock, moves=moves, subject=target.id)

    def drop_alias(self, name: str, alias: str, *, lock: int) -> None:
        """Delete an alias, if it is there."""
        move = self._alias(name, alias, None)
        if move.before:
            self.say(name, {"aliases": {alias: None}}, f"deleted the alias {alias}",
                     lock=lock, moves=[move])  # fmt: skip

    def _alias(self, name: str, alias: str, target: Target | None) -> Move:
        ref = f"heads/{names.check(f'{name}@{alias}', 'branch')}"
        return Move(ref, self.registry.target(ref), target)


def _version_of(tag: str) -> tuple[str, int] | None:
    """The model and the number that a tag such as ``tutor/3`` means."""
    name, _, number = tag.rpartition("/")
    if not name or "/" in name or not number.isascii() or not number.isdecimal():
        return None
    return (name, int(number)) if str(int(number)) == number != "0" else None


def _spend(tag: str, target: Target) -> list[Move]:
    return [
        Move(f"tags/{tag}", target, None, kept=True),
        Move(f"spent/{tag}", None, target),
    ]
