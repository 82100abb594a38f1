"""One run of a transfer: what was moved, what failed, and the error at its end."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from lineage.errors import StoreError, VerificationError
from lineage.needed import Wanted
from lineage.store.parallel import Crew
from lineage.store.payloads import Payloads
from lineage.store.reading import Progress
from lineage.store.remote_payloads import RemotePayloads, reason
from lineage.wording import plural

_PATIENCE = 5  # failures of the remote itself, one after the other
_AGAIN = "run the command again: what arrived is not moved twice"


@dataclass(slots=True)
class Moved:
    """How many objects and bytes were moved, and how many were there already.

    The bytes are those of files. `packs` is how many packs moved, which hold those of
    them that did not move whole, and `pack_bytes` how long the packs are.
    """

    objects: int = 0
    bytes: int = 0
    present: int = 0
    present_bytes: int = 0
    packs: int = 0
    pack_bytes: int = 0

    def count(self, one: Wanted) -> None:
        """Count an object that was moved."""
        self.objects += 1
        self.bytes += one.entry.size

    def count_pack(self, size: int) -> None:
        """Count a pack that was moved."""
        self.packs += 1
        self.pack_bytes += size

    def skip(self, one: Wanted) -> None:
        """Count an object that was there already."""
        self.present += 1
        self.present_bytes += one.entry.size


class Failure(NamedTuple):
    """What is wrong with an object, what to do, and whether its bytes are at fault."""

    what: str
    hint: str
    corrupt: bool = False


class Run:
    """What a push and a fetch have in common.

    `missing` is what is to be said of an object that was looked for in vain,
    `advice` what to do about it, and `corrupt` what to do about one with other bytes.
    """

    missing = "is missing there"
    advice = "push from a clone that has it"
    corrupt = "a clone that has it whole can send it again"

    def __init__(
        self, payloads: Payloads, remote: RemotePayloads, progress: Progress | None
    ) -> None:
        self.payloads = payloads
        self.remote = remote
        self.crew = Crew(remote.jobs, progress)
        self.moved = Moved()
        self.failed: dict[str, Failure] = {}
        self.gave_up = False
        self._in_a_row = 0

    def each(
        self, work: Callable[[Wanted], str], wanted: Iterable[Wanted]
    ) -> Generator[Wanted]:
        """Do `work` to objects side by side; yields those that went well.

        It returns what is wrong with the bytes. When the remote itself keeps failing
        the rest is not tried.
        """
        if self.gave_up:
            return
        with closing(self.crew.each(work, wanted)) as results:
            for one, outcome in results:
                if outcome == "":
                    self._in_a_row = 0
                    yield one
                elif isinstance(outcome, str):
                    self.fail(one, outcome, self.corrupt, corrupt=True)
                else:
                    self._raised(one, outcome)
                if self.gave_up:
                    return

    def _raised(self, one: Wanted, error: Exception) -> None:
        if isinstance(error, FileNotFoundError):
            self.fail(one, self.missing, self.advice)
            return
        if isinstance(error, VerificationError):
            self.fail(one, f"cannot be read: {error}", self.corrupt, corrupt=True)
            return
        self._in_a_row += 1
        self.gave_up = self._in_a_row >= _PATIENCE
        self.fail(one, f"failed: {reason(error)}", _AGAIN)

    def fail(self, one: Wanted, what: str, hint: str, *, corrupt: bool = False) -> None:
        """Note what is wrong with an object."""
        self.failed[one.key] = Failure(f"{one} {what}", hint, corrupt)

    def finish(self, whither: str) -> Moved:
        """What was moved.

        Raises:
            VerificationError: when bytes were not what they should be.
            StoreError: when something else failed.
        """
        if not self.failed:
            return self.moved
        rest = "; the rest was not tried" if self.gave_up else ""
        objects = plural(len(self.failed), "object")
        message = f"{objects} did not {whither} {self.remote}{rest}"
        failures = list(self.failed.values())
        corrupt = any(failure.corrupt for failure in failures)
        hint = next((failure.hint for failure in failures if failure.hint), "")
        kind = VerificationError if corrupt else StoreError
        details = sorted(failure.what for failure in failures)
        raise kind(message, hint=hint, details=details)
