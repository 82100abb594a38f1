"""Names that `loop.yaml` may use: ours, and those that installed packages add.

A package adds one with an entry point::

    [project.entry-points."lineage.gates"]
    politeness = "my_package.gates:Politeness"

Nothing is imported before its name is used.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Plugins:
    """Objects by name: `built_in` ones as `module:name`, others by entry point.

    A built-in name wins: no package can change what it means.
    """

    def __init__(self, group: str, built_in: Mapping[str, str]) -> None:
        self.group, self._built_in = group, built_in

    @cached_property
    def _installed(self) -> dict[str, str]:
        return {point.name: point.value for point in entry_points(group=self.group)}

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*self._built_in, *self._installed})

    def __contains__(self, name: str) -> bool:
        return name in self._built_in or name in self._installed

    def __getitem__(self, name: str) -> Any:
        """Import what has a name.

        Raises:
            KeyError: nothing has.
            LineageError: the package that adds it is broken.
        """
        place = self._built_in.get(name) or self._installed[name]
        module, _, attribute = place.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except Exception as error:
            if name in self._built_in:
                raise
            message = f"{self.group}: {name} is {place}, which cannot be imported"
            what = f"{type(error).__name__}: {error}"
            raise LineageError(f"{message}: {what}") from error
