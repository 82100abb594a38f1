"""Errors as RFC 9457 problems: the one boundary of the server."""

from typing import TYPE_CHECKING, Any

from lineage import errors

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
STATUS: dict[type[errors.LineageError], int] = {
    errors.Ambiguous: 409,
    errors.Conflict: 409,
    errors.GateFailed: 422,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.UsageError: 400,
    errors.VerificationError: 422,
    errors.WaitingForReview: 409,
    errors.StoreError: 503,
}


def problem(status: int, title: str, detail: str = "", **more: Any) -> "JSONResponse":
    """A response that says what went wrong and what to do next."""
    from fastapi.responses import JSONResponse

    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse({**body, **more}, status, media_type=MEDIA_TYPE)


def install(app: "FastAPI") -> None:
    """Have `app` answer with problems."""

    async def failed(_: "Request", error: Exception) -> "JSONResponse":
        assert isinstance(error, errors.LineageError)
        kinds = type(error).__mro__
        status = next((STATUS[kind] for kind in kinds if kind in STATUS), 500)
        return problem(status, str(error), error.hint)

    app.add_exception_handler(errors.LineageError, failed)
