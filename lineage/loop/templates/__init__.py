"""What `loop init` and `demo` write: a folder of files for each kind of loop.

A folder has a `loop.yaml`, which runs as it stands, and what goes with it. Where one
is called `data.py`, it is run once in the new folder, to make the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

TEMPLATES = {
    "text": "a language model on your own text (the default)",
    "verified": "a small model that adds, and a verifier that drops wrong sums",
    "classifier": "a classifier that labels its own data (extra: gates; no torch)",
    "dpo": "the adder of verified, taught to prefer right sums (extra: trl)",
    "smollm2": "SmolLM2-135M with LoRA, on its own right answers (extras: peft, gguf)",
    "novelty": "a reward for novelty makes a model fabricate, and a gate stops it",
}

_HIDDEN = ("__init__.py", "__pycache__")


def files(name: str) -> list[str]:
    """The names of a template's files, loop.yaml first."""
    found = (path.name for path in _place(name).iterdir())
    ours = [file for file in found if file not in _HIDDEN]
    return sorted(ours, key=lambda file: (not file.startswith("loop.yaml"), file))


def read(name: str) -> str:
    """One file, such as `text/checks.py`."""
    return _place(name).read_text(encoding="utf-8")


def _place(name: str) -> Traversable:
    from importlib import resources

    return resources.files(__name__).joinpath(name)


def render(name: str, values: dict[str, Any]) -> str:
    """A file with its blanks filled in; a value that is missing is an error."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701 - YAML; values go through tojson
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return environment.from_string(read(name)).render(values)


def write(path: Path, text: str) -> None:
    """Make a new text file, whole or not at all; one that is there is an error."""
    with path.open("x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except BaseException:
            path.unlink()
            raise
