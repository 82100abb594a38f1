"""`lineage demo`: two loops on real text, from the first command to the last.

Every command that is shown is the real one, with its real output.
"""

import contextlib
import os
import shlex
import shutil
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Command, pass_app
from lineage.cli.curves import drawn, summary
from lineage.cli.stage import Stage
from lineage.cli.text import number, size
from lineage.errors import LineageError, UsageError

if TYPE_CHECKING:
    from lineage.loop.demo import Size
    from lineage.registry import Registry
    from lineage.store.files import FileEntry

_MARK = "demo.txt"
_RECORD = "17"  # of the training data: one that a model wrote
_NEEDED = ("accelerate", "safetensors", "tokenizers", "torch", "transformers")
_GATE_FAILED = _PROBLEMS = 3


@click.command(
    cls=Command,
    examples={
        "lineage demo": "in the new folder lineage-demo, in a few minutes",
        "lineage demo --quick /tmp/look": "in half a minute, with one seed",
    },
    exits=[0, 1, 2, 130],
)
@click.argument("directory", metavar="[DIR]", default="lineage-demo", type=Path)
@click.option("--quick", is_flag=True, help="Small: one seed, fewer and shorter turns.")
@click.option("--force", is_flag=True, help="Replace DIR, if a demo made it.")
@pass_app
def demo(app: App, directory: Path, *, quick: bool, force: bool) -> None:
    """Watch two feedback loops run on real text.

    Makes a registry in DIR, trains a small model on Python's documentation, and lets
    it write the data of its successors: once they replace what it learned from, once
    they are added to it. Then a gate stops a bad dataset, and the registry answers.
    """
    from lineage.loop.demo import FULL, QUICK

    _check_installed()
    _make_room(directory, force=force)
    try:
        _Tour(app, directory, QUICK if quick else FULL).run()
    except KeyboardInterrupt:
        again = shlex.join(["lineage", "demo", "--force", str(directory)])
        app.terminal.say(f"\ninterrupted: `{again}` begins again")
        raise


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        from lineage.loop.steps.session import INSTALL

        message = f"the demo trains models and needs {missing[0]}"
        raise LineageError(message, hint=f"install it: {INSTALL}")


def _make_room(directory: Path, *, force: bool) -> None:
    """Make `directory` an empty folder, or refuse."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        if not (directory / _MARK).is_file():
            hint = "name another folder: lineage demo DIR"
            raise UsageError(f"{directory} is not empty", hint=hint)
        if not force:
            hint = "replace it with --force, or name another folder"
            raise UsageError(f"{directory} has an earlier demo", hint=hint)
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _MARK).write_text("Made by `lineage demo`; --force replaces it.\n")


class _Tour(Stage):
    """The demo, stop by stop: read `run`."""

    def __init__(self, app: App, directory: Path, size: "Size") -> None:
        super().__init__(app.terminal, directory)
        self.size = size

    def run(self) -> None:
        begun = time.monotonic()
        self.welcome()
        self.type("init", str(self.directory))
        self.write([self.paint("$ cd " + shlex.quote(str(self.directory)))])
        with contextlib.chdir(self.directory):
            self.generation_0()
            self.two_loops()
            self.curves()
            self.bad_dataset()
            self.history()
            self.difference()
            self.ancestry()
            self.report()
            self.evidence()
            self.flipped_bit()
        self.farewell(time.monotonic() - begun)

    def welcome(self) -> None:
        from lineage.loop.demo import PARAMETERS

        size = self.size
        self.say(
            "A model writes data, its successor trains on them, and so on: what "
            "happens to the models depends on what happens to the data. Here are "
            f"{PARAMETERS:,} parameters that learn from Python's own documentation, "
            f"{size.generations} generations of {size.records:,} records at "
            f"temperature 0.8, from {_seeds(size)}, fixed beforehand. "
            "Every line after a $ can be typed."
        )

    def generation_0(self) -> None:
        from lineage.loop.demo import write_files

        self.title("Generation 0: a model trained on human text")
        write_files(Path(), self.size)
        self.say(
            "The folder now holds python-docs.txt, the unit tests of records in "
            "checks.py, and a YAML file for each loop."
        )
        several = len(self.size.seeds) > 1
        self.loops(*(["seed.yaml", "seed-*.yaml"] if several else ["seed.yaml"]))

    def two_loops(self) -> None:
        from lineage.loop.demo import STRATEGIES, loop_name

        self.title("From it, a loop that replaces its data and one that keeps all")
        for strategy in STRATEGIES:
            for seed in self.size.seeds:
                branch, start = (loop_name(w, seed) for w in (strategy, "seed"))
                self.type("branch", f"loop/{branch}", f"loop/{start}")
        self.loops(*(f"{strategy}*.yaml" for strategy in STRATEGIES))

    def curves(self) -> None:
        import lineage
        from lineage.loop.demo import curves, human_distinct_2

        self.title("What it did to the models")
        with lineage.open(".") as registry:
            found = curves(registry, self.size)
            human = human_distinct_2(registry, self.size)
        self.write(drawn(self.terminal, found))
        self.say(
            f"Human text has a distinct_2 of {number(human)} on as many tokens. "
            f"{summary(found)}"
        )

    def bad_dataset(self) -> None:
        self.title("A bad dataset, and the gate that stops it")
        self.say(
            "planted.yaml has a generate step of its own, plant.py: records that "
            "somebody sold us, many of them refusals of a chat model. checks.py, the "
            "unit test of records, is the same as before."
        )
        self.type("branch", "loop/planted", "loop/seed")
        self.type("loop", "run", "planted.yaml", expect=_GATE_FAILED)

    def history(self) -> None:
        self.title("What came from what")
        self.type("log", "loop/replace", "loop/accumulate", "loop/planted@rejected")

    def difference(self) -> None:
        self.title("What is different at the two ends")
        self.type("diff", "loop/accumulate", "loop/replace", "--only", "metrics,config")

    def ancestry(self) -> None:
        self.title("What a model is made of, and where one of its records is from")
        self.type("trace", "loop/accumulate", "--depth", "1")
        self.type("blame", "loop/accumulate", _RECORD)

    def report(self) -> None:
        self.title("A report, for people who trust nobody")
        self.type("attest", "loop/accumulate", "--release", "demo")
        self.type("attest", "loop/accumulate", "--state", "provider=lineage demo")
        law = ("--template", "eu-annex-iv")
        self.type("report", "loop/accumulate", *law, "-o", "report.html")
        self.say(f"Look at it in a browser: {Path('report.html').absolute()}")

    def evidence(self) -> None:
        self.title("The same with its evidence, for who holds nothing but one file")
        zip_ = Path("report.zip")
        self.type("report", "loop/accumulate", "--format", "bundle", "-o", str(zip_))
        self.type("verify", str(zip_))
        data = bytearray(zip_.read_bytes())
        data[len(data) // 2] ^= 1
        zip_.with_stem("forged").write_bytes(data)
        self.say("One bit in the middle of a copy is changed:")
        self.type("verify", "forged.zip", expect=_PROBLEMS)

    def flipped_bit(self) -> None:
        import lineage
        from lineage.loop.demo import flip

        self.title("One flipped bit")
        with lineage.open(".") as registry:
            weights = _weights(registry)
            path = os.path.relpath(flip(registry, weights))
            try:
                self.say(
                    f"A disk goes bad: one bit in the middle of {path}, which is the "
                    f"{weights.path} of loop/replace ({size(weights.size)}), flips."
                )
                self.type("verify", expect=_PROBLEMS)
            finally:
                flip(registry, weights)
        self.say("The bit is flipped back.")
        self.type("verify")

    def farewell(self, seconds: float) -> None:
        from lineage.cli.progress import duration

        self.title(f"Done in {duration(seconds)}. Now you")
        folder = shlex.quote(str(self.directory))
        rows = {
            f"cd {folder}": "",
            "lineage log --all": "all loops and seeds",
            "lineage show loop/planted@rejected": "why it was stopped",
            "lineage review show loop/replace": "what its model wrote",
            "lineage get 'loop/accumulate^includes(model)' model": "the bytes",
            "git log refs/lineage/events": "who did what: plain git",
            "cd .. && lineage init mine && cd mine": "a registry of your own",
            "lineage loop init --text FILE": "and a loop on your text",
        }
        margin = max(len(command) for command in rows if rows[command]) + 2
        for command, meaning in rows.items():
            typed = command.ljust(margin) if meaning else command
            line = [("  $ ", ""), (typed, "title"), (meaning, "dim")]
            self.write([self.terminal.paint(line)])


def _seeds(size: "Size") -> str:
    *first, last = map(str, size.seeds)
    return f"the seeds {', '.join(first)} and {last}" if first else f"the seed {last}"


def _weights(registry: "Registry") -> "FileEntry":
    """The weights of the last model of loop/replace."""
    model = registry.resolve("loop/replace^includes(model)")
    return max(registry.files(model), key=lambda entry: entry.size)
