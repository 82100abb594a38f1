"""What `verify` says of a registry as JSON; docs/json.md describes it."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from lineage.shapes import Json

if TYPE_CHECKING:
    from lineage.verify import Verified


def verified(found: "Verified") -> Json:
    """What is not as recorded, and what else there is to say."""
    return {
        "checked": found.checked,
        "problems": [asdict(problem) for problem in found.problems],
        "notes": found.notes,
        "since": found.since and found.since._asdict(),
    }
