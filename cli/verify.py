"""`lineage verify`: is everything what its address says?"""

from dataclasses import asdict

import click

from lineage.cli.command import App, Command, complete_revision, format_option, pass_app
from lineage.cli.render import Column, csv_lines, document, json_line, listing
from lineage.cli.text import plural

_FAILED = 3
_COLUMNS = (
    Column("commit", lambda r: (r["id"][:12], "id")),
    Column("path", lambda r: r["path"], flexible=True),
    Column("problem", lambda r: (r["what"], "bad")),
)


@click.command(
    cls=Command,
    short_help="Check that everything is as it was recorded.",
    examples={
        "lineage verify": "every commit, every file, the log",
        "lineage verify model/tutor": "one commit",
        "lineage verify 'ancestors(model/tutor)'": "it and all that it came from",
    },
    exits={0: "all is as recorded", 1: "failed: a file, a disk", 3: "problems found",
           5: "no such revision or registry, or several"},
)  # fmt: skip
@click.argument(
    "revisions", metavar="[REVSET]...", nargs=-1, shell_complete=complete_revision
)
@format_option("json", "jsonl", "csv", "md")
@pass_app
def verify(app: App, revisions: tuple[str, ...], format_: str) -> int:
    """Read the commits of REVSET (by default all, and the log) and their files again.

    Every manifest, file list, file and event is compared with the SHA-256 that
    names it. Cache files that `dvc gc` removed are put back where we kept them.
    """
    from lineage.verify import verify as check

    with app.terminal.progress("verifying") as progress:
        found = check(app.registry, revisions, progress=progress)
    problems = [asdict(problem) for problem in found.problems]
    if format_ == "json":
        app.terminal.write(
            [
                document(
                    {
                        "checked": found.checked,
                        "problems": problems,
                        "notes": found.notes,
                    }
                )
            ]
        )
    elif format_ == "jsonl":
        app.terminal.write(map(json_line, problems))
    elif format_ == "csv":
        app.terminal.write(csv_lines(problems, ("id", "path", "what", "object")))
    else:
        listing(app.terminal, format_, "problems", problems, _COLUMNS)
    for note in found.notes:
        app.terminal.say(note)
    checked = plural(found.checked, "commit")
    count = plural(len(problems), "problem") if problems else "all as recorded"
    app.terminal.say(f"{checked} checked: {count}")
    return _FAILED if problems else 0
