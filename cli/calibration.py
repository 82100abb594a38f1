"""What a calibration found, for people and for programs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.command import App
from lineage.cli.render import Column, Record, document, json_line, table
from lineage.cli.text import as_json
from lineage.wording import number

if TYPE_CHECKING:
    from lineage.loop.measuring.calibration import Calibration


def print_calibration(app: App, found: "Calibration", format_: str) -> None:
    """Print a table and the lines for `loop.yaml`, or JSON."""
    rows: list[Record] = [proposal._asdict() for proposal in found.proposals]
    if format_ == "jsonl":
        app.terminal.write(map(json_line, rows))
    elif format_ == "json":
        whole: Record = {
            "loop": found.loop,
            "generation": found.generation,
            "event": found.event,
            "seeds": found.seeds,
            "thresholds": rows,
        }
        app.terminal.write([document(whole)])
    else:
        app.terminal.page([*_table(app, rows), *_fragment(found)])


def _table(app: App, rows: list[Record]) -> Iterator[str]:
    """One line for each threshold."""
    yield from table(
        app.terminal,
        rows,
        [
            Column("gate", lambda row: str(row["gate"]), flexible=True),
            Column("threshold", lambda row: str(row["field"])),
            Column("mean", lambda row: _shown(row["mean"]), right=True),
            Column("sd", lambda row: _shown(row["sd"]), right=True),
            Column("now", lambda row: _shown(row["current"]), right=True),
            Column("proposed", lambda row: _shown(row["proposed"]), right=True),
            Column("", lambda row: str(row["why"]), below=True),
        ],
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else number(value)


def _fragment(found: "Calibration") -> Iterator[str]:
    """The fields as `loop.yaml` has them."""
    for gate, fields in found.changes().items():
        yield ""
        yield f"# {gate}"
        yield from (f"{key}: {as_json(value)}" for key, value in fields.items())
