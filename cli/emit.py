"""`lineage emit`: what was recorded, as OpenLineage run events."""

import click

from lineage.cli.command import App, Command, at_option, complete_revision, pass_app
from lineage.cli.text import as_json
from lineage.errors import UsageError
from lineage.wording import plural


@click.command(
    cls=Command,
    short_help="Send what was recorded as OpenLineage events.",
    examples={
        "lineage config openlineage.url http://marquez:5000": "each commit from now on",
        "lineage emit": "send what is not sent yet, and see whether it arrives",
        "lineage emit --print model/tutor": "the event of a commit, as JSON",
    },
    exits=[5],
)
@click.argument(
    "revsets", metavar="[REVSET]...", nargs=-1, shell_complete=complete_revision
)
@click.option("--print", "shown", is_flag=True, help="Print events, send nothing.")
@at_option
@pass_app
def emit(app: App, /, *, revsets: tuple[str, ...], shown: bool) -> None:
    """Send what is not sent yet to where openlineage.url or openlineage.file says.

    Once one of them is set, each commit is sent by itself, beside whoever records it;
    this says what is wrong when nothing arrives. With --print the events of REVSET
    (by default of all that is recorded) go to stdout, one a line. docs/openlineage.md
    says what is called what.
    """
    if not shown:
        if revsets:
            hint = "add --print: what is sent is all that is not sent yet"
            raise UsageError("a REVSET is for --print", hint=hint)
        from lineage.integrations.openlineage.sending import send

        app.terminal.say(f"{plural(send(app.registry), 'event')} sent")
        return
    from lineage.integrations.openlineage.outgoing import run_event

    registry = app.registry
    for id_ in reversed(registry.select(*(revsets or ("all()",)))):
        commit = registry.load(id_)
        if commit.kind in ("dataset", "model"):
            event = registry.first_event(id_)
            app.terminal.write([as_json(run_event(registry, commit, event))])
