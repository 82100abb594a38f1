"""`lineage serve`: the registry over HTTP."""

import click

from lineage.cli.command import App, Command, pass_app


@click.command(
    cls=Command,
    short_help="Serve the registry to programs and people over HTTP.",
    examples={"lineage serve": "on http://127.0.0.1:8800, for this machine alone"},
    exits=[0, 1, 2, 5],
)
@click.option("--port", type=click.IntRange(0, 65535), default=8800, show_default=True)
@pass_app
def serve(app: App, /, *, port: int) -> None:
    """Serve the registry until interrupted."""
    import uvicorn

    from lineage.server.app import create_app

    uvicorn.run(create_app(app.registry.root), port=port, log_level="warning")
