"""Doing one thing to many, some at a time, in threads that end when told to."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


def in_order(tasks: "Iterable[Future[R]]", ahead: int) -> Iterator[R]:
    """What tasks come to, in their order; `ahead` of them are begun before the first.

    `tasks` begins each as it is asked for.
    """
    pending: deque[Future[R]] = deque()
    try:
        for task in tasks:
            pending.append(task)
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for task in pending:
            task.cancel()


class Stopped(Exception):
    """Whoever waited for this work does so no longer."""


class Crew:
    """Threads for one job of work, and what they tell of how far they are."""

    def __init__(
        self, size: int, progress: Callable[[int], None] | None = None
    ) -> None:
        self._size = max(1, size)
        self._progress = progress or (lambda _: None)
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def tick(self, count: int) -> None:
        """Call it from the work as often as can be: it is where the work ends early.

        Raises:
            Stopped: when it should.
        """
        if self._stop.is_set():
            raise Stopped
        if count:
            with self._lock:
                self._progress(count)

    def each(
        self, work: Callable[[T], R], items: Iterable[T]
    ) -> Generator[tuple[T, R | Exception]]:
        """Do `work` to all; yields each with its result, or what it raised, when done.

        When the caller goes no further, or Ctrl-C comes, what is under way ends at
        its next `tick`.
        """
        from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

        remaining = iter(items)
        pending: dict[Future[R], T] = {}
        pool = ThreadPoolExecutor(self._size)
        try:
            while True:
                for item in islice(remaining, 2 * self._size - len(pending)):
                    pending[pool.submit(work, item)] = item
                if not pending:
                    return
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    item, error = pending.pop(future), future.exception()
                    if error is None:
                        yield item, future.result()
                    elif isinstance(error, Exception):
                        yield item, error
                    else:
                        raise error
        finally:
            if pending:
                self._stop.set()
            pool.shutdown(cancel_futures=True)
