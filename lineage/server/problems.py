"""Errors as RFC 9457 problems."""

import errno
from typing import Any

from fastapi.responses import JSONResponse

from lineage import errors

MEDIA_TYPE = "application/problem+json"
STATUS: dict[type[errors.LineageError], int] = {
    errors.Ambiguous: 409,
    errors.Conflict: 409,
    errors.GateFailed: 422,
    errors.Lacking: 409,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Unauthenticated: 401,
    errors.UsageError: 400,
    errors.VerificationError: 422,
    errors.WaitingForReview: 409,
    errors.StoreError: 503,
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PROOF = {"WWW-Authenticate": 'Bearer realm="lineage", Basic realm="lineage"'}


def problem(
    status: int,
    title: str,
    detail: str = "",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """A response that says what went wrong and what to do next."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    proof = _PROOF if status == 401 else {}
    given = {**proof, **(headers or {})}
    return JSONResponse({**body, **more}, status, given, media_type=MEDIA_TYPE)


def status_of(error: errors.LineageError) -> int:
    """The status of an error; a full disk is 507 wherever it showed."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in _FULL:
        return 507
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def of(error: errors.LineageError) -> JSONResponse:
    """An error as a response."""
    more: dict[str, Any] = {}
    if isinstance(error, errors.Ambiguous):
        more["candidates"] = list(error.candidates)
    if isinstance(error, errors.Moved):
        more["current"] = error.current
    if isinstance(error, errors.Lacking):
        more["lacking"] = error.files
    if error.details:
        more["details"] = list(error.details)
    wait = {"Retry-After": "1"} if isinstance(error, errors.Busy) else None
    return problem(status_of(error), str(error), error.hint, wait, **more)


def failure(error: Exception) -> JSONResponse:
    """What nobody foresaw, as a response."""
    detail = "the server's own log says more"
    return problem(500, f"the server failed ({type(error).__name__})", detail)
