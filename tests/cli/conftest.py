"""Transcripts of the command line, and a registry worth looking at.

A transcript is what a person would see: the command, its stdout, its stderr with
``2> `` before each line, and the exit code where it is not 0. Ids, times and paths
differ from run to run or with the format, so `stable` gives them fixed ones of the
same length.
"""

from __future__ import annotations

import json
import re
import shlex
import string
from typing import TYPE_CHECKING, Any

import pytest

from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

HEX = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{8,64}(?![0-9a-zA-Z])")
TIMES = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z": "2026-01-02T03:04:05.678901Z",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000": "2026-01-02 03:04:05 +0000",
    r"\d{4}-\d\d-\d\d \d\d:\d\d(?=\s)": "2026-01-02 03:04",
}


def stable(text: str, tmp_path: Path) -> str:
    """Replace what differs from run to run: ``aaaaaaaa`` is the first id seen."""
    letters: dict[str, str] = {}

    def letter(found: re.Match[str]) -> str:
        known = letters.setdefault(found[0][:8], string.ascii_letters[len(letters)])
        return known * min(len(found[0]), 12) + ("…" if len(found[0]) > 12 else "")

    text = text.replace(str(tmp_path), "/test")
    for pattern, fixed in TIMES.items():
        text = re.sub(pattern, fixed, text)
    return HEX.sub(letter, text)


@pytest.fixture
def transcript(run: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    """Run command lines; give what a person would see."""

    def transcript(*commands: str) -> str:
        lines = []
        for command in commands:
            done = run(*shlex.split(command))
            lines.append(f"$ lineage {command}")
            lines += done.stdout.splitlines()
            lines += [f"2> {line}" for line in done.stderr.splitlines()]
            if done.exit_code:
                lines.append(f"exit {done.exit_code}")
        return stable("\n".join(lines), tmp_path) + "\n"

    return transcript


class Loop:
    """A small loop, recorded as the runner does it."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        origin = {"type": "human", "source": "Project Gutenberg", "licence": "CC0"}
        path = self.write("human.txt", "It was the best of times.\n" * 40)
        human = registry.commit("dataset", "gutenberg", path, origin=origin)
        self.human = human.id
        self.made: list[tuple[str, str]] = []
        self.synthetic: list[str] = []

    def write(self, name: str, text: str) -> Path:
        path = self.registry.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def turn(self, perplexity: float, distinct: float, **fields: Any) -> str:
        """Make the next generation and return its id."""
        number = len(self.made)
        config = self._part("config", "tutor", {"steps": 250, "mix": {"human": 0.5}})
        parts, data = [config], self.human
        if number:
            writer = self.made[-1][1]
            synthetic = self._synthetic(number, writer, config)
            data = self._mixed(number, synthetic)
            parts += [synthetic, data]
        model = self._model(number, data, config)
        edges = [Edge("includes", id_, "observed") for id_ in (*parts, model)]
        edges += [Edge("follows", self.made[-1][0], "observed")] if number else []
        made = self.registry.commit(
            "generation",
            "tutor",
            edges=edges,
            params={"generation": number},
            metrics={
                "perplexity": Metric(perplexity, "perplexity", 1, "lower", 4000),
                "distinct_2": Metric(distinct, "distinct_2", 1, n=900),
            },
            message=f"generation {number} of tutor",
            **fields,
        )
        self.made.append((made.id, model))
        return made.id

    def _part(self, kind: str, name: str, params: dict[str, Any], **fields: Any) -> str:
        ref = f"runs/tutor/{len(self.made)}/{kind}-{name}"
        commit = self.registry.commit
        return commit(kind, name, params=params, ref=ref, revise=False, **fields).id

    def _synthetic(self, number: int, writer: str, config: str) -> str:
        edges = [
            Edge("generated_by", writer, "observed"),
            Edge("configured_by", config, "observed"),
            Edge("derived_from", self.human, "observed"),
        ]
        path = self.write("synthetic.jsonl", f'{{"text": "turn {number}"}}\n' * 10)
        self.synthetic.append(
            self._part("dataset", "tutor-synthetic", {}, path=path, edges=edges)
        )
        return self.synthetic[-1]

    def _mixed(self, number: int, synthetic: str) -> str:
        share = {"records": [10, 20]}
        edges = [
            Edge("derived_from", self.human, "observed", share),
            Edge("derived_from", synthetic, "observed", share),
        ]
        path = self.write("mixed.jsonl", f'{{"text": "mixed {number}"}}\n' * 20)
        return self._part("dataset", "tutor-mixed", {}, path=path, edges=edges)

    def _model(self, number: int, data: str, config: str) -> str:
        edges = [
            Edge("trained_on", data, "observed"),
            Edge("configured_by", config, "observed"),
        ]
        self.write("model/config.json", json.dumps({"n_layer": 2 + number // 2}))
        path = self.write("model/weights.bin", f"{number}" * 1000).parent
        return self._part("model", "tutor", {}, path=path, edges=edges)


@pytest.fixture
def loop(repo: Registry) -> Loop:
    """A loop of three generations on ``loop/tutor``; go to its registry."""
    loop = Loop(repo)
    for perplexity, distinct in ((68.4, 0.257), (83.2, 0.213), (88.4, 0.19)):
        loop.turn(perplexity, distinct)
    return loop
