"""The description of the API: what FastAPI knows, with problems and tokens."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lineage.server import models
from lineage.server.problems import MEDIA_TYPE
from lineage.server.routes.asked import WHY

if TYPE_CHECKING:
    from fastapi import FastAPI

_TEXT = """\
Version control for AI feedback loops: what is recorded, what it is made of, what came
of it. `docs/api.md` is the guide, `docs/json.md` describes every shape.

Errors are problems (RFC 9457): `title` says what is wrong, `detail` what to do next.
Answers have strong ETags. Lists come in pages; `next` and the `Link` header lead on.
"""
_BY_ALL = (400, 401, 403, 414, 422, 429, 431, 503)  # every resource may answer so
_BY_WRITERS = (404, 408, 409, 412, 413, 415, 507)
_WRITING = {"post", "put", "patch", "delete"}
_OPEN = ("/health",)  # to whoever asks
_REF = {"$ref": "#/components/schemas/Problem"}


def install(app: "FastAPI") -> None:
    """Have `app` describe itself so."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _described(app: "FastAPI") -> dict[str, Any]:
    from fastapi.openapi.utils import get_openapi

    whole = get_openapi(
        title=app.title, version=app.version, routes=app.routes, description=_TEXT
    )
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # ours are problems
        schemas.pop(name, None)
    schemas["Problem"] = models.Problem.model_json_schema()
    whole["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "`lineage token create` makes one. Where there is none, "
            "whoever asks from the same machine needs none.",
        }
    }
    for path, operations in whole["paths"].items():
        for operation in operations.values():
            _complete(operation, is_open=path.endswith(_OPEN))
        for method in _WRITING & operations.keys():
            _fail(operations[method], _BY_WRITERS)
    return whole


def _complete(operation: dict[str, Any], *, is_open: bool) -> None:
    if not is_open:
        operation["security"] = [{"token": []}]
    _fail(operation, [s for s in _BY_ALL if not (is_open and s in (401, 403))])


def _fail(operation: dict[str, Any], statuses: Iterable[int]) -> None:
    """Say that an operation may answer so, and that problems are its way to."""
    responses = operation["responses"]
    for status in statuses:
        responses.setdefault(str(status), {"description": WHY[status]})
    for status, response in responses.items():
        if status >= "400":
            response["content"] = {MEDIA_TYPE: {"schema": _REF}}
    # what is not even HTTP is refused before anybody can make a problem of it
    responses["400"]["content"]["text/plain"] = {"schema": {"type": "string"}}
    operation["responses"] = dict(sorted(responses.items()))
