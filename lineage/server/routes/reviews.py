"""Reviews: what waits for a person, what was decided, what there is to see."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from lineage.registry import Registry
from lineage.server import models, paging
from lineage.server.cache import answer
from lineage.server.routes.asked import READER, REVISION, At, Revision, fails
from lineage.shapes.reviews import review, reviews_of

router = APIRouter(tags=["reviews"], dependencies=READER)


@router.get("/reviews", responses=fails(400, 404, 409), response_model=models.Reviews)
async def reviews(
    request: Request,
    *,
    everything: Annotated[
        bool, Query(alias="all", description="What was decided, too.")
    ] = False,
    at: At = None,
) -> Response:
    """List what waits for a person's verdict, newest first."""
    from lineage.loop.reviews.standing import Reviews

    def made(registry: Registry) -> dict[str, Any]:
        found = Reviews.read(paging.at(registry, at))
        return {"reviews": list(reviews_of(found, all_=everything))}

    return await answer(request, made)


@router.get(
    "/reviews/{revision:path}", responses=REVISION, response_model=models.ReviewShown
)
async def show(
    request: Request,
    revision: Revision,
    samples: Annotated[
        int | None,
        Query(
            ge=1,
            le=1000,
            description="Draw so many records at random, instead of those asked about.",
        ),
    ] = None,
    seed: Annotated[
        int | None, Query(ge=0, le=2**32, description="Draws them (0 unless given).")
    ] = None,
    *,
    blind: Annotated[
        bool, Query(description="Records alone, not what gates said.")
    ] = False,
) -> Response:
    """Give records, measures and gates to decide on: a generation, or a loop."""
    from lineage.loop.reviews.shown import shown
    from lineage.loop.reviews.standing import Reviews

    def made(registry: Registry) -> dict[str, Any]:
        found = Reviews.read(registry)
        subject = found.find(registry, revision)
        return review(
            shown(registry, found, subject, samples, seed), found, blind=blind
        )

    return await answer(request, made)
