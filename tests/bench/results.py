"""Results: one JSON file per day and commit, and the docs that are made of them."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.tables import markdown, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.bench.tables import Sheet, Table

_ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "results"
DOCS = _ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- {} -->\n", "<!-- /{} -->\n"


def about(machine: str, missing: Mapping[str, str]) -> dict[str, Any]:
    """What holds for a whole run: when, of which commit, where, beside whom not."""
    ours = (f":(top,exclude){path.relative_to(_ROOT)}" for path in (HERE, DOCS))
    status = _git("status", "--porcelain", "-uno", "--", ":/", *ours)
    changed = "-changed" if status else ""
    return {
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short=10", "HEAD") + changed,
        "machine": machine,
        "missing": dict(missing),
    }


def place(about: Mapping[str, Any]) -> Path:
    """Where the results of a day and a commit are kept."""
    return HERE / f"{about['time'][:10]}-{about['commit']}.json"


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=HERE.parent, capture_output=True, text=True, check=True
    ).stdout.strip()


def keep(
    path: Path,
    about: Mapping[str, Any],
    area: str,
    tables: Sequence[Table | Sheet],
    **more: Any,
) -> None:
    """Put an area's tables into a file, beside those of other areas of the same run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = load(path)["areas"] if path.exists() else {}
    kept[area] = {**more, "tables": [table.data() for table in tables]}
    text = json.dumps({**about, "areas": kept}, ensure_ascii=False, indent=1)
    path.write_text(f"{text}\n", encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    """A kept result."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def page(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Markdown by name: that of the machine, and that of each area."""
    missing = "; ".join(f"{n}: {how}" for n, how in result["missing"].items())
    lines = [f"{result['machine']}.", *([f"Not here: {missing}."] if missing else [])]
    yield "machine", "\n\n".join(lines) + "\n"
    for area, of in result["areas"].items():
        how = f"{area} --rounds {of['rounds']}" + " --quick" * of["quick"]
        told = f"`run.py {how}` on {result['time'][:10]}"
        told += f" at {result['commit']}, {of['seconds'] / 60:.1f} minutes."
        tables = [markdown(read(table)) for table in of["tables"]]
        yield area, "\n".join((f"*{told}*\n", *tables))


def print_page(result: Mapping[str, Any]) -> None:
    """The whole of it."""
    for _, text in page(result):
        print(text)


def write_docs(result: Mapping[str, Any], docs: Path = DOCS) -> list[str]:
    """Replace what the docs have between marks; returns areas that have no place."""
    text, lost = docs.read_text("utf-8"), []
    for name, body in page(result):
        begin, end = _BEGIN.format(f"bench: {name}"), _END.format(f"bench: {name}")
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if found and closed:
            text = f"{before}{begin}{body}{end}{after}"
        else:
            lost.append(name)
    docs.write_text(text, encoding="utf-8")
    return lost
