"""A run: a piece of work that lives elsewhere, while it is observed.

    with registry.run("train tutor", seed=3) as run:
        data = run.use("dataset/seed")
        train(data, "out", seed=run.seed)
        run.log_metrics({"loss": {"value": 2.1, "direction": "lower"}})
        run.commit("model", "tutor", "out")

Each output is a commit of its own, made at once and whole, with an edge to all that
the run has used so far. How the run went is an event: `run`, or `failed run`.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

from lineage.checkout import get
from lineage.errors import LineageError, UsageError
from lineage.loop.running.environment import Meter, environment
from lineage.observing.inputs import (
    Input,
    check_role,
    check_unchanged,
    edges,
    find_by_content,
    hashed,
    same_files,
)
from lineage.observing.script import code_of, git_state, main_script, sentence
from lineage.observing.workplace import FAILED, Workplace
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from lineage.recording import Committed
    from lineage.registry import Registry

_current: WeakKeyDictionary[Registry, Run] = WeakKeyDictionary()


class Run:
    """One run; `Registry.run` makes it, and a `with` statement begins and ends it.

    A process that was forked from the run's own records nothing.
    """

    def __init__(
        self,
        registry: Registry,
        name: str,
        *,
        params: Mapping[str, Any] | None = None,
        seed: int | None = None,
        script: Path | None = None,
    ) -> None:
        self.registry, self.name, self.seed = registry, name, seed
        self.params = dict(params or {})
        self.inputs: list[Input] = []
        self.outputs: list[str] = []
        self._metrics: dict[str, Any] = {}
        self._notes: dict[str, Any] = {}
        self._script = script or main_script()
        self._parent: Run | None = None
        self._work: Workplace | None = None

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            NotAllowed: when events are signed here, and there is no runner's key.
        """
        self.registry.events_log.check_writable()
        with self.registry.signer.machine("a run"):
            self.registry.signer.ready()
        self._pid, self._meter = os.getpid(), Meter()
        self._code = code_of(self._script) if self._script else None
        self._git = git_state(self._script) if self._script else {}
        self._parent = _current.get(self.registry)
        self._work = Workplace(self.registry, self._facts())
        _current[self.registry] = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, and say in the log how it went; an error goes on its way."""
        del kind, trace
        if self._work is None:
            return
        if os.getpid() != self._pid:
            self._work.leave()
            return
        if self._parent is None:
            _current.pop(self.registry, None)
        else:
            _current[self.registry] = self._parent
        if isinstance(error, SystemExit) and not error.code:
            error = None
        try:
            if error is None:
                self._say("run", self.name)
            else:
                with suppress(LineageError):  # the disk may be what failed
                    self.fail(sentence(error))
        finally:
            self._work.end()
            self._work = None

    # what it reads

    def use(
        self,
        revision: str,
        path: str | Path | None = None,
        *,
        role: str | None = None,
    ) -> Path:
        """Hand out the files of a commit, verified, and note that they are used.

        Without `path` they are put into the run's own folder, which goes away with
        it; with a `path` where nothing is, there. Files that are at `path` already
        are compared instead. `role` is what the edges to it say, unless its kind
        says enough: `trained_on`, `fine_tuned_from`, `generated_by`, `derived_from`.

        Raises:
            NotFound: there is no such commit.
            UsageError: other files are at `path`.
            StoreError: its files are not here and cannot be brought.
        """
        work, id_ = self._working(), self.registry.resolve(revision)
        place = Path(path).absolute() if path is not None else work.input(id_)
        if not place.exists():
            get(self.registry, id_, place)
        payload = same_files(self.registry, id_, place)
        if payload is None:
            message = f"{place} does not have the files of {revision}"
            hint = "give another path, or none; `lineage get` brings them"
            raise UsageError(message, hint=hint)
        kind = self.registry.load(id_).kind
        self.inputs.append(Input(id_, kind, check_role(role), place, payload))
        return place

    def reads(
        self,
        path: str | Path,
        *,
        kind: str = "dataset",
        name: str | None = None,
        role: str | None = None,
        reference: bool = False,
    ) -> Path:
        """Note that a file or folder is read: the commit that has its content.

        Where there is none it is committed first, as `name` (its own, unless
        given) and of unknown origin; with `reference` it is only hashed.
        """
        self._working()
        place, wanted = Path(path).absolute(), check_role(role)
        payload, entries = hashed(self.registry, place)
        id_ = find_by_content(self.registry, payload, entries, kind)
        if id_ is None:
            message = f"read by {self.name}"
            more: dict[str, Any] = {"reference": reference, "message": message}
            made = self._commit(kind, name or place.stem or place.name, place, **more)
            id_ = made.id
        self.inputs.append(Input(id_, kind, wanted, place, payload))
        return place

    def cite(self, revision: str, *, role: str | None = None) -> str:
        """Say that a commit was used whose files were not handed out; returns its id.

        For what is elsewhere, such as a model behind an API: its edges say declared.
        """
        self._working()
        id_ = self.registry.resolve(revision)
        self.inputs.append(Input(id_, self.registry.load(id_).kind, check_role(role)))
        return id_

    # what it says

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Parameters of all that is committed from here on."""
        self.params.update(params)

    def log_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Metrics of the next commit: numbers, or mappings with a value.

        They become part of it, so log what comes out the same again.
        """
        self._metrics.update(metrics)

    def note(self, facts: Mapping[str, Any]) -> None:
        """Facts for the log only: prices, job numbers, curves."""
        self._notes.update(facts)

    # what it leaves

    def commit(
        self,
        kind: str,
        name: str,
        path: str | Path | None = None,
        *,
        metrics: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        origin: Mapping[str, Any] | None = None,
        branch: str | None = None,
        message: str = "",
    ) -> str:
        """Record an output, with edges to all that was used so far; returns its id.

        A generation has no files: it includes what the run has committed, and has
        edges to those inputs that were given a role.

        Raises:
            LineageError: an input is not what it was; nothing is recorded then.
            UsageError, StoreError: as `Registry.commit`.
        """
        self._working()
        check_unchanged(self.registry, self.inputs)
        seed = {} if self.seed is None else {"seed": self.seed}
        made = self._commit(
            kind,
            name,
            path,
            edges=self._edges(kind),
            params={**seed, **self.params, **(params or {})},
            metrics={**self._metrics, **(metrics or {})},
            origin=origin,
            code=self._code,
            branch=branch,
            message=message or self.name,
        )
        self._metrics.clear()
        self.outputs.append(made.id)
        return made.id

    def fail(self, error: str) -> None:
        """Say in the log that the run failed, and why."""
        self._say(FAILED, f"{self.name}: {error}", error=error)

    @property
    def folder(self) -> Path:
        """The run's own folder, which goes away with it."""
        return self._working().folder

    def _working(self) -> Workplace:
        if self._work is None:
            message = f"the run {self.name} is not going on"
            raise UsageError(message, hint="use it inside of its `with`")
        if os.getpid() != self._pid:
            message = f"this process was forked from that of the run {self.name}"
            raise UsageError(message, hint="let the process that began it record")
        return self._work

    def _edges(self, kind: str) -> list[Edge]:
        if kind != "generation":
            return edges(self.inputs, kind)
        said = edges((each for each in self.inputs if each.role), kind)
        parts = dict.fromkeys(self.outputs)
        return said + [Edge("includes", id_, "observed") for id_ in parts]

    def _commit(
        self, kind: str, name: str, path: str | Path | None, **fields: Any
    ) -> Committed:
        with self.registry.signer.machine("a run"):
            circumstances = {**self._facts(), **self._notes, **self._spent()}
            return self.registry.commit(
                kind, name, path, circumstances=circumstances, **fields
            )

    def _facts(self) -> dict[str, Any]:
        """What every event of this run says."""
        torch = sys.modules.get("torch")
        threads = torch.get_num_threads() if torch else os.cpu_count() or 1
        facts = {
            "run": self._work.id if self._work else None,
            "name": self.name,
            "parent": self._parent.folder.name if self._parent else None,
            "git": self._git or None,
            "environment": environment(threads),
        }
        return {key: value for key, value in facts.items() if value is not None}

    def _spent(self) -> dict[str, Any]:
        return self._meter.circumstances({})

    def _say(self, type_: str, message: str, **more: Any) -> None:
        data = {
            **self._facts(),
            **self._notes,
            **self._spent(),
            "params": self.params,
            "inputs": [
                {"id": each.id, "role": each.role or None, "evidence": each.evidence}
                for each in self.inputs
            ],
            "outputs": self.outputs,
            "code": self._code,
            **({} if self.seed is None else {"seed": self.seed}),
            **more,
        }
        subject = self.outputs[-1] if self.outputs else None
        with self.registry.signer.machine("a run"):
            self.registry.attest(type_, subject=subject, message=message, data=data)
