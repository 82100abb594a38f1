"""One mutex per open repository, which a fork does not leave locked.

Whoever forks waits until no thread holds one: what a child inherits is then in no
half-way state, and its copy of the mutex is free.
"""

import os
import threading
from weakref import WeakSet

_ALL: WeakSet["Mutex"] = WeakSet()


class Mutex:
    """Held by one thread at a time, which may take it again; ``with mutex:``."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _ALL.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


_forking = threading.Lock()
_held: list[Mutex] = []  # by whoever is forking


def _hold() -> None:
    _forking.acquire()
    for mutex in list(_ALL):
        mutex.__enter__()
        _held.append(mutex)


def _release() -> None:
    while _held:
        _held.pop().__exit__()
    _forking.release()


os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_release)
