"""`lineage report` of a long loop: seconds and peak memory from the shell.

    python tests/bench/report.py [GENERATIONS] [--rounds N] [--in DIR] [--unsigned]

It makes a registry of so many generations (1,000 unless told), shaped as the runner's
are: six commits a turn with steps, gates and flagged records, a review of every second
turn, failed steps and rejected turns now and then, releases, a taint; each event is
signed. Git objects are packed a turn at a time: the log is that of as many commands.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import lineage
from lineage import keys
from lineage.indexing import rebuild_index
from lineage.store.event_commit import event_commit, signed
from lineage.store.event_reading import Logged
from lineage.store.events import now
from lineage.store.files import FileEntry, Payload
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.key_files import read_public
from lineage.store.objects import Commit, Edge, Event, Metric
from lineage.store.projection import project
from lineage.store.signing import NAMESPACE
from lineage.store.views import BLOB, TREE, Move, Target
from tests.bench.measure import LINEAGE, Contestant, machine, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lineage.registry import Registry

SECONDS, BYTES = 10.0, 500e6  # goals
RECORDS = 800
BRANCH = "heads/loop/long"
FORMATS = ("html", "json")
_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "peft")
_ENVIRONMENT = {
    "python": "3.11.7",
    "machine": "x86_64",
    "cpus": 2,
    "packages": dict.fromkeys(_PACKAGES, "1.2.3"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure `lineage report`.")
    parser.add_argument("generations", nargs="?", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="runs per format")
    parser.add_argument("--in", dest="place", metavar="DIR", help="a real disk")
    parser.add_argument("--unsigned", action="store_true", help="make no keys")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineage-report-", dir=given.place) as top:
        folder = Path(top)
        print(f"{machine(folder)}. Medians of {given.rounds}.")
        counts = make(folder / "registry", given.generations, sign=not given.unsigned)
        print(f"\n{counts}\n\n| | wall | CPU | peak memory | size | |")
        print("|---|---:|---:|---:|---:|---|")
        for format_ in FORMATS:
            _measure(folder / "registry", format_, given.rounds)


def _measure(folder: Path, format_: str, rounds: int) -> None:
    """Print a row: one run first, so that what is noted once is there."""
    output = folder.parent / f"report.{format_}"
    words = ["report", "loop/long", "--format", format_, "-o", str(output)]
    each = Contestant(format_, [LINEAGE, "-q", *words], lambda: folder)
    each.run()
    runs = [each.run() for _ in range(rounds)]
    wall = statistics.median(run.wall for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    peak = max(run.memory for run in runs)
    met = "met" if wall <= SECONDS and peak <= BYTES else "missed"
    sizes = f"{peak / 1e6:,.0f} MB | {output.stat().st_size / 1e6:,.1f} MB"
    command = f"`lineage report --format {format_}`"
    print(f"| {command} | {seconds(wall)} | {seconds(cpu)} | {sizes} | {met} |")


def make(folder: Path, generations: int, *, sign: bool) -> str:
    """A registry of a loop `long`; says what is in it."""
    with closing(lineage.init(folder)) as registry:
        signer = _key(registry, folder.parent) if sign else None
        log = Writer(registry, signer)
        loop = Loop(log)
        for number in range(generations):
            loop.turn(number)
            log.flush()
        registry.ids.refresh()
        rebuild_index(registry)
        commits, events = len(registry.ids), sum(1 for _ in registry.events())
    what = f"{generations:,} generations, {commits:,} commits, {events:,} events"
    return f"{what}, {'signed' if sign else 'not signed'}"


@dataclass
class Writer:
    """Appends events and the commits that they bring; `flush` writes them down."""

    registry: Registry
    sign: Callable[[bytes], bytes] | None = None
    objects: dict[str, GitObject] = field(default_factory=dict)
    gits: dict[str, str] = field(default_factory=dict)
    heads: dict[str, Target] = field(default_factory=dict)

    def __post_init__(self) -> None:
        log = self.registry.events_log
        self.base = log.tip() or ""
        self.start = dict(self.heads)
        self.last = Logged(self.base, log.event(self.base))

    def commit(self, commit: Commit, data: Mapping[str, Any], branch: str = "") -> str:
        """Record a commit, and move a branch to it."""
        entries = [_file(commit)] if commit.payload else []
        oid, objects = project(commit, entries, self.gits)
        self.gits[commit.id] = oid
        self.objects.update((item.oid, item) for item in objects)
        made = Target(commit.id, oid)
        moves = [Move(branch, self.heads.get(branch), made)] if branch else []
        self.heads.update((move.ref, made) for move in moves)
        message = f"{data.get('part', 'generation')} of generation"
        event = Event("commit", now(), self.registry.actor(), message, data=data)
        self._append(replace(event, subject=commit.id, commits=(made,)), moves)
        return commit.id

    def attest(self, type_: str, subject: str, data: Mapping[str, Any]) -> None:
        actor = self.registry.actor()
        self._append(Event(type_, now(), actor, type_, subject=subject, data=data), [])

    def _append(self, event: Event, moves: list[Move]) -> None:
        """Like EventLog.append, but the view is made of what was written last."""
        changes = tuple(move.change() for move in moves)
        event = replace(event, prev=(self.last.event.id,), refs=changes)
        blob = GitObject("blob", event.encoded)
        whole = [
            Move(ref, self.start.get(ref), head) for ref, head in self.heads.items()
        ]
        view, changed = self.registry.events_log._views.moved(self.base, whole)
        changed.append(tree(view))
        entries = {"event.json": TreeEntry(BLOB, blob.oid)}
        if view:
            entries["view"] = TreeEntry(TREE, changed[-1].oid)
        top = tree(entries)
        made = event_commit(event, top.oid, [self.last.git])
        if self.sign:
            made = signed(made, self.sign(made.data))
        for item in (blob, *changed, top, made):
            self.objects[item.oid] = item
        self.last = Logged(made.oid, event)

    def flush(self) -> None:
        """Write what was appended, and move the refs."""
        registry, names = self.registry, "refs/lineage"
        registry.git.write(self.objects.values())
        heads = {f"{names}/{ref}": (None, head.git) for ref, head in self.heads.items()}
        events = {f"{names}/events": (self.base, self.last.git)}
        with registry.events_log.locked() as lock:
            registry.git.update_refs(heads, events, lock=lock)
        self.base, self.start = self.last.git, dict(self.heads)
        self.objects.clear()


def _file(commit: Commit) -> FileEntry:
    """The one file of a payload, which nobody has: reports read no files."""
    text = f"{commit.kind} {commit.name} {dict(commit.params)}".encode()
    digest = hashlib.sha256(text).hexdigest()
    return FileEntry("data.jsonl", "100644", len(text), digest, digest[:32])


@dataclass
class Loop:
    """Turns as the runner records them."""

    log: Writer
    human: str = ""
    held_out: str = ""
    config: str = ""
    model: str = ""
    last: str = ""
    written: list[str] = field(default_factory=list)

    def turn(self, number: int) -> None:
        """One generation, after a rejected one every 25 turns."""
        if number == 0:
            self._start()
            return
        if number % 25 == 0:
            self._try(number, 0, rejected=True)
        self._try(number, number % 25 == 0, rejected=False)
        if number % 100 == 0:
            data = {"environment": "production", "live": True}
            self.log.attest("release", self.last, data)
        if number == 10:
            self.log.attest("taint", self.written[0], {"reason": "a leaked suite"})

    def _start(self) -> None:
        at = self._at(0, 0)
        self.config = self._part("config", "config", {}, at)
        self.human = self._part("dataset", "human", {"origin": 0}, at)
        self.held_out = self._part("dataset", "held", {"origin": 1}, at)
        whole = {"records": [RECORDS, RECORDS]}
        edges = [_edge("trained_on", self.human, whole)]
        self.model = self._model(0, edges, at)
        self._generation(0, [self.config, self.human, self.model], at)

    def _try(self, number: int, attempt: int, *, rejected: bool) -> None:
        """What one try makes, and what is said of it."""
        at = self._at(number, attempt)
        by, told = _edge("generated_by", self.model), {"n": number, "try": attempt}
        raw = self._part("dataset", "generated", told, {**at, "step": "generate"}, [by])
        flagged = [
            {"gate": "checks", "reason": "a refusal", "sha256": f"{n:064x}"}
            for n in range(20)
        ]
        edges = [by, _edge("derived_from", raw)]
        more = {"step": "check", "flagged": flagged, "result": {"gates": _gates()}}
        new = self._part("dataset", "synthetic", told, {**at, **more}, edges)
        if rejected:
            parts = [self.config, raw, new]
            self._generation(number, parts, at, branch=f"{BRANCH}@rejected")
            return
        self.written = [*self.written, new][-3:]
        sources = [self.human, *self.written]
        share = {"records": [RECORDS, RECORDS * len(sources)]}
        edges = [_edge("derived_from", id_, share) for id_ in sources]
        mixed = self._part("dataset", "mixed", told, {**at, "step": "mix"}, edges)
        whole = {"records": [RECORDS * len(sources)] * 2}
        edges = [
            _edge("trained_on", mixed, whole),
            _edge("fine_tuned_from", self.model),
        ]
        if number % 50 == 0:
            self.log.attest("failed step", self.last, {**at, "step": "train"})
        self.model = self._model(number, edges, at)
        parts = [self.config, raw, new, mixed, self.model]
        self._generation(number, parts, at)
        if number % 2:
            self.log.attest("review_requested", self.last, {**at, "on": "generation"})
            verdict = {"verdict": "approve", "by": "Grace", "note": "30 samples read"}
            self.log.attest("review", self.last, {**at, **verdict})

    def _part(
        self,
        kind: str,
        part: str,
        params: Mapping[str, Any],
        at: Mapping[str, Any],
        edges: list[Edge] = [],  # noqa: B006 - never changed
    ) -> str:
        if edges:
            edges = [*edges, _edge("configured_by", self.config)]
        origin = {"type": "human", "source": "Hamlet"} if "origin" in params else None
        name = "long" if kind == "model" else f"long-{part}"
        given = {"part": part, **params}
        bare = Commit(kind, name, tuple(edges), params=given, origin=origin)
        payload = None if kind == "config" else Payload.of([_file(bare)], "file")
        done = {"seconds": 2.125, "cpu_seconds": 2, "tokens": 50297}
        took = done if "step" in at else {}
        commit = replace(bare, payload=payload)
        return self.log.commit(commit, {**took, **at, "part": part})

    def _model(self, number: int, edges: list[Edge], at: Mapping[str, Any]) -> str:
        flops = {"step": "train", "flops": 111358771200, "loss": 4.178877639770508}
        made = self._part("model", "model", {"n": number}, {**at, **flops}, edges)
        took = {"step": "evaluate", "seconds": 0.214, "tokens": 18287}
        self.log.attest("evaluation", made, {**at, **took})
        return made

    def _generation(
        self, number: int, parts: list[str], at: Mapping[str, Any], branch: str = BRANCH
    ) -> None:
        edges = [_edge("includes", id_) for id_ in parts]
        edges.append(_edge("evaluated_on", self.held_out))
        edges += [_edge("follows", self.last)] if self.last else []
        commit = Commit(
            "generation",
            "long",
            tuple(edges),
            params={"attempt": at["attempt"]},
            metrics=_metrics(number),
            gates=_gates() if number else None,
        )
        made = self.log.commit(commit, {**at, "seconds": 9.968}, branch)
        if branch == BRANCH:
            self.last = made

    @staticmethod
    def _at(number: int, attempt: int) -> dict[str, Any]:
        turn = {"loop": "long", "generation": number, "attempt": attempt}
        return {**turn, "environment": _ENVIRONMENT}


def _edge(role: str, id_: str, share: dict[str, list[int]] | None = None) -> Edge:
    return Edge(role, id_, "observed", share)


def _metrics(number: int) -> dict[str, Metric]:
    """Ten measures, drifting; a model writes from generation 1 on."""
    drift = 1 + number / 1000
    model = ("perplexity", "perplexity_p95", "bits_per_byte")
    found = {name: Metric(80 * drift, name, 1, "lower", 18287) for name in model}
    data = ("distinct_1", "distinct_2", "unigram_entropy", "tail_coverage")
    if number:
        found |= {name: Metric(0.5 / drift, name, 1, n=10000) for name in data}
        counts = {"generated": RECORDS, "rejected": 20, "kept": RECORDS - 20}
        found |= {k: Metric(v, k, 1, n=RECORDS) for k, v in counts.items()}
    return found


def _gates() -> list[dict[str, Any]]:
    """Two verdicts, as the runner records them."""
    common = {"on": "dataset", "verdict": "pass", "threshold_from": "loop.yaml"}
    checks = {"id": "checks", "type": "check_record", "value": 0.975, "min": 0.5}
    told = {"rejected": 20, "sentence": "780 of 800 records pass checks.py"}
    drift = {"id": "drift", "type": "diversity", "value": 0.91, "min": 0.8, "max": 1.25}
    return [
        {**common, **checks, **told, "action": "drop", "n": RECORDS},
        {**common, **drift, "action": "stop", "sentence": "against generation 0"},
    ]


def _key(registry: Registry, folder: Path) -> Callable[[bytes], bytes]:
    """Add a key with every role, and give what signs with it."""
    file = folder / "key"
    made = ["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", str(file)]
    subprocess.run(made, check=True)
    public = read_public(Path(f"{file}.pub"))
    registry.settings.set("signing.key", str(file))
    keys.add(registry, public, "Ada", "ada@example.com", roles=("reviewer", "releaser"))
    return _signing(file)


def _signing(file: Path) -> Callable[[bytes], bytes]:
    """What `ssh-keygen -Y sign` writes (PROTOCOL.sshsig), without a process each."""
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    private: Any = load_ssh_private_key(file.read_bytes(), None)
    public = Path(f"{file}.pub").read_text().split()[1]

    def field_of(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    def sign(message: bytes) -> bytes:
        about = b"".join(map(field_of, (NAMESPACE.encode(), b"", b"sha512")))
        digest = hashlib.sha512(message).digest()
        made = private.sign(b"SSHSIG" + about + field_of(digest))
        whole = field_of(b"ssh-ed25519") + field_of(made)
        blob = (
            b"SSHSIG" + (1).to_bytes(4, "big") + field_of(b64decode(public)) + about
        ) + field_of(whole)
        text = b64encode(blob).decode()
        lines = "\n".join(text[n : n + 70] for n in range(0, len(text), 70))
        head, foot = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
        return f"{head}\n{lines}\n{foot}\n".encode()

    return sign


if __name__ == "__main__":
    main()
