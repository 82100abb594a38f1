"""What a step is: a function from a `Job` to files and a `Result`.

A built-in step, a Python callable and a command all keep the same contract: they
read the folders in `job.inputs`, write into the empty folder `job.output`, and
say what they measured. They never see the registry; the runner commits what they
leave behind.

A step that can be spread is made of pieces, each a function of the job and of the
piece's number. So it does not matter where a `Launcher` has a piece made, or how
often: what comes of it is the same, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lineage.loop.spec import LoopSpec
    from lineage.store.objects import Metric


class Maker(Protocol):
    """Makes pieces of a step; it is made once and then asked for many."""

    def piece(self, number: int) -> Any:
        """One piece, as something that can be pickled."""


class Launcher(Protocol):
    """Where pieces, and whole steps, are done."""

    def pieces(
        self, job: Job, make: Callable[[Job], Maker], numbers: Iterable[int]
    ) -> Iterator[tuple[int, Any]]:
        """Each number with its piece, in the order in which they are finished.

        `make` is a class or function that a module has under its name.
        """

    def whole(self, job: Job, function: Callable[[Job], Result]) -> Result:
        """A step that cannot be spread, where there is room for it."""

    def told(self) -> dict[str, Any]:
        """Where the pieces since the last call were made, for the step's event."""


class Here:
    """This process, one piece after the other."""

    def pieces(
        self, job: Job, make: Callable[[Job], Maker], numbers: Iterable[int]
    ) -> Iterator[tuple[int, Any]]:
        numbers = list(numbers)
        maker = make(job) if numbers else None
        for number in numbers:
            assert maker is not None
            yield number, maker.piece(number)

    def whole(self, job: Job, function: Callable[[Job], Result]) -> Result:
        return function(job)

    def told(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that one step gets.

    `inputs` maps a role to a folder, `ids` the same role to the commit that the
    folder holds, `roots` to the SHA-256 over its files. What a step writes may
    depend on content, so on a root, but not on an id: another loop that comes by the
    same files takes over what this one made of them. `output` is empty; `scratch` is
    kept when a run is killed, so a step that goes on from its own checkpoints keeps
    them there. `seed` is this step's own, below 2**32. `facts` are inputs that are no
    files, in JSON. `launcher` is where pieces of the step are made. `advance` takes
    the fraction that is done.
    """

    step: str
    generation: int
    attempt: int
    seed: int
    spec: LoopSpec
    inputs: Mapping[str, Path]
    ids: Mapping[str, str]
    output: Path
    scratch: Path
    roots: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    launcher: Launcher = field(default_factory=Here)
    advance: Callable[[float], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Result:
    """What a step says about the files that it wrote.

    `metrics` and `gates` (verdicts, see `lineage.loop.gates`) come out the same on
    every run and become part of the commit; `circumstances` (tokens, FLOPs, a loss)
    go into its event. `shares` says how much came along which input, by its role;
    `uses` which inputs the output came from at all (None: each of them); `origin`
    where the records are from, when it is none of the inputs.
    """

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    gates: Sequence[Mapping[str, Any]] = ()
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    shares: Mapping[str, Mapping[str, list[int]]] = field(default_factory=dict)
    uses: Sequence[str] | None = None
    origin: Mapping[str, Any] | None = None


def count_tokens(tokens: int, kept: int) -> dict[str, int]:
    """What `circumstances` say of a step's tokens, `kept` from a run before it."""
    return {"tokens": tokens} | ({"tokens_kept": kept} if kept else {})


class Step(Protocol):
    """A built-in step, a callable or a command."""

    @property
    def code(self) -> dict[str, Any]:
        """What runs, by hash: a part of the commit that comes of it."""

    @property
    def reads(self) -> Sequence[str] | None:
        """The sections of `loop.yaml` that shape what it does; None: all of them."""

    @property
    def evidence(self) -> str:
        """How the runner knows which inputs the output came from.

        "observed" where our own code read them, "declared" where `loop.yaml` and
        the step say so and nobody looked.
        """

    def __call__(self, job: Job) -> Result:
        """Do the work; a `LineageError` says why it cannot be done."""
