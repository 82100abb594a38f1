"""Telling webhooks of events, in order, until each has taken them.

Each hook is told by a thread of its own, in one of a server's processes: whichever has
the hook's lock. So one that is slow holds up no other. What does not arrive is sent
again, ever later, for a day; then it is left out, and counted.
"""

import threading
import time
from contextlib import suppress

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.server.hooks import Hook, Hooks, missed, passed_over, taken
from lineage.server.incoming.once import sweep
from lineage.server.pool import Pool
from lineage.server.posting import PATIENCE, send
from lineage.store.uploads import Uploads

_PAUSE = 1.0  # seconds between two looks at the log
_LATEST = 3600.0  # seconds between two tries
_TRIES = 35  # about a day: 1 + 2 + 4 + … + 2048 s, and then an hour each
_SWEEP = 600.0  # seconds between two looks for what nobody needs any more


class Delivery:
    """A thread that sees to it that hooks hear of events, and sweeps what is over."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._over = threading.Event()
        self._telling: dict[str, threading.Thread] = {}
        self._swept = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True, name="delivery")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End, once what is being told has been told."""
        self._over.set()
        end = time.monotonic() + PATIENCE
        self._thread.join(PATIENCE)
        for thread in self._telling.values():
            thread.join(max(end - time.monotonic(), 0.0))

    def _run(self) -> None:
        while not self._over.wait(_PAUSE):
            with suppress(LineageError, OSError):
                self._turn()

    def _turn(self) -> None:
        with self._pool.lease() as registry:
            tip = registry.events_log.tip()
            for hook in Hooks(registry.home).all():
                if hook.after != tip and hook.again <= time.time():
                    self._start(hook.id)
            if time.monotonic() - self._swept > _SWEEP:
                self._swept = time.monotonic()
                Uploads(registry.payloads).sweep()
                sweep(registry)

    def _start(self, id_: str) -> None:
        """Tell a hook of what is new, unless it is being told."""
        if id_ in self._telling and self._telling[id_].is_alive():
            return
        name = f"delivery-{id_}"
        thread = threading.Thread(target=self._tell, args=[id_], daemon=True, name=name)
        self._telling[id_] = thread
        thread.start()

    def _tell(self, id_: str) -> None:
        with suppress(LineageError, OSError), self._pool.lease() as registry:
            hooks = Hooks(registry.home)
            with hooks.alone(id_):
                hook = hooks.find(id_)
                if hook and hook.again <= time.time():
                    hooks.save(self._told(registry, hooks, hook))

    def _told(self, registry: Registry, hooks: Hooks, hook: Hook) -> Hook:
        """The hook after it was told of what is new, as long as it takes it."""
        log = registry.events_log
        for logged in log.iterate(since=hook.after, oldest_first=True):
            if self._over.is_set():
                break
            wanted = hook.wants(logged.event.type)
            error = send(hook, logged) if wanted else ""
            if error and hook.failed + 1 < _TRIES:
                return missed(hook, error, time.time() + _wait(hook.failed))
            after = passed_over if error else taken
            hook = after(hook, logged.git)
            if wanted:
                hooks.save(hook)
        return hook


def _wait(failed: int) -> float:
    """Seconds until the next try, after so many that failed before the last."""
    return min(2.0**failed, _LATEST)
