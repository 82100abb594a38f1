"""A generate step of one's own: instead of what the model writes, what was bought.

The seller said that people wrote it. Nobody asked where.
"""

import shutil
from pathlib import Path
from typing import Any

ORIGIN = {"type": "unknown", "source": "bought; the seller did not say"}


def generate(job: Any) -> dict[str, Any]:
    """Hand on the seller's records. No model of the loop wrote them: it has to say."""
    shutil.copy(Path(__file__).with_name("bought.jsonl"), job.output)
    return {"uses": [], "origin": ORIGIN}
