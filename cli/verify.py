"""`lineage verify`: is everything what its address says?"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.bundle_check import bundle_in, check_bundle, check_there
from lineage.cli.command import App, Command, complete_revision, format_option, pass_app
from lineage.cli.evidence import check_evidence
from lineage.cli.render import Column, csv_lines, document, json_line, listing
from lineage.errors import NotFound, UsageError
from lineage.shapes.verify import verified
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.verify import Verified

_FAILED = 3
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLUMNS = (
    Column("id", lambda r: (r["id"][:12], "id")),
    Column("path", lambda r: r["path"], flexible=True),
    Column("problem", lambda r: (r["what"], "bad")),
)


@click.command(
    cls=Command,
    short_help="Check that everything is as it was recorded.",
    examples={
        "lineage verify": "every commit, every file, the log, git's own files",
        "lineage verify model/tutor": "one commit",
        "lineage verify 'ancestors(model/tutor)'": "it and all that it came from",
        "lineage verify --remote": "what all remotes have, too",
        "lineage verify --since 3fa9c1d0…": "was history only added to since an event "
        "that you noted?",
        "lineage verify --evidence": "do the files bear out what edges claim?",
        "lineage verify bundle.zip --signers keys": "a bundle that somebody gave you, "
        "by the keys that you had from elsewhere: outside of any registry",
        "lineage verify --repair": "put right what can be put right",
        "lineage verify --repair --from ../clone": "with the help of another clone",
    },
    exits={0: "all is as recorded", 1: "failed: a file, a disk",
           2: "a bad option, or a file of keys that is none",
           3: "problems found, or a claim that the files contradict",
           4: "with --evidence: the key here may not sign",
           5: "no such revision or registry, or several"},
)  # fmt: skip
@click.argument(
    "revisions",
    metavar="[REVSET]...|FILE.zip",
    nargs=-1,
    shell_complete=complete_revision,
)
@click.option(
    "--remote",
    metavar="[NAME]",
    is_flag=False,
    flag_value="",
    help="Check a remote, too: its log, and all objects of its DVC remote.",
)
@click.option(
    "--since", metavar="EVENT", help="Check that nothing up to EVENT has changed."
)
@click.option("--repair", "mend", is_flag=True, help="Repair what can be repaired.")
@click.option(
    "--from",
    "sources",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another clone or cache to repair from.",
)
@click.option(
    "--evidence",
    is_flag=True,
    help="Instead, look whether the files bear out what edges claim, and record by "
    "an event of each commit what they verify or contradict.",
)
@click.option(
    "--signers",
    metavar="FILE",
    type=_FILE,
    help="Of a bundle: the keys that may sign, as `lineage key list --format "
    "allowed-signers` writes them.",
)
@click.option(
    "--revoked",
    metavar="FILE",
    type=_FILE,
    help="Of a bundle: keys that nothing is believed of, one a line.",
)
@click.option(
    "--anchor",
    metavar="FINGERPRINT",
    help="Of a bundle: the key that trust starts from.",
)
@click.option(
    "--entries",
    metavar="N",
    type=click.IntRange(min=1),
    help="Of a bundle: take up to N files.  [default: 65,535]",
)
@click.option(
    "--tsa-ca",
    metavar="FILE",
    type=_FILE,
    help="Of a bundle or the log: certificates, in PEM, that time stamps have to lead "
    "to.",
)
@click.option("--dry-run", is_flag=True, help="With --evidence: record nothing.")
@format_option("json", "jsonl", "csv", "md")
@pass_app
def verify(
    app: App,
    /,
    *,
    revisions: tuple[str, ...],
    remote: str | None,
    since: str | None,
    mend: bool,
    sources: tuple[Path, ...],
    evidence: bool,
    signers: Path | None,
    revoked: Path | None,
    anchor: str | None,
    entries: int | None,
    tsa_ca: Path | None,
    dry_run: bool,
    format_: str,
) -> int:
    """Read the commits of REVSET (by default all, and the log) and their files again.

    Every manifest, file list, file and event is compared with the SHA-256 that
    names it, git checks its own objects, and what is derived is compared with what
    it came from. Files that `dvc gc` took from the cache are put back. With --repair
    damaged objects move to a trash, and copies that are whole take their place: from
    the cache, other clones, the place that a file was committed from, the DVC remote
    and git remotes.

    --since proves that the log was only added to since an event that you noted (its
    id, as a report or `lineage events --format json` gave it): by the SHA-256 of each
    event in the one after it, whoever holds the keys.

    FILE.zip is a bundle that `lineage report --format bundle` wrote, or the folder
    that one was unpacked to. It is checked by itself, wherever you are, by what you
    hold from elsewhere: docs/bundle.md says what each check proves, and how to do it
    without lineage.

    --evidence looks at edges: are a mixed dataset's records those of its parents, in
    the shares that were recorded? Do a fine-tune's weights come from the model that
    it names? docs/evidence.md says what each look proves, and what it does not.
    """
    if (bundle := bundle_in(revisions)) is not None:
        if mend or sources or evidence or dry_run or remote is not None:
            raise UsageError("a bundle is only read: leave the other options out")
        from lineage.bundle_check import Held

        held = Held(signers, revoked, since, tsa_ca, anchor)
        return check_bundle(app, bundle, held, entries, format_)
    if signers or revoked or anchor or entries:
        check_there(revisions)
        hint = "name the bundle: `lineage verify FILE.zip --signers KEYS`"
        raise UsageError("what you hold is for a bundle", hint=hint)
    from lineage.repair import repair
    from lineage.timestamps import roots_of

    if sources and not mend:
        raise UsageError("--from goes with --repair")
    if evidence:
        if mend or remote is not None or since is not None or tsa_ca:
            raise UsageError("--evidence goes alone, but for --dry-run")
        return check_evidence(app, revisions, format_, dry_run=dry_run)
    if dry_run:
        raise UsageError("--dry-run goes with --evidence")
    if tsa_ca and revisions:
        hint = "name no REVSET: `lineage verify --tsa-ca FILE`"
        raise UsageError("time stamps are of the log, not of commits", hint=hint)
    roots = roots_of(app.registry, tsa_ca)
    asked: Any = {"remote": remote, "noted": since, "roots": roots}
    found = _checked(app, revisions, asked)
    repaired: list[str] = []
    if mend and found.problems:
        repaired = repair(app.registry, found, sources=sources, remote=remote)
        found = _checked(app, revisions, asked)
    _print(app, found, repaired, format_)
    return _FAILED if found.problems else 0


def _checked(app: App, revisions: tuple[str, ...], asked: Any) -> "Verified":
    from lineage.verify import verify as check

    try:
        with app.terminal.progress("verifying") as progress:
            return check(app.registry, revisions, **asked, progress=progress)
    except NotFound:
        check_there(revisions)
        raise


def _print(app: App, found: "Verified", repaired: list[str], format_: str) -> None:
    problems = [asdict(problem) for problem in found.problems]
    if format_ == "json":
        app.terminal.write([document({**verified(found), "repaired": repaired})])
    elif format_ == "jsonl":
        app.terminal.write(map(json_line, problems))
    elif format_ == "csv":
        app.terminal.write(csv_lines(problems, ("id", "path", "what", "object")))
    else:
        listing(app.terminal, format_, "problems", problems, _COLUMNS)
    for sentence in (*(f"repaired: {what}" for what in repaired), *found.notes):
        app.terminal.say(sentence)
    checked = plural(found.checked, "commit")
    count = plural(len(problems), "problem") if problems else "all as recorded"
    app.terminal.say(f"{checked} checked: {count}")
