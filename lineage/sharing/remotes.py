"""Remotes: where a registry is shared, by name.

They are settings of the clone, ``remote.NAME.url`` and ``remote.NAME.dvc``, and none of
git's; a git remote that the user has under the name works too.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from lineage.errors import NotFound, UsageError
from lineage.registry import Registry
from lineage.store import git_graph, names
from lineage.store.merging import PULL
from lineage.store.transport import url_of_git_remote

DEFAULT = "origin"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,39}\Z", re.ASCII)


class Remote(NamedTuple):
    """A place that the registry is shared at; `dvc` is the DVC remote of its payloads.

    `git` is what git is told: the URL, or the name of the user's own git remote.
    `packed`: what is packed here goes there in packs, unless a push says otherwise.
    """

    name: str
    url: str
    dvc: str | None
    git: str
    packed: bool = False


class Distance(NamedTuple):
    """Events that the remote lacks, and has alone, as last seen; pulls aside."""

    ahead: int
    behind: int


def add(
    registry: Registry,
    name: str,
    url: str,
    *,
    dvc: str | None = None,
    packed: bool = False,
) -> Remote:
    """Remember a remote.

    Raises:
        UsageError: when the name or the URL cannot be one, or the name is taken.
    """
    if not _NAME.match(name) or name.endswith((".lock", ".")) or ".." in name:
        hint = "letters, digits, - _ and . in between, at most 40"
        raise UsageError(f"{name!r} cannot be the name of a remote", hint=hint)
    if not url.strip() or url.startswith("-") or not url.isprintable():
        raise UsageError(f"{url!r} is no address", hint="a path, ssh:// or https://")
    if registry.settings.get(f"remote.{name}.url"):
        hint = f"remove it first with `lineage remote remove {name}`"
        raise UsageError(f"the remote {name} exists already", hint=hint)
    given = {"dvc": dvc, "packed": "true" if packed else None}
    for key, value in given.items():
        if value:
            registry.settings.set(f"remote.{name}.{key}", value)
        else:  # what a killed `add` may have left
            registry.settings.unset(f"remote.{name}.{key}")
    registry.settings.set(f"remote.{name}.url", from_anywhere(url))
    return find(registry, name)


def from_anywhere(url: str) -> str:
    """A URL that means the same in every folder: a path that is there, in full."""
    return os.path.normpath(Path(url).absolute()) if Path(url).exists() else url


def remove(registry: Registry, name: str) -> Remote:
    """Forget a remote, and what was seen there.

    Raises:
        NotFound: when no such remote was added.
    """
    remote = find(registry, name)
    if remote.git == name:
        hint = f"`git remote remove {name}` takes it away"
        raise UsageError(f"{name} is a remote of git's, not added here", hint=hint)
    with registry.events_log.locked() as lock:
        known = git_graph.refs(registry.git, names.seen_at(name))
        step = dict.fromkeys(known, (None, None))
        registry.git.update_refs(step, lock=lock)
    keys = (f"remote.{name}.{key}" for key in ("packed", "dvc", "url"))
    registry.settings.unset(*keys)
    return remote


def find(registry: Registry, name: str | None = None) -> Remote:
    """The remote of that name; ``origin``, or the only one, when none is given.

    Raises:
        NotFound: when there is none.
        UsageError: when there are several to choose from.
    """
    own = _own(registry)
    chosen = name or (next(iter(own)) if len(own) == 1 else DEFAULT)
    url = own.get(chosen)
    dvc = registry.settings.get(f"remote.{chosen}.dvc")
    packed = registry.settings.flag(f"remote.{chosen}.packed")
    if url:
        return Remote(chosen, url, dvc, url, packed)
    if url := url_of_git_remote(registry.git, chosen):
        return Remote(chosen, url, dvc, chosen, packed)
    if name is None and own:
        raise UsageError(f"which remote: {', '.join(own)}?", hint="name one of them")
    what = f"there is no remote {name}" if name else "there is no remote yet"
    raise NotFound(what, hint="add one with `lineage remote add NAME URL`")


def listed(registry: Registry) -> list[Remote]:
    """All remotes that were added here, by name."""
    return [find(registry, name) for name in _own(registry)]


def _own(registry: Registry) -> dict[str, str]:
    found = registry.settings.section("remote.").items()
    urls = {k[7:-4]: url for k, url in found if k.endswith(".url")}
    return dict(sorted(urls.items()))


def seen(registry: Registry, name: str) -> str | None:
    """The git oid of the newest event that was seen at a remote, and verified."""
    return registry.git.ref(f"{names.seen_at(name)}events")


def distance(registry: Registry, name: str) -> Distance | None:
    """How far we and the remote are apart; None when nothing was seen there yet."""
    theirs, ours = seen(registry, name), registry.events_log.tip()
    if theirs is None or ours is None:
        return None
    return Distance(_telling(registry, ours, theirs), _telling(registry, theirs, ours))


def _telling(registry: Registry, tip: str, since: str) -> int:
    """How many events up to `tip` are not in the log of `since`, but for pulls."""
    new = registry.events_log.iterate(tip=tip, since=since)
    return sum(logged.event.type != PULL for logged in new)
