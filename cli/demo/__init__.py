"""`lineage demo`: the whole story on real text, from the first command to the last.

Every command that is shown is the real one, with its real output. Read `story`.
"""

import shlex
from importlib.util import find_spec
from pathlib import Path

import click

from lineage.cli.command import App, Command, pass_app
from lineage.errors import LineageError

_NUMBERS = ("numpy", "safetensors", "duckdb")
_MODELS = (*_NUMBERS, "accelerate", "tokenizers", "torch", "transformers")


@click.command(
    cls=Command,
    examples={
        "lineage demo": "in the new folder lineage-demo, in a few minutes",
        "lineage demo --fast": "the same in seconds, without torch",
        "lineage demo --fast --force /tmp/look": "and again, in a folder of its own",
    },
    exits=[130],
)
@click.argument("directory", metavar="[DIR]", default="lineage-demo", type=Path)
@click.option("--fast", is_flag=True, help="Models that numpy counts, one seed.")
@click.option("--force", is_flag=True, help="Replace DIR, if a demo made it.")
@pass_app
def demo(app: App, directory: Path, *, fast: bool, force: bool) -> None:
    """Watch the whole story: loops, a bad dataset, and what it takes.

    Makes a registry in DIR, lets models learn from Python's documentation and then
    from each other, has a gate stop data that are bad and a person let them through,
    and asks what they reached. Your keys and settings are not touched.
    """
    from lineage.cli.demo.folder import room
    from lineage.cli.demo.story import Story
    from lineage.loop.demo import FAST, FULL

    _check_installed(fast=fast)
    try:
        with room(directory, force=force):
            Story(app.terminal, directory, FAST if fast else FULL).run()
    except KeyboardInterrupt:
        words = ["lineage", "demo", *["--fast"] * fast, "--force", str(directory)]
        app.terminal.say(f"\ninterrupted: `{shlex.join(words)}` begins again")
        raise


def _check_installed(*, fast: bool) -> None:
    needed = _NUMBERS if fast else _MODELS
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        extra = "diff" if missing[0] in _NUMBERS else "loop"
        hint = f"pip install 'lineage-vcs[{extra}]'"
        if extra == "loop":
            hint += ", or `lineage demo --fast`, which needs none"
        raise LineageError(f"the demo needs {missing[0]}", hint=hint)
