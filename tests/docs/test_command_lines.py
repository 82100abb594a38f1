"""No page names a command or an option that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.command_lines import command_lines, unknown

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
)


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_exist(page: str) -> None:
    """Every `lineage …` that a page shows is one that the command line takes."""
    text = (ROOT / page).read_text(encoding="utf-8")
    wrong = [
        f"{page}:{number}: {line}\n    {problem}"
        for number, line in command_lines(text)
        if (problem := unknown(line))
    ]
    assert not wrong, "\n" + "\n".join(wrong)


TEXT = """\
Say `lineage log --al` or `lineage log --metric`, not `lineage.open`.

    lineage comit | LINEAGE_COLOR=never lineage -C http://localhost:1/x show --at …

| `lineage show --format yaml` |
|---|
| `lineage COMMAND --help` |

```console
$ git log && lineage loop \\
> stat
lineage says --something
```
"""


def test_what_does_not_exist_is_found() -> None:
    """In code, in tables, behind a prompt; what a command prints is no command."""
    found = [(unknown(line), line) for _, line in command_lines(TEXT)]
    assert [line for problem, line in found if not problem] == [
        "lineage log --metric",
        "lineage COMMAND --help",
    ]
    wrong = [line.split()[-1] for problem, line in found if problem]
    assert wrong == ["--al", "…", "yaml", "stat"]
    assert [problem for problem, _ in found if problem][1::2] == [
        "no such command 'comit'",
        "no such command 'stat'",
    ]
