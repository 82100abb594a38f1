"""Packing by itself, behind a loop that is done: ``pack.auto`` and ``pack.least``.

A process of its own does it, at the lowest priority, so no loop waits for it or fails
with it. What it says goes to ``<home>/packing.log``; that it failed is noted beside
it, for `lineage status`, until a run goes well.
"""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from lineage.errors import Busy, LineageError
from lineage.packing.cold import cold_files
from lineage.packing.counts import Packed
from lineage.packing.packer import pack
from lineage.packing.settings import is_automatic, least
from lineage.packing.tried import Tried
from lineage.registry import Registry
from lineage.store.disk import disk_errors, held, write_atomically
from lineage.store.events import now
from lineage.store.reading import Progress, unwatched

_LOG, _FAILED = "packing.log", "packing.failed"
_LONG = 1 << 20  # bytes of log, from which on it begins anew


def log(registry: Registry) -> Path:
    """Where the process in the background writes what it has to say."""
    return registry.home / _LOG


def start(registry: Registry) -> None:
    """Have another process pack, if that is wanted; this one goes on at once."""
    with suppress(LineageError, OSError):  # the loop has gone well, whatever comes
        if is_automatic(registry):
            _start(registry)


def _start(registry: Registry) -> None:
    words = [sys.executable, "-m", "lineage", "-C", str(registry.root), "pack"]
    path = log(registry)
    is_long = path.exists() and path.stat().st_size > _LONG
    with path.open("wb" if is_long else "ab") as out:
        out.write(f"{now()} lineage pack --auto\n".encode())
        out.flush()
        subprocess.run(
            ["sh", "-c", 'nice -n 19 "$@" &', "sh", *words, "--auto"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            check=False,
        )


def pack_if_due(registry: Registry, progress: Progress = unwatched) -> Packed | None:
    """Pack what is cold, if it is enough and nobody is at it; None where it is not.

    Raises:
        LineageError: as `pack`; `failure` tells of it from then on.
    """
    note = registry.home / _FAILED
    try:
        made = pack(registry, progress=progress) if _is_due(registry) else None
    except Busy:
        return None
    except LineageError as error:
        with disk_errors("noting that packing failed"):
            write_atomically(note, f"{now()} {error}".encode())
        raise
    note.unlink(missing_ok=True)
    return made


def _is_due(registry: Registry) -> bool:
    """Whether there is enough that was not found to be not worth it."""
    entries = [cold.entry for cold in cold_files(registry, None, Packed())]
    tried = Tried(registry)
    size = sum(entry.size for entry in entries if entry.md5 not in tried)
    return size > 0 and size >= least(registry)


def failure(registry: Registry) -> tuple[str, str] | None:
    """When packing in the background failed and with what, if the last time it did."""
    said = held(registry.home / _FAILED)
    if said is None:
        return None
    time, _, what = said.decode(errors="replace").partition(" ")
    return time, what
