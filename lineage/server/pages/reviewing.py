"""The addresses of reviews: looking, and deciding."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from lineage.errors import LineageError, UsageError
from lineage.loop.reviews.deciding import Word
from lineage.server import problems, verdicts
from lineage.server.access import Leased, Principal, needs
from lineage.server.pages import reviews
from lineage.server.pages.forms import Form
from lineage.server.pages.serving import Pages

router = APIRouter(include_in_schema=False)
Reader = Annotated[Principal, Depends(needs("read"))]
Reviewer = Annotated[Principal, Depends(needs("review"))]


@router.get("/reviews")
def at_reviews(site: Pages, registry: Leased) -> Response:
    """What waits for people."""
    return HTMLResponse(reviews.queue(site, registry))


@router.get("/reviews/{subject:path}")
def at_review(
    subject: str, site: Pages, registry: Leased, who: Reader, all: int = 0
) -> Response:
    """One review, blind unless all is asked for."""
    may = site.live and "review" in who.scopes
    return HTMLResponse(
        reviews.one(site, registry, subject, may=may, open_=bool(all) or not site.live)
    )


@router.post("/reviews/{subject:path}")
def decide(
    subject: str, site: Pages, registry: Leased, who: Reviewer, form: Form
) -> Response:
    """Record a verdict, and go back to the queue; say on the page why it was not."""
    note, packet = form.get("note", "").strip(), form.get("packet")
    try:
        word = _word(form)
        verdicts.give(registry, who, subject, word, note=note, packet=packet)
    except LineageError as error:
        page = reviews.one(
            site, registry, subject, may=True, open_=True, error=error, note=note
        )
        return HTMLResponse(page, problems.status_of(error))
    return RedirectResponse(site.href("reviews"), 303)


def _word(form: dict[str, str]) -> Word:
    if form.get("verdict") not in ("approve", "reject"):
        raise UsageError("a verdict is to approve or to reject", hint="say which")
    return cast("Word", form["verdict"])
