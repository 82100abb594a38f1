"""Names that `loop.yaml` may use: ours, and those that installed packages add.

A package adds one with an entry point in `lineage.steps`, `lineage.measures` or
`lineage.gates`::

    [project.entry-points."lineage.gates"]
    politeness = "my_package.gates:Politeness"

Nothing is imported before its name is used. `docs/plugins.md` has a whole package.
"""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import LineageError, UsageError, raised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Plugin(NamedTuple):
    """What an installed distribution adds under a name."""

    group: str
    name: str
    place: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


class Plugins:
    """Objects by name: `built_in` ones as `module:name`, others by entry point.

    A built-in name wins: no package can change what it means. A name that two
    packages add means neither.
    """

    def __init__(self, group: str, built_in: Mapping[str, str]) -> None:
        self.group, self._built_in = group, built_in

    @cached_property
    def _installed(self) -> dict[str, list[Plugin]]:
        found: dict[str, list[Plugin]] = {}
        for point in entry_points(group=self.group):
            found.setdefault(point.name, []).append(_plugin(point))
        return found

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*self._built_in, *self._installed})

    def __contains__(self, name: str) -> bool:
        return name in self._built_in or name in self._installed

    def __iter__(self) -> Iterator[Plugin]:
        """What packages add, by name, be it usable or not."""
        for name in sorted(self._installed):
            yield from sorted(self._installed[name])

    def trouble(self, plugin: Plugin) -> str:
        """Why a name does not mean `plugin`; "" if it does."""
        if plugin.name in self._built_in:
            return "not used: the name is built in"
        others = [p for p in self._installed[plugin.name] if p != plugin]
        return f"not used: {' and '.join(map(str, others))} has it too" * bool(others)

    def find(self, name: str) -> Plugin | None:
        """The package's object that a name means, None where it is ours.

        Raises:
            KeyError: nothing has the name.
            UsageError: two packages have.
        """
        if name in self._built_in:
            return None
        found = self._installed[name]
        if len(found) > 1:
            who = " and ".join(sorted(map(str, found)))
            message = f"{self.group}: {name} is ambiguous, {who} add it"
            raise UsageError(message, hint="uninstall all but one of them")
        return found[0]

    def __getitem__(self, name: str) -> Any:
        """Import what has a name.

        Raises:
            KeyError: nothing has.
            UsageError: two packages have.
            LineageError: the package that adds it is broken.
        """
        from lineage.loop.steps.users import guarded

        plugin = self.find(name)
        if plugin is None:
            return EntryPoint(name, self._built_in[name], self.group).load()
        try:
            with guarded():
                return EntryPoint(name, plugin.place, self.group).load()
        except Exception as error:
            what = f"{plugin.place} of {plugin} cannot be imported: {raised(error)}"
            hint = f"reinstall {plugin.distribution}, or ask who made it"
            raise LineageError(f"{self.group}: {name}: {what}", hint=hint) from error

    def origin(self, name: str) -> dict[str, str] | None:
        """The distribution that adds a name, and its version; None for ours."""
        plugin = self.find(name) if name in self else None
        if plugin is None:
            return None
        return {"distribution": plugin.distribution, "version": plugin.version}

    def identity(self, name: str) -> dict[str, str] | None:
        """The same with the SHA-256 of the module's source, where it has one."""
        origin = self.origin(name)
        return origin and origin | _source(self[name])


def _plugin(point: EntryPoint) -> Plugin:
    dist = point.dist
    named = (dist.name, dist.version) if dist else ("unknown", "unknown")
    return Plugin(point.group, point.name, point.value, *named)


def _source(found: Any) -> dict[str, str]:
    """The SHA-256 of the file of the module that something is defined in."""
    import sys
    from hashlib import sha256
    from pathlib import Path

    module = sys.modules.get(getattr(found, "__module__", ""))
    file = getattr(module, "__file__", None)
    return {"sha256": sha256(Path(file).read_bytes()).hexdigest()} if file else {}
