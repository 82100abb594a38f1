"""Branches and tags, for those who write: a name moves from where it was seen."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from lineage.names_ops import delete_branch, delete_tag, set_branch, set_tag
from lineage.server.incoming.given import Id, Text
from lineage.server.incoming.writer import REFUSED, Writes
from lineage.server.routes.asked import Name
from lineage.shapes.names import name_of

router = APIRouter(tags=["refs"])

Space = Literal["heads", "tags"]


class Target(BaseModel):
    """What a name is to mean, and what it means now."""

    target: Annotated[Text, Field(description="Any revision")]
    expected: Annotated[
        Id | None, Field(description="The id that it has; null: it is new")
    ] = None
    message: Text = ""


@router.put("/refs/{space}/{name:path}", responses=REFUSED)
def put(space: Space, name: Name, new: Target, writer: Writes) -> Any:
    """Move a branch from where it was seen, or give a tag, which never moves.

    Whoever was quicker is not run over: the answer is 409 then, with the `current` id.
    """
    registry, expect = writer.registry, new.expected or ""
    told = {"message": new.message}
    if space == "tags":
        set_tag(registry, name, new.target, **told)
    else:
        set_branch(registry, name, new.target, force=True, expect=expect, **told)
    target = registry.target(f"{space}/{name}")
    assert target is not None
    return name_of(registry, space, name, target)


@router.delete("/refs/{space}/{name:path}", status_code=204, responses=REFUSED)
def delete(
    space: Space,
    name: Name,
    writer: Writes,
    expected: Annotated[Id, Query(description="The id that it has")],
    message: Annotated[Text, Query()] = "",
) -> Response:
    """Let a name go, if it is where it was seen; that of a tag is never used again."""
    let_go = delete_tag if space == "tags" else delete_branch
    let_go(writer.registry, name, expect=expected, message=message)
    return Response(status_code=204)
