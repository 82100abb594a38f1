"""How unlikely generation 0's model finds each record: the worst ones to look at.

One yardstick for all generations: a model that drifts finds its own drift likely.
The loss of a record is the mean negative log-likelihood of its tokens, in nats.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.checkout import get
from lineage.errors import LineageError
from lineage.loop.steps.likelihood import likelihoods
from lineage.loop.steps.protocol import Job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lineage.loop.reviews.packet import Losses
    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry


def losses_under(registry: Registry, model: str, spec: LoopSpec) -> Losses:
    """A function from texts to their losses under the model commit `model`."""

    def losses(texts: Sequence[str]) -> tuple[list[float | None], str]:
        try:
            with _folder(registry, model) as folder:
                return _measured(folder, texts, spec), ""
        except LineageError as error:
            return [], f"not available: {error}"

    return losses


@contextmanager
def _folder(registry: Registry, model: str) -> Iterator[Path]:
    """The model's files, where it is one that transformers may know."""
    if not any(file.path == "config.json" for file in registry.files(model)):
        raise LineageError("generation 0's model is no transformers model")
    work = registry.home / "loops"
    work.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".review-", dir=work) as parent:
        yield get(registry, model, Path(parent) / "model")


def _measured(folder: Path, texts: Sequence[str], spec: LoopSpec) -> list[float | None]:
    """The mean loss of each text; None for one without tokens."""
    job = Job("review", 0, 0, spec.seed, spec, {}, {}, folder, folder)
    found = likelihoods(job, folder, texts)
    return [-one.per_token if one.tokens else None for one in found]
