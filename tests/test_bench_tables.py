"""What the benchmarks make of what they measured: medians, verdicts, text, drawings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from inline_snapshot import snapshot

from tests.bench import plot, results
from tests.bench.tables import Goal, Run, Sheet, Table, markdown, read

if TYPE_CHECKING:
    from pathlib import Path


def table() -> Table:
    """Three rounds of ours, of which a slow peer ran two."""
    ours = [Run(1.0, 0.5, 30_000_000), Run(1.2, 0.5, 31_000_000), Run(9.0, 0.5, 1)]
    peer = [Run(2.0, 2.0, 60_000_000), Run(4.0, 2.0, 60_000_000)]
    goals = [Goal("ours", "peer", 0.3), Goal("ours", "peer")]
    commands = {"ours": "do it", "peer": "do it && sync"}
    return Table("A file", {"ours": ours, "peer": peer}, commands, goals, ["Told."])


def result(time: str, *tables: Table | Sheet) -> dict[str, Any]:
    """One run as it is kept."""
    kept = [one.data() for one in tables]
    areas = {"get": {"rounds": 3, "quick": False, "seconds": 90, "tables": kept}}
    more = {"commit": "abc", "machine": "A machine", "missing": {"oxen": "pip"}}
    return {"time": f"{time}T10:00:00+00:00", **more, "areas": areas}


def test_a_ratio_is_the_median_over_rounds_in_which_both_ran() -> None:
    """The third round of ours has no counterpart: it says nothing of the ratio."""
    ratio = table().ratio("ours", "peer")
    assert (ratio.middle, ratio.low, ratio.high) == (0.4, 0.3, 0.5)


def test_a_table_comes_back_from_json_and_prints_the_same() -> None:
    """What is kept is all that is printed: medians, spread, verdicts and commands."""
    kept = json.loads(json.dumps(table().data()))
    assert markdown(read(kept)) == markdown(table())
    assert markdown(table()) == snapshot("""\
### A file

|  | runs | wall, median | from, to | CPU, median | peak memory |
|---|---:|---:|---:|---:|---:|
| ours | 3 | 1.20 s | 1.00 s, 9.00 s | 500 ms | 31 MB |
| peer | 2 | 3.00 s | 2.00 s, 4.00 s | 2.00 s | 60 MB |

| ratio | wall | CPU | goal |  |
|---|---:|---:|---:|---:|
| ours : peer | 0.40 (0.30 to 0.50) | 0.25 | wall ≤ 0.3 | missed |
| ours : peer | 0.40 (0.30 to 0.50) | 0.25 |  |  |

What ran:

- ours: `do it`
- peer: `do it && sync`

Told.
""")


def test_docs_get_the_tables_of_the_areas_that_ran(tmp_path: Path) -> None:
    """What stands between the marks of an area is replaced, nothing else is touched."""
    docs = tmp_path / "docs.md"
    docs.write_text(
        "Before.\n<!-- bench: get -->\nstale\n<!-- /bench: get -->\n"
        "Between.\n<!-- bench: read -->\nkept\n<!-- /bench: read -->\n"
    )
    assert results.write_docs(result("2026-01-02", table()), docs) == ["machine"]
    text = docs.read_text()
    assert "stale" not in text
    assert "| ours | 3 | 1.20 s |" in text
    assert text.startswith("Before.\n")
    assert text.endswith(
        "Between.\n<!-- bench: read -->\nkept\n<!-- /bench: read -->\n"
    )


def test_ratios_with_a_goal_are_drawn_over_time() -> None:
    """A chart for each, with the dates of the first and the last run."""
    sheet = Sheet(
        "Requests", ("", "per second"), [("ours", "7")], {"a : b": (0.9, 0.5)}
    )
    runs = [result("2026-01-02", table(), sheet), result("2026-03-04", table())]
    drawn = plot.svg(runs)
    assert {name: len(kept) for name, kept in plot.collected(runs).items()} == {
        ("A file", "ours : peer"): 2,
        ("Requests", "a : b"): 1,
    }
    assert drawn.count('class="curve"') == 2
    assert "2026-01-02" in drawn
    assert "2026-03-04" in drawn
