"""`lineage serve`: registries over HTTP."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Command, pass_app
from lineage.errors import LineageError, UsageError
from lineage.server.tokens import SCOPES
from lineage.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command(
    cls=Command,
    short_help="Serve the registry to programs and people over HTTP.",
    examples={
        "lineage serve": "on http://127.0.0.1:8800, for this machine alone",
        "lineage serve --host 0.0.0.0": "for other machines, once there is a token",
        "lineage serve tutor=/srv/tutor judge=/srv/judge": "/tutor/ and /judge/",
        "lineage serve --workers 4": "on more than one processor",
        "lineage serve --proxy 10.0.0.5 --proxy-scope review": (
            "behind a proxy that signs people in, and says who they are"
        ),
        "lineage serve --static site": "the pages as files in the folder site",
    },
    exits=[4, 5],
)
@click.argument("registries", nargs=-1, metavar="[DIR | NAME=DIR]...")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8800, show_default=True,
    metavar="PORT", help="0: any that is free; it is printed.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True,
    metavar="N", help="Processes that answer.",
)  # fmt: skip
@click.option(
    "--proxy", "proxies", multiple=True, metavar="ADDRESS",
    help="Believe X-Forwarded-User and X-Forwarded-Email from there; a network "
    "such as 10.0.0.0/8 too.",
)  # fmt: skip
@click.option(
    "--proxy-scope", "proxy_scopes", multiple=True, type=click.Choice(SCOPES),
    default=["read"], show_default=True, help="What those people may.",
)  # fmt: skip
@click.option(
    "--static", "folder", type=click.Path(path_type=Path), metavar="DIR",
    help="Serve nothing; write the pages as files.",
)  # fmt: skip
@pass_app
def serve(
    app: App,
    /,
    *,
    registries: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    proxies: tuple[str, ...],
    proxy_scopes: tuple[str, ...],
    folder: Path | None,
) -> None:
    """Serve registries until interrupted: an API below /api/v1, and pages.

    Without arguments it is the registry of the current folder. Several are served
    below their names, /NAME/. Until a registry has a token (`lineage token create`), it
    is there for this machine alone, and whoever asks is whoever runs the server.
    docs/server.md has proxies, services and backups; docs/threats.md what is kept out.

    With --static the same pages are written to a new folder DIR, with relative links:
    any web server can show them, and so can a browser from a disk.
    """
    _check_installed()
    if folder is not None:
        _write(app, _roots(app, registries), folder)
        return
    from lineage.server.running import Served, listen, run
    from lineage.server.settings import Settings

    settings = Settings(proxies=proxies, proxy_scopes=proxy_scopes)
    served = Served(_roots(app, registries), settings)
    served.check_host(host)
    with listen(host, port) as sock:
        place = f"[{host}]" if ":" in host else host
        app.terminal.write([f"http://{place}:{sock.getsockname()[1]}"])
        app.terminal.say(f"serving with {plural(workers, 'worker')}; Ctrl-C stops it")
        run(served, sock, workers)


def _write(app: App, roots: "Mapping[str, Path]", folder: Path) -> None:
    """Write the pages of one registry."""
    from lineage.server.written import write

    if len(roots) > 1:
        hint = "write each to a folder of its own"
        raise UsageError("--static takes one registry", hint=hint)
    [root] = roots.values()
    with app.terminal.telling() as tell:
        found = write(root, folder, lambda pages: tell(f"{pages:,} pages written"))
    app.terminal.write([str(folder / "index.html")])
    size = f"{found.size / 1e6:,.1f} MB"
    app.terminal.say(f"{plural(found.pages, 'page')}, {size}, written to {folder}")


def _check_installed() -> None:
    if not (find_spec("fastapi") and find_spec("uvicorn") and find_spec("httptools")):
        hint = "install it: pip install 'lineage-vcs[serve]'"
        raise LineageError("serving needs packages that are not here", hint=hint)


def _roots(app: App, given: tuple[str, ...]) -> "Mapping[str, Path]":
    """The registries that are meant, by the names that they are served below."""
    import lineage

    if not given:
        return {"": app.registry.root}
    pairs = [
        (name, Path(folder)) if is_named else ("", Path(name))
        for name, is_named, folder in (word.partition("=") for word in given)
    ]
    if len(pairs) > 1:
        pairs = [(name or path.absolute().name, path) for name, path in pairs]
    roots: dict[str, Path] = {}
    for name, path in pairs:
        if name in roots:
            hint = "name them: `lineage serve one=DIR two=DIR`"
            raise UsageError(f"two registries would be served as {name}", hint=hint)
        with lineage.open(path) as registry:
            roots[name] = registry.root
    return roots
