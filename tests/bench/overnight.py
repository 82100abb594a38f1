"""A night of a text loop: thirty generations, and what can come between them.

    python tests/bench/overnight.py

The steps are the built-in ones, the text is Python's own documentation. Generation
8 is written too hot once, generation 17 is trained far too fast once; a person looks
at every fifth and sends generation 20 back once. In one of two nights the process is
killed with SIGKILL on its way to generation 24. Both end with the same ids.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import lineage
from lineage.verify import verify
from tests.bench.measure import LINEAGE, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.store.objects import Commit

GENERATIONS, KILLED, SENT_BACK = 30, 24, 20
WAITS, STOPPED = 10, 3  # exit codes
SPEC = f"""
name: night
num_generations: {GENERATIONS}
model:
  config:
    {{model_type: gpt2, n_layer: 1, n_head: 2, n_embd: 32, n_positions: 32,
     embd_pdrop: 0.0, attn_pdrop: 0.0, resid_pdrop: 0.0}}
  tokenizer: {{vocab_size: 512}}
  init_from: parent
dataset:
  {{train_file: text.txt, block_size: 32, max_train_samples: 300, origin: human}}
generation: {{generation_config: {{temperature: 1.0, top_k: 0}}}}
mixing: {{strategy: mix, human_fraction: 0.5}}
training:
  {{max_steps: 30, per_device_train_batch_size: 32, learning_rate: 2e-3}}
evaluation: {{max_samples: 100}}
steps: {{generate: night:generate, train: night:train}}
gates:
  - {{type: diversity, max: 1.5, action: retry}}
  - {{type: regression, against: parent, action: stop}}
review: {{every: 5}}
"""
STEPS = """
from dataclasses import replace

from lineage.loop.steps import generate as ours_generate
from lineage.loop.steps import train as ours_train


def generate(job):
    if (job.generation, job.attempt) == (8, 0):
        hot = {"temperature": 5.0}  # of the 50 likeliest tokens: transformers' default
        section = job.spec.generation.model_copy(update={"generation_config": hot})
        job = replace(job, spec=job.spec.model_copy(update={"generation": section}))
    return ours_generate.generate(job)


def train(job):
    if (job.generation, job.attempt) == (17, 0):
        fast = {**job.spec.training, "learning_rate": 0.5}
        job = replace(job, spec=job.spec.model_copy(update={"training": fast}))
    return ours_train.train(job)
"""


@dataclass
class Night:
    """A loop in a folder of its own, and the person who looks after it."""

    folder: Path
    kill: bool
    notes: dict[str, str] = field(default_factory=dict)  # of commits, by id
    killed: str = ""
    cpu: float = 0.0

    def __post_init__(self) -> None:
        from pydoc_data.topics import topics

        lineage.init(self.folder).close()
        text = "\n\n".join(topics[name] for name in sorted(topics))
        files = {"text.txt": text, "loop.yaml": SPEC, "night.py": STEPS}
        for name, content in files.items():
            (self.folder / name).write_text(content, encoding="utf-8")

    def run(self) -> None:
        """Run, look, decide, and run again, until it is finished."""
        while code := self._loop():
            if code == WAITS:
                self._decide()
            elif code not in (STOPPED, -signal.SIGKILL):
                raise SystemExit(f"lineage loop run ended with {code}")

    def _loop(self) -> int:
        """One `lineage loop run`; the first to come near generation 24 is killed."""
        command = [LINEAGE, "loop", "run", "loop.yaml"]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stderr is not None
            for line in child.stderr:
                print(f"{self.folder.name}: {line.rstrip()}", file=sys.stderr)
                if self.kill and line.startswith(f"night {KILLED - 1}/"):
                    self.kill = False
                    time.sleep(0.7)  # inside the next generation
                    child.kill()
                    self.killed = "killed with SIGKILL on its way here"
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu += usage.ru_utime + usage.ru_stime
        return child.returncode

    def _decide(self) -> None:
        """Approve what waits, but not generation 20 as it comes first."""
        [waits] = json.loads(self._say("review", "list", "--format", "json"))["reviews"]
        number = waits["generation"]
        again = any(note.startswith("rejected") for note in self.notes.values())
        word = "reject" if number == SENT_BACK and not again else "approve"
        self._say("review", word, waits["subject"], "--note", "read ten of its records")
        past = {"reject": "rejected", "approve": "approved"}[word]
        self.notes[waits["subject"]] = f"{past} by a person"

    def _say(self, *words: str) -> str:
        command = [LINEAGE, *words]
        env, pipe = environment(), subprocess.PIPE
        done = subprocess.run(
            command, cwd=self.folder, env=env, stdout=pipe, text=True, check=True
        )
        return done.stdout

    def tries(self) -> list[Commit]:
        """All generations that there were, whatever became of them, in order."""
        with lineage.open(self.folder) as registry:
            found = dict.fromkeys(
                id_
                for _, event in registry.events()
                for id_, _ in event.commits
                if registry.load(id_).kind == "generation"
            )
            return [registry.load(id_) for id_ in reversed(found)]

    def problems(self) -> list[Any]:
        """What `lineage verify` finds."""
        with lineage.open(self.folder) as registry:
            return list(verify(registry).problems)


def rows(night: Night) -> Iterator[str]:
    """A line of the table for each try."""
    for commit in night.tries():
        turn, attempt = commit.params["generation"], commit.params["attempt"]
        failed = [g for g in commit.gates or () if g["verdict"] == "fail"]
        what = [f"{g['id']} failed: {g['sentence']}" for g in failed]
        what += [night.notes[commit.id]] if commit.id in night.notes else []
        what += [night.killed] * (night.killed != "" and turn == KILLED)
        values = [
            f"{commit.metrics[name].value:.4g}" if name in commit.metrics else ""
            for name in ("perplexity", "distinct_2")
        ]
        cells = [
            str(turn),
            str(attempt),
            "; ".join(what),
            *values,
            f"`{commit.id[:12]}`",
        ]
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        killed, calm = (
            Night(Path(folder) / n, n == "killed") for n in ("killed", "calm")
        )
        with ThreadPoolExecutor() as both:
            list(both.map(Night.run, (killed, calm)))
        print("| generation | attempt | what happened | perplexity | distinct_2 | id |")
        print("|---:|---:|---|---:|---:|---|")
        print(*rows(killed), sep="\n")
        ids = [[commit.id for commit in night.tries()] for night in (killed, calm)]
        same = "the same" if ids[0] == ids[1] else "NOT the same"
        print(
            f"\nFinished at generation {GENERATIONS}; `lineage verify` finds "
            f"{len(killed.problems())} problems. Without the SIGKILL: {same} "
            f"{len(ids[1])} ids. CPU: {killed.cpu:.0f} s and {calm.cpu:.0f} s."
        )


if __name__ == "__main__":
    main()
