"""Which registry a URI of MLflow's means: ``lineage:///path``, ``lineage+https://…``."""

import re
import weakref
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.registry import Registry

_COMMIT = re.compile(r"(?P<place>.*)/(?P<id>[0-9a-f]{64})(?:/(?P<path>.*))?")
_HINT = "write it as lineage:///path/to/registry or lineage+https://host/name"


def opened(uri: str) -> "Registry":
    """The registry that `uri` means.

    Raises:
        UsageError: when it is none of ours.
        NotFound: when there is no registry.
    """
    import lineage

    found = urlsplit(uri)
    if found.scheme in ("lineage+http", "lineage+https"):
        remote: Registry = lineage.connect(uri.removeprefix("lineage+"))
        return remote
    if found.scheme != "lineage" or found.netloc or not found.path.startswith("/"):
        raise UsageError(f"{uri} names no registry", hint=_HINT)
    return lineage.open(unquote(found.path))


def kept(owner: object, uri: str) -> "Registry":
    """The registry that `uri` means, closed when `owner` is no more.

    MLflow never closes what it opened.
    """
    registry = opened(uri)
    weakref.finalize(owner, registry.close).atexit = False
    return registry


def of_commit(uri: str, id_: str) -> str:
    """Where the files of a commit are, for MLflow: its id below the registry's URI."""
    return f"{uri.rstrip('/')}/{id_}"


def commit_of(uri: str) -> tuple[str, str, str]:
    """The registry's URI, the commit's id and the path in it that `uri` means.

    Raises:
        UsageError: when it names no commit.
    """
    found = _COMMIT.fullmatch(uri)
    if found is None:
        raise UsageError(f"{uri} names no commit", hint="its id is 64 digits long")
    return found["place"], found["id"], unquote(found["path"] or "")


def below(uri: str, path: str) -> str:
    """`uri` and a path under it."""
    return f"{uri.rstrip('/')}/{quote(path)}" if path else uri
