"""`lineage loop`: write a loop's files, run it, see how far loops are."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Group, at_option, format_option, pass_app
from lineage.cli.loop_plugins import plugins
from lineage.cli.loop_states import filled, lines
from lineage.cli.render import document, json_line
from lineage.errors import GateFailed, LineageError, WaitingForReview
from lineage.loop.templates import TEMPLATES
from lineage.shapes.loops import loop_state

if TYPE_CHECKING:
    from lineage.cli.progress import LoopProgress
    from lineage.loop.spec import LoopSpec

_FORMATS = ("json", "jsonl")


def suggest(app: App, commands: Mapping[str, str]) -> None:
    """Say what to type next, and what that does."""
    margin = max(map(len, commands), default=0) + 2
    for index, (command, meaning) in enumerate(commands.items()):
        label = "next:" if not index else "     "
        app.terminal.say(
            (label, "hint"), " ", (command.ljust(margin), "title"), (meaning, "dim")
        )


@click.group(
    cls=Group,
    examples={
        "lineage loop init --text corpus.txt": "write loop.yaml for that text",
        "lineage loop run loop.yaml": "run it, or go on with it",
        "lineage loop status": "how far every loop is, and what it waits for",
    },
)
def loop() -> None:
    """Run loops: generate, check, mix, train, evaluate, again."""


loop.add_command(plugins)

_INIT = """Write loop.yaml and its companions, ready to run.

They describe a small loop with gates, and explain every field. The templates:

\b
""" + "\n".join(f"{name:<11} {what}" for name, what in TEMPLATES.items())


@loop.command(
    help=_INIT,
    examples={
        "lineage loop init --text corpus.txt": "a small model, trained from scratch",
        "lineage loop init --text posts.jsonl --model ./my-model": (
            "start from a save_pretrained folder"
        ),
    },
)
@click.option(
    "--template",
    type=click.Choice(list(TEMPLATES)),
    default="text",
    show_default=True,
    help="What kind of loop: see above.",
)
@click.option("--text", type=Path, metavar="FILE", help="What the loop learns from.")
@click.option(
    "--model",
    type=Path,
    metavar="FOLDER",
    help="A save_pretrained folder to start from.",
)
@pass_app
def init(app: App, template: str, text: Path | None, model: Path | None) -> None:
    from lineage.loop.scaffold import scaffold

    made = scaffold(Path(), template, text=text, model=model)
    terminal = app.terminal
    terminal.say("wrote ", (", ".join(path.name for path in made.files), "title"))
    for note in made.notes:
        terminal.note(note)
    first = {} if _in_registry() else {"lineage init": "makes this folder a registry"}
    suggest(app, {**first, "lineage loop run loop.yaml": "makes the generations"})


def _in_registry() -> bool:
    import lineage

    try:
        lineage.open(".").close()
    except LineageError:
        return False
    return True


@loop.command(
    examples={
        "lineage loop run loop.yaml": "run it; the same again goes on where it stopped",
        "lineage loop run a.yaml b.yaml": "one after the other",
    },
    exits={
        0: "every generation is made",
        1: "a step, a file or a disk failed",
        2: "the spec cannot be used, or is not the one of this loop",
        3: "stopped by a gate or by a review",
        4: "the key here may not sign",
        5: "no such registry or model",
        10: "waiting for a person's review",
        130: "interrupted; run it again to go on",
    },
)
@click.argument("specs", metavar="[FILE]...", nargs=-1, type=Path)
@format_option(*_FORMATS)
@pass_app
def run(app: App, specs: tuple[Path, ...], format_: str) -> int:
    """Run a loop, or go on with it.

    FILE (by default loop.yaml) describes it; it runs to its last generation.
    Every config, dataset and model is recorded as soon as it exists. After a kill, a
    pause or a failure the same command goes on from the last finished step. Prints the
    id of the last generation.
    """
    for spec in specs or (Path("loop.yaml"),):
        code = _run(app, spec, format_)
        if code:
            return code
    return 0


def _run(app: App, spec: Path, format_: str) -> int:
    """Run one loop and say how it ended; returns the exit code."""
    from lineage.cli.progress import LoopProgress
    from lineage.loop.branches import branch_of
    from lineage.loop.spec import load
    from lineage.packing.auto import start as pack_behind

    loaded = load(spec)
    branch = branch_of(loaded.name)
    warned = _warn_of_taints(app, branch)
    with LoopProgress(app.terminal) as progress:
        code = _go_on(app, spec, loaded, progress)
    if not warned:
        _warn_of_taints(app, branch)
    pack_behind(app.registry)
    if format_ != "human":
        _print(app, loaded.name, format_)
    elif not code:
        app.terminal.write([app.registry.resolve(branch)])
        if progress.is_watched:
            suggest(app, {f"lineage log {branch}": "what came from what"})
    return code


def _go_on(app: App, spec: Path, loaded: "LoopSpec", progress: "LoopProgress") -> int:
    """Make what is missing of a loop, or say why it stops; returns the exit code."""
    from lineage.loop.running.runner import run as run_loop

    again = f"lineage loop run {spec}"
    try:
        result = run_loop(app.registry, loaded, progress=progress)
    except KeyboardInterrupt:
        progress.clear()
        suggest(app, {again: "goes on from here"})
        raise
    except (GateFailed, WaitingForReview) as error:
        progress.clear()
        _explain(app, error, loaded.name, again)
        return error.exit_code
    if not result.made:
        last = f"{loaded.num_generations} of {loaded.num_generations}"
        app.terminal.say(f"generation {last} of {result.branch} is made already")
    return 0


def _warn_of_taints(app: App, branch: str) -> bool:
    """Say where what a loop goes on from, or has made, is tainted; it may be meant."""
    from lineage.cli.tainted import sentence
    from lineage.taints.marks import marks

    tip = app.registry.target(f"heads/{branch}")
    found = marks(app.registry).of(tip.id) if tip else []
    if found:
        app.terminal.say((branch, "branch"), " ", *sentence(app.registry, found))
    return bool(found)


def _explain(app: App, error: LineageError, name: str, again: str) -> None:
    """Say why a loop does not go on, and what to type next."""
    from lineage.loop.branches import rejected_branch
    from lineage.loop.reviews.deciding import can_be_approved
    from lineage.loop.running.overview import stopped_try

    if isinstance(error, WaitingForReview):
        text = "\n".join(filled(app, f"waiting: {error}", "  "))
        app.terminal.say(("waiting:", "hint"), text.strip().removeprefix("waiting:"))
        suggest(app, {
            f"lineage review show {name}": "what there is to see",
            f"lineage review approve {name}": "or reject, with --note WHY",
            again: "goes on, or back, as you decide",
        })  # fmt: skip
        return
    app.terminal.complain(str(error))
    rejected = rejected_branch(name)
    stopped = stopped_try(app.registry, name)
    commands = {f"lineage show {stopped}": "what was stopped", again: "another try"}
    if stopped == rejected and can_be_approved(app.registry, name):
        commands[f"lineage review approve {rejected} --note WHY"] = "lets it pass"
    suggest(app, commands)


@loop.command(
    examples={
        "lineage loop calibrate loop.yaml": "what chance alone does, as a table",
        "lineage loop calibrate --seeds 10 --write": "and put it into loop.yaml",
    },
    exits={
        0: "the values are recorded, and printed",
        1: "a step failed, or loop.yaml could not be written",
        2: "no gate can be calibrated, or the spec is not the one of this loop",
        3: "a gate or a review stopped generation 0",
        4: "the key here may not sign",
        5: "no such registry or model",
        10: "generation 0 waits for a person's review",
    },
)
@click.argument("spec", metavar="[FILE]", type=Path, default="loop.yaml")
@click.option(
    "--seeds",
    type=click.IntRange(3, 200),
    default=5,
    show_default=True,
    metavar="N",
    help="How often generation 0 writes.",
)
@click.option("--write", is_flag=True, help="Put the thresholds into FILE.")
@format_option(*_FORMATS)
@pass_app
def calibrate(app: App, spec: Path, seeds: int, *, write: bool, format_: str) -> int:
    """Set gates' thresholds by what chance does.

    The model of generation 0 writes as often as --seeds says, each time with another
    seed, and every gate's value is taken: nothing has changed, so how it varies is
    noise. A threshold stands where 99 % of such draws pass, with a confidence of
    95 %. Makes generation 0 where there is none. Prints a table and the lines for
    FILE (by default loop.yaml); an event about generation 0 has all values. Once
    generation 1 is made, thresholds are part of what the loop is.
    """
    from lineage.cli.calibration import print_calibration
    from lineage.cli.progress import LoopProgress
    from lineage.loop.measuring.calibration import calibrate as run_calibration
    from lineage.loop.measuring.calibration import write as write_thresholds

    with LoopProgress(app.terminal) as progress:
        found = run_calibration(app.registry, spec, seeds=seeds, progress=progress)
    print_calibration(app, found, format_)
    if not write or not found.changes():
        return 0
    if write_thresholds(spec, found.changes()):
        app.terminal.say("wrote the thresholds to ", (str(spec), "title"))
        return 0
    app.terminal.complain(f"{spec} is written in a form that is not edited here")
    app.terminal.say(("hint:", "hint"), " copy the lines above into it")
    return 1


@loop.command(
    examples={
        "lineage loop status": "every loop",
        "lineage loop status tutor": "one, with all its generations",
    },
    exits=[5],
)
@click.argument("name", required=False)
@at_option
@format_option(*_FORMATS)
@pass_app
def status(app: App, name: str | None, format_: str) -> None:
    """Show how far the loops are, and what holds them.

    All of them, or the one called NAME.
    """
    from lineage.loop.running.overview import loops

    if format_ != "human":
        _print(app, name, format_)
        return
    states = loops(app.registry, name)
    app.terminal.page(lines(app, states))
    if not states:
        app.terminal.say("no loop has run here yet")
        suggest(app, {"lineage loop init --text FILE": "writes loop.yaml"})


def _print(app: App, name: str | None, format_: str) -> None:
    from lineage.loop.running.overview import loops

    records = [loop_state(state) for state in loops(app.registry, name)]
    if format_ == "jsonl":
        app.terminal.write(map(json_line, records))
    else:
        app.terminal.write([document({"loops": records})])
