"""Where everything lies in a DVC cache, and at a DVC remote: one place that knows.

DVC looks for an object at ``files/md5/AB/CDEF…``. What is ours lies below ``lineage``:
the pins of each registry in a folder called by its name, and beside these what it has
packed, dropped and been sent, each below that name again, and copies on their way.
"""

from collections.abc import Iterator
from pathlib import Path

OBJECTS = ("files", "md5")
OURS, PACKS, TMP = "lineage", "packs", "tmp"
_TRASH, _UPLOADS = "trash", "uploads"
_NO_PINS = {PACKS, TMP, _TRASH, _UPLOADS}


class Places:
    """What one registry has in a cache. Of objects strings: a Path each costs more."""

    def __init__(self, cache: Path, registry: str) -> None:
        self.cache, self.registry = cache, registry
        self.pins = str(cache / OURS / registry)
        self.objects = str(cache.joinpath(*OBJECTS))
        self.packs = cache / OURS / PACKS / registry
        self.trash = cache / OURS / _TRASH / registry
        self.uploads = cache / OURS / _UPLOADS / registry
        self.tmp = cache / OURS / TMP

    def pin(self, oid: str) -> str:
        """What keeps an object: a link that `dvc gc` does not know of."""
        return f"{self.pins}/{below(oid)}"

    def place(self, oid: str) -> str:
        """Where DVC looks for an object."""
        return f"{self.objects}/{below(oid)}"

    def others(self) -> list[Path]:
        """The folders of the pins of other registries in the cache."""
        return [path for path in pinners(self.cache) if path.name != self.registry]


def below(oid: str) -> str:
    """An object's place below the folder of all."""
    return f"{oid[:2]}/{oid[2:]}"


def place(cache: Path, oid: str) -> Path:
    """Where DVC looks for an object in any cache."""
    return cache.joinpath(*OBJECTS, oid[:2], oid[2:])


def pinners(cache: Path) -> list[Path]:
    """The folders in which registries have pins, each called by a registry's name."""
    return [path for path in folders(cache / OURS) if path.name not in _NO_PINS]


def packers(cache: Path) -> list[str]:
    """The names of the registries that have packed something."""
    return [path.name for path in folders(cache / OURS / PACKS)]


def copies(cache: Path, oid: str) -> Iterator[Path]:
    """Plain files that may be an object, in whosever hands they are."""
    yield place(cache, oid)
    yield from (cache / OURS).glob(f"{_TRASH}/*/*/{oid}")
    yield from (cache / OURS).glob(f"*/{below(oid)}")


def folders(parent: Path) -> list[Path]:
    """The folders in `parent`, sorted; none where it is missing."""
    found = parent.iterdir() if parent.is_dir() else ()
    return sorted(path for path in found if path.is_dir())
