"""What a loop's config says of reviews: by whom, of what, and what comes of a no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lineage.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.loop.spec.review import ReviewSpec
    from lineage.store.objects import Commit


def terms_of(load: Callable[[str], Commit], subject: str) -> ReviewSpec:
    """The `review` section of the config that a commit was made with.

    `load` gives the commit of an id.

    Raises:
        VerificationError: it is none that a loop of ours has written.
    """
    from pydantic import ValidationError

    from lineage.loop.spec.errors import sentence
    from lineage.loop.spec.review import ReviewSpec

    commit = load(subject)
    for id_ in commit.ids("includes", "configured_by"):
        config = load(id_)
        if config.kind == "config" and (said := config.params.get("review")):
            try:
                return ReviewSpec.model_validate(_given(said))
            except ValidationError as error:
                message = f"config {id_[:12]}: review.{sentence(error)}"
                raise VerificationError(message) from None
    return ReviewSpec()


def _given(review: object) -> object:
    """A config has every field: an empty `on` is a default, which nobody may write."""
    if isinstance(review, Mapping) and review.get("on") == []:
        return {key: value for key, value in review.items() if key != "on"}
    return review
