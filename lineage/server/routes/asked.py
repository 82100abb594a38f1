"""What requests ask with: parameters that several resources have."""

from typing import Annotated, Any

from fastapi import Depends, Path, Query

from lineage.server.access import needs

READER = [Depends(needs("read"))]
LONGEST = 2000  # characters of an expression

Revision = Annotated[
    str,
    Path(
        description="A full id, a prefix of 4 digits or more, a branch, a tag, `HEAD`, "
        "or any expression that means one commit (docs/revisions.md). What ends like "
        "the name of a resource goes in parentheses: `(model/trace)`.",
        min_length=1,
        max_length=LONGEST,
        openapi_examples={
            "branch": {"value": "loop/tutor"},
            "before it": {"value": "loop/tutor~2"},
        },
    ),
]
Revsets = Annotated[
    list[str],
    Query(
        description="What to list, several times for their union: a revision with all "
        "that it came from, or an expression for exactly a set (docs/revisions.md). "
        "HEAD by default.",
        max_length=32,
        openapi_examples={
            "a branch": {"value": ["loop/tutor"]},
            "a set": {"value": ["descendants(dataset/seed) & kind(model)"]},
        },
    ),
]
Name = Annotated[str, Path(min_length=1, max_length=500)]  # of a ref, metric or loop
At = Annotated[
    str | None,
    Query(
        description="As it was then: a date, a time (RFC 3339), or the beginning of "
        "an event's id.",
        max_length=100,
    ),
]
Text = Annotated[str | None, Query(max_length=LONGEST)]


def fails(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a resource answers with, beside those that all do.

    `lineage.server.openapi` says what a problem looks like.
    """
    return {status: {"description": WHY[status]} for status in statuses}


WHY = {
    400: "It cannot be asked so: `detail` says how.",
    401: "No token, or none that counts.",
    403: "The scopes of the token do not allow it.",
    404: "There is no such thing.",
    408: "The body came too slowly.",
    409: "It means several (`candidates`), or is not so any more (`current`).",
    410: "The bytes were erased.",
    412: "It is not what the condition says.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is of another type.",
    416: "The file has no such range.",
    422: "The request is malformed, or what is recorded is damaged.",
    429: "Too much at once: `Retry-After` says when again.",
    431: "The headers are too long.",
    503: "The store cannot be used, or it takes too long.",
    507: "The disk is full; nothing was recorded.",
}
REVISION = fails(400, 404, 409)
