"""Registries that a loop could have made, without the time that a loop takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.audit.facts import Facts, Told
from lineage.audit.known import Known
from lineage.audit.model import Oversight, Signature
from lineage.store.objects import Commit, Edge, Event, Metric
from tests.lineage.audit.machine import openssl, record_hostile
from tests.tools import skip_without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage.registry import Registry

ORIGIN = {
    "type": "human",
    "source": "Python documentation, pydoc_data.topics",
    "licence": "PSF-2.0",
    "by": "Ada Example",
}
ADA = {"name": "Ada Example", "email": "ada@example.com"}
RECORDS = 1250
CIRCUMSTANCES = {
    "seconds": 8.25,
    "environment": {"python": "3.11.7", "packages": {"torch": "2.13.0"}},
}


def observed(role: str, id_: str, share: dict[str, list[int]] | None = None) -> Edge:
    return Edge(role, id_, "observed", share)


@dataclass
class TestLoop:
    """Writes generations into a registry, shaped as the loop runner's are."""

    __test__ = False

    registry: Registry
    name: str = "tutor"
    ids: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)

    def start(self, origin: dict[str, Any] | None = None) -> str:
        """Generation 0: human data, held-out data, config, a model of its own."""
        self.part("config", "config", params={"seed": 0, "mixing": "accumulate"})
        self.part("dataset", "human", text="To be, or not.\n", origin=origin or ORIGIN)
        self.part("dataset", "held-out", text="That is it.\n", origin=origin or ORIGIN)
        whole = {"records": [RECORDS, RECORDS]}
        trained = [observed("trained_on", self.ids["human"], whole)]
        self.part("model", "model-0", trained)
        return self.turn(0, ["config", "human", "model-0"], metrics=measured(0))

    def go_on(
        self,
        *,
        attempt: int = 0,
        branch: str | None = None,
        metrics: Any = None,
        **known: Any,
    ) -> str:
        """Take the next turn of an accumulating loop."""
        number = len(self.turns)
        before = self.ids[f"model-{number - 1}"]
        new = self.part(
            "dataset",
            f"synthetic-{number}",
            [
                observed("generated_by", before),
                observed("derived_from", self.ids["human"]),
            ],
            text=f"Written by {before} in turn {number}, try {attempt}.\n",
        )
        sources = [self.ids["human"], *self.written, new]
        share = {"records": [RECORDS, RECORDS * len(sources)]}
        mixed = self.part(
            "dataset",
            f"mixed-{number}",
            [observed("derived_from", id_, share) for id_ in sources],
            text=f"Mixed {number}, try {attempt}.\n",
        )
        whole = {"records": [RECORDS * len(sources)] * 2}
        trained = [
            observed("trained_on", mixed, whole),
            observed("fine_tuned_from", before),
        ]
        self.part("model", f"model-{number}", trained)
        parts = ["config", *(f"{n}-{number}" for n in ("synthetic", "mixed", "model"))]
        metrics = measured(number) if metrics is None else metrics
        made = self.turn(number, parts, branch=branch, metrics=metrics, **known)
        if branch is None:
            self.written.append(new)
        return made

    def part(
        self,
        kind: str,
        key: str,
        edges: list[Edge] = [],  # noqa: B006 - never changed
        text: str | None = None,
        **known: Any,
    ) -> str:
        if kind != "config":
            path = self.registry.root / f"{key}.txt"
            path.write_text(text or f"weights of {self.name} {key}\n", encoding="utf-8")
            known["path"] = path
        if edges:
            edges = [*edges, observed("configured_by", self.ids["config"])]
        made = self.registry.commit(
            kind,
            f"{self.name}-{key.rstrip('-0123456789')}",
            edges=edges,
            ref=f"runs/{self.name}/{key}",
            revise=False,
            circumstances=CIRCUMSTANCES if edges else {},
            **known,
        )
        self.ids[key] = made.id
        return made.id

    def turn(
        self,
        number: int,
        parts: list[str],
        *,
        branch: str | None = None,
        metrics: dict[str, Metric],
        gates: list[dict[str, Any]] | None = None,
        message: str = "",
        **known: Any,
    ) -> str:
        edges = [observed("includes", self.ids[part]) for part in parts]
        edges.append(observed("evaluated_on", self.ids["held-out"]))
        if self.turns:
            edges.append(observed("follows", self.turns[-1]))
        made = self.registry.commit(
            "generation",
            self.name,
            edges=edges,
            metrics=metrics,
            gates=gated(number) if gates is None and number else gates,
            branch=branch,
            message=message or f"generation {number}",
            **known,
        )
        self.registry.drop_runs(f"{self.name}/")
        if branch is None:
            self.turns.append(made.id)
        return made.id


def measured(number: int) -> dict[str, Metric]:
    """What a loop measures, drifting as loops do."""
    perplexity = round(68 * 1.22**number, 2)
    interval = [round(perplexity * 0.96, 2), round(perplexity * 1.04, 2)]
    found = {
        "perplexity": Metric(perplexity, "perplexity", 1, "lower", 2812, interval),
        "distinct_2": Metric(round(0.257 * 0.86**number, 4), "distinct_2", 1, n=10000),
        "duplicate_rate": Metric(0.01 * number, "duplicate_rate", 1, "lower", RECORDS),
    }
    if number:
        counts = {"generated": 1300, "rejected": 50, "kept": RECORDS}
        found |= {k: Metric(v, k, 1, n=1300) for k, v in counts.items()}
    return found


def gated(number: int, *, verdict: str = "pass") -> list[dict[str, Any]]:
    return [
        {
            "id": "checks",
            "type": "check_record",
            "on": "dataset",
            "verdict": "pass",
            "value": 0.9615,
            "min": 0.5,
            "action": "drop",
            "rejected": 50,
            "sentence": "1,250 of 1,300 records passed",
        },
        {
            "id": "diversity",
            "type": "diversity",
            "on": "dataset",
            "verdict": verdict,
            "value": round(0.94 - 0.05 * number, 3),
            "min": 0.8,
            "max": 1.25,
            "action": "stop",
            "sentence": "distinct-2 against generation 0",
            "measure": "distinct_2",
        },
    ]


@pytest.fixture
def loop(repo: Registry) -> TestLoop:
    """Give an empty registry and what writes generations into it."""
    return TestLoop(repo)


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLoop]:
    """Give three generations, a rejected one, a review with an override, a failure.

    To look at only: all tests see the same.
    """
    with lineage.init(tmp_path_factory.mktemp("story") / "repo") as registry:
        loop = TestLoop(registry)
        tell(loop)
        yield loop


def tell(loop: TestLoop) -> None:
    registry = loop.registry
    loop.start()
    loop.go_on()
    registry.attest("review_requested", subject=loop.turns[1], data={"loop": "tutor"})
    review = {"verdict": "approve", "by": "Grace Reviewer", "note": "30 samples read"}
    registry.attest("review", subject=loop.turns[1], data=review)
    loop.go_on(
        branch="loop/tutor@rejected",
        gates=gated(2, verdict="fail"),
        message="the gate diversity failed: 0.64 is below 0.8",
    )
    registry.attest(
        "failed step",
        subject=loop.turns[1],
        message="generation 2, train: no space left on device",
        data={"loop": "tutor", "generation": 2, "step": "train"},
    )
    loop.go_on(attempt=1, gates=gated(2, verdict="fail"))
    override = {**review, "override": "diversity", "note": "known, accepted for now"}
    registry.attest("review", subject=loop.turns[2], data=override)


@pytest.fixture
def story(told: TestLoop, tmp_path: Path) -> Iterator[TestLoop]:
    """Give a copy of that registry, to go on with."""
    copytree(told.registry.root, tmp_path / "story", symlinks=True)
    with lineage.open(tmp_path / "story") as registry:
        ids, written, turns = {**told.ids}, [*told.written], [*told.turns]
        yield replace(told, registry=registry, ids=ids, written=written, turns=turns)


VOID = frozenset({"br", "link", "meta"})


class Page(HTMLParser):
    """A page as a browser would read it; fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.parents: list[tuple[str, ...]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parents.append(tuple(self.open))
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text, one space between words."""
        return " ".join(" ".join(self.words).split())

    def all(self, *names: str) -> list[dict[str, str]]:
        """The attributes of all elements of these names."""
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture
def read() -> Callable[[str], Page]:
    """Give the function that reads a page."""
    return Page


def known(commit: Commit, number: int, generation: int = 0) -> Known:
    """A commit as a registry would have it, without one."""
    event = Event("commit", "2026-01-02T03:04:05.678901Z", ADA, f"step {number}")
    unsigned = Signature("no keys", event.time)
    return Known(
        commit.id, f"{number:040x}", commit, generation, number, event, unsigned
    )


def facts_of(turns: int) -> Facts:
    """The facts about a loop of `turns` generations that replaces its data."""
    found: list[Known] = []

    def add(commit: Commit, generation: int = 0) -> str:
        found.append(known(commit, len(found), generation))
        return commit.id

    config = add(Commit("config", "long", params={"seed": 0}))
    human = add(Commit("dataset", "human", params={"n": 1}, origin=ORIGIN))
    held_out = add(Commit("dataset", "held-out", params={"n": 2}, origin=ORIGIN))
    chain: list[str] = []
    model = ""
    for number in range(turns):
        parts, data = [config], human
        if number:
            written = (observed("generated_by", model), observed("derived_from", human))
            data = add(Commit("dataset", f"data-{number}", written), number)
            parts.append(data)
        share = {"records": [RECORDS, RECORDS]}
        made = (observed("trained_on", data, share), observed("configured_by", config))
        model = add(Commit("model", f"model-{number}", made), number)
        edges = [observed("includes", id_) for id_ in (*parts, model)]
        edges += [observed("follows", id_) for id_ in chain[-1:]]
        edges.append(observed("evaluated_on", held_out))
        metrics, gates = measured(number % 9), gated(1)
        turn = Commit("generation", "long", tuple(edges), metrics=metrics, gates=gates)
        chain.append(add(turn, number))
    newest = found[-1].event
    commits = {one.id: one for one in found}
    seen = Oversight(turns - 1, 0, 0, 0, 0, (), {}, (), (), 0)
    told = Told(tuple(chain), seen, branches=("loop/long",))
    return Facts((chain[-1],), newest, commits, (told,))


@pytest.fixture
def long_loop() -> Callable[[int], Facts]:
    """Give the facts about a loop of any length, in no time."""
    return facts_of


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make a key of each kind that signs, and the public halves beside them."""
    skip_without("openssl")
    folder = tmp_path_factory.mktemp("keys")
    found = {}
    for name, words in {
        "ed25519": ["-algorithm", "ed25519"],
        "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    }.items():
        found[name] = folder / f"{name}.pem"
        openssl("genpkey", *words, "-out", found[name])
        openssl("pkey", "-in", found[name], "-pubout", "-out", f"{found[name]}.pub")
    return found


@pytest.fixture
def folder(repo: Registry) -> tuple[Registry, str]:
    """Commit a folder whose names sort one way as text, another part by part."""
    root = repo.root / "weights"
    names = [
        "a/b",
        "a-b",
        "a.b/c d",
        "A",
        "ünï\u202e",
        "z/\n",
        "deep/er/still",
        "empty",
    ]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode() * 3 if name != "empty" else b"")
    (root / "nothing").mkdir()
    made = repo.commit("model", "tutor", path=root)
    return repo, made.id


@pytest.fixture
def hostile(repo: Registry) -> tuple[Registry, str]:
    """Give what a name, a message or a place can do to a file, and the commit."""
    return repo, record_hostile(repo)
