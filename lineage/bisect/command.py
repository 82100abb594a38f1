"""Bisecting by a command that tries a commit's files, as `git bisect run` does.

The command is run by the shell in a folder of the commit's files. It exits with 0 for
good, 125 for "cannot be tried", and up to 127 for bad; anything else stops the search.
"""

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.bisect.result import Bisected, Probe, check_ends, way
from lineage.bisect.rule import Rates, repeats_to_tell, told_apart
from lineage.checkout import get
from lineage.errors import LineageError, UsageError, VerificationError
from lineage.registry import Registry
from lineage.store.git_environment import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[Probe], None]

SKIP, LAST = 125, 127


def by_command(
    registry: Registry,
    command: str,
    good: str,
    bad: str,
    *,
    repeats: int = 1,
    tell: "Tell | None" = None,
) -> Bisected:
    """Find the first commit between two (full ids) for which `command` fails.

    With `repeats` each commit is run up to so many times, and judged by the rule of
    `lineage.bisect.rule`. `tell` hears of each commit that was tried.

    Raises:
        UsageError: when `bad` did not come from `good`, or `good` is not good.
        NotFound: when `bad` is good.
        VerificationError: when the ends fail about equally often.
        LineageError: when the command cannot be run or dies.
    """
    ids = way(registry, good, bad)
    return _Search(registry, command, ids, repeats, tell or (lambda _: None)).run()


class _Search:
    """One search: what was tried, by its place on the way."""

    def __init__(
        self,
        registry: Registry,
        command: str,
        ids: list[str],
        repeats: int,
        tell: "Tell",
    ) -> None:
        self.registry, self.command, self.ids = registry, command, ids
        self.repeats, self.tell = repeats, tell
        self.tried: dict[int, Probe] = {}

    def run(self) -> Bisected:
        low, high = 0, len(self.ids) - 1
        rates = self._ends(high)
        while (middle := self._next(low, high)) is not None:
            probe = self._try(middle, rates)
            if probe.verdict == "good":
                low = middle
            elif probe.verdict == "bad":
                high = middle
        probes = [self.tried[i] for i in sorted(self.tried)]
        return Bisected(probes, len(self.ids), self.ids[low + 1 : high + 1])

    def _ends(self, last: int) -> Rates | None:
        """Try both ends; their rates of failure, where there are repeats."""
        good, bad = self._count(0, None), self._count(last, None)
        for called, probe in (("good", good), ("bad", bad)):
            if probe.verdict == "skipped":
                message = f"the {called} end {probe.id[:12]} cannot be tried"
                raise UsageError(f"{message}: {probe.why}", hint="name another commit")
        rates = None
        if self.repeats > 1:
            failures = (good.failures or 0, bad.failures or 0)
            _check_rates(*failures, runs=self.repeats)
            rates = Rates.of(*failures, runs=self.repeats)
            good, bad = replace(good, verdict="good"), replace(bad, verdict="bad")
        check_ends(good, bad)
        self.tried = {0: good, last: bad}
        for probe in (good, bad):
            self.tell(probe)
        return rates

    def _next(self, low: int, high: int) -> int | None:
        """The place nearest to the middle that was not tried yet."""
        open_ = [i for i in range(low + 1, high) if i not in self.tried]
        middle = (low + high) // 2
        return min(open_, key=lambda i: abs(i - middle), default=None)

    def _try(self, i: int, rates: Rates | None) -> Probe:
        self.tried[i] = self._count(i, rates)
        self.tell(self.tried[i])
        return self.tried[i]

    def _count(self, i: int, rates: Rates | None) -> Probe:
        """Run the command on the commit at `i` until it is judged, or often enough."""
        id_ = self.ids[i]
        with tempfile.TemporaryDirectory(prefix="lineage-bisect-") as folder:
            try:
                files = _files(self.registry, id_, Path(folder, "files"))
            except UsageError as error:
                return Probe(id_, "skipped", str(error))
            return self._judge(id_, files, rates)

    def _judge(self, id_: str, files: Path, rates: Rates | None) -> Probe:
        failures, verdict, why, runs = 0, "undecided", "", 0
        while runs < self.repeats and verdict == "undecided":
            code, said = _run(self.command, id_, files)
            if code == SKIP:
                return Probe(id_, "skipped", f"exit {SKIP}{said}")
            runs, failures = runs + 1, failures + (code != 0)
            why = f"exit {code}{said}" if code else why
            verdict = rates.verdict(failures, runs) if rates else verdict
        if self.repeats == 1:
            verdict = "bad" if failures else "good"
        more = rates.more(failures, runs) if rates and verdict == "undecided" else None
        return Probe(id_, verdict, why, runs=runs, failures=failures, more=more)


def _check_rates(good: int, bad: int, runs: int) -> None:
    if told_apart(good, bad, runs):
        return
    message = f"noise hides the difference: good fails {good} and bad {bad} of {runs}"
    wanted = repeats_to_tell(good, bad, runs)
    hint = "name other ends, or a command that tells them apart"
    if wanted:
        hint = f"--repeats {wanted} would likely tell them apart"
    raise VerificationError(message, hint=hint)


def _files(registry: Registry, id_: str, folder: Path) -> Path:
    """The commit's files, or those of the model in a generation, in `folder`.

    Raises:
        UsageError: when there are none here.
    """
    commit = registry.load(id_)
    if commit.kind == "generation":
        parts = commit.ids("includes")
        models = [part for part in parts if registry.load(part).kind == "model"]
        if len(models) != 1:
            raise UsageError(f"it has {len(models)} models")
        id_, commit = models[0], registry.load(models[0])
    payload = commit.payload
    if commit.external or (payload and not payload.stored):
        raise UsageError("its bytes are not here")
    if payload is None or payload.type == "file":
        folder.mkdir()
    if payload:
        get(registry, id_, folder)
    return folder


def _run(command: str, id_: str, files: Path) -> tuple[int, str]:
    """The exit code of one run, and the last line of what it complained.

    Raises:
        LineageError: when a signal ended it, or its exit code stops the search.
    """
    told = {"LINEAGE_COMMIT": id_, "LINEAGE_FILES": str(files)}
    done = subprocess.run(  # noqa: S602 - the user's own words, for the user's shell
        command,
        shell=True,
        cwd=files,
        env={**environment(), **told},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    said = f": {lines[-1]}" if lines else ""
    if 0 <= done.returncode <= LAST:
        return done.returncode, said
    what = "died" if done.returncode < 0 else "stopped the search"
    message = f"the command {what} on {id_[:12]} with {done.returncode}{said}"
    raise LineageError(message, hint="exit codes 1 to 127 but 125 mean bad")
