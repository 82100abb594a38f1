"""Reports: what is recorded of commits, in every format of `lineage report`."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from lineage.errors import NotFound
from lineage.registry import Registry
from lineage.server import paging
from lineage.server.cache import JSON, Given, answer
from lineage.server.routes.asked import LONGEST, READER, REVISION, At

router = APIRouter(tags=["reports"], dependencies=READER)

Format = Literal[
    "html", "json", "pdf", "md", "model-card", "dataset-card", "prov", "cyclonedx"
]
Audience = Literal["public", "downstream", "authority"]
_TYPES = {
    "html": "text/html",
    "json": JSON,
    "pdf": "application/pdf",
    "md": "text/markdown",
    "model-card": "text/markdown",
    "dataset-card": "text/markdown",
    "prov": JSON,
    "cyclonedx": "application/vnd.cyclonedx+json",
}
# A report is a document of its own: it runs nothing and asks nobody.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}

Revset = Annotated[
    str,
    Query(
        min_length=1,
        max_length=LONGEST,
        description="What the report is of (docs/revisions.md).",
        examples=["loop/tutor"],
    ),
]
Template = Annotated[
    str | None,
    Query(
        description="Answer what a law or a framework asks: the name of one of "
        "`lineage report --templates`.",
        max_length=100,
        examples=["eu-gpai"],
    ),
]


@router.get(
    "/reports",
    responses={**REVISION, 200: {"content": dict.fromkeys(_TYPES.values(), _BINARY)}},
    response_class=Response,
)
async def report(
    request: Request,
    *,
    revset: Revset = "HEAD",
    format: Format = "html",
    template: Template = None,
    audience: Annotated[
        Audience | None,
        Query(
            description="Leave out what is not for these readers. By default nothing "
            "is left out; cards are for the public."
        ),
    ] = None,
    at: At = None,
) -> Response:
    """Report what is recorded of commits and what nobody recorded.

    The signed formats (oms, in-toto) need a private key, which a server does not have.
    """

    def made(registry: Registry) -> Given:
        from lineage.audit.formats import FORMATS, audience_of
        from lineage.audit.given import Given as Needed

        then = paging.at(registry, at)
        found = _made(then, revset, audience or audience_of(format), template)
        body = FORMATS[format](found, Needed(then))
        headers = (("Content-Security-Policy", _POLICY),) if format == "html" else ()
        return Given(body, _TYPES[format], headers)

    return await answer(request, made)


@router.get(
    "/bundles",
    responses={**REVISION, 200: {"content": {"application/zip": _BINARY}}},
    response_class=FileResponse,
)
async def bundle(
    request: Request,
    revset: Revset = "HEAD",
    template: Template = None,
    payloads: Annotated[
        Literal["none", "metrics", "all"],
        Query(description="Put metrics and params, or all bytes, into it too."),
    ] = "none",
    at: At = None,
) -> FileResponse:
    """Give a report with all its proofs, for whoever trusts nobody (docs/bundle.md)."""
    folder = tempfile.TemporaryDirectory(prefix="lineage-bundle-")
    path = Path(folder.name, "bundle.zip")

    def made() -> None:
        from lineage.bundle import export

        with request.app.state.pool.lease() as registry:
            then = paging.at(registry, at)
            found = _made(then, revset, "authority", template)
            export(then, found, path, payloads=payloads)

    try:
        await run_in_threadpool(made)
    except BaseException:
        folder.cleanup()
        raise
    clean = BackgroundTask(folder.cleanup)
    kind = "application/zip"
    return FileResponse(path, media_type=kind, filename=path.name, background=clean)


def _made(registry: Registry, revset: str, whom: str, template: str | None) -> Any:
    from lineage.audit.obligations.filling import addressed
    from lineage.audit.obligations.template import built_in
    from lineage.audit.report import report as make

    asked = None
    if template is not None:
        known = {one.id: one for one in built_in()}
        if template not in known:  # a path means nothing here
            hint = "there are " + ", ".join(known)
            raise NotFound(f"no template is called {template!r}", hint=hint)
        asked = known[template]
    return addressed(make(registry, revset), whom, asked)
