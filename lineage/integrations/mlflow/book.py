"""What events of the type ``mlflow`` say of registered models, one after the other.

The data of such an event names a ``model`` and says what changed: ``made``, ``deleted``
or ``renamed`` (to what), and of the model ``fields``, ``tags`` and ``aliases``, each a
map in which null takes something away, and of its ``versions``, by number, ``fields``
and ``tags``. What is malformed says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineage.store.objects import Event

TYPE = "mlflow"
Json = dict[str, Any]


@dataclass(slots=True)
class Version:
    """What is said of one version; times are milliseconds since 1970."""

    created: int
    updated: int
    fields: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Model:
    """What is said of one registered model and of its versions, by number.

    `aliases` are the numbers that aliases were given with; where their branches are
    by now, the registry says.
    """

    created: int
    updated: int
    fields: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)


@dataclass(slots=True)
class Book:
    """All registered models that were spoken of, by name."""

    models: dict[str, Model] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Note what one event says."""
        name, data = event.data.get("model"), event.data
        if not isinstance(name, str):
            return
        when, new = millis(event.time), data.get("renamed")
        if data.get("deleted") is True:
            self.models.pop(name, None)
        elif isinstance(new, str):
            self._rename(name, new, when)
        else:
            self._change(name, data, when)

    def _rename(self, name: str, new: str, when: int) -> None:
        if model := self.models.pop(name, None):
            self.models[new] = model
            model.updated = when
            for version in model.versions.values():
                version.updated = when

    def _change(self, name: str, data: Mapping[str, Any], when: int) -> None:
        if name not in self.models or data.get("made") is True:
            self.models[name] = Model(when, when)
        model = self.models[name]
        model.updated = when
        _merge(model.fields, data.get("fields"))
        _merge(model.tags, data.get("tags"))
        _merge(model.aliases, data.get("aliases"))
        for number, said in _map(data.get("versions")).items():
            if number.isdecimal() and len(number) < 19:
                version = model.versions.setdefault(int(number), Version(when, when))
                version.updated = when
                _merge(version.fields, _map(said).get("fields"))
                _merge(version.tags, _map(said).get("tags"))


def _map(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _merge(target: dict[str, str], said: object) -> None:
    for key, value in _map(said).items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, str):
            target[key] = value


def millis(time: str) -> int:
    """The time of an event in milliseconds since 1970."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
