"""A small GPT on the text of Python's own documentation. All steps are built in.

python steps.py    # writes text.txt
"""

from __future__ import annotations

from pathlib import Path
from pydoc_data.topics import topics


def prepare(folder: Path, seed: int) -> None:  # noqa: ARG001 - the text is what it is
    """The topics of `help()`, which come with Python."""
    text = "\n\n".join(topics[name] for name in sorted(topics))
    (folder / "text.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    prepare(Path(), 0)
