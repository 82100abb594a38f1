"""Where the model steps run: quiet, offline, on so many threads, repeatable."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.loop.steps.protocol import Job

INSTALL = "pip install 'lineage-vcs[loop]'"


@contextmanager
def session(job: Job) -> Iterator[None]:
    """Set threads, seeds, deterministic algorithms and silence; put them back after.

    The same job then gives the same bits in the same environment (versions,
    processor, number of threads); nothing more is promised, as PyTorch promises
    nothing more.

    Raises:
        LineageError: when torch or transformers is not installed.
    """
    require_torch()
    import torch
    import transformers

    with quiet(), ExitStack() as after:
        after.callback(torch.set_num_threads, torch.get_num_threads())
        after.callback(
            torch.use_deterministic_algorithms,
            torch.are_deterministic_algorithms_enabled(),
            warn_only=torch.is_deterministic_algorithms_warn_only_enabled(),
        )
        torch.set_num_threads(job.spec.num_threads)
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        transformers.set_seed(job.seed)
        yield


def require_torch() -> None:
    """Refuse a model step where what it needs is not installed."""
    for name in ("torch", "transformers"):
        if find_spec(name) is None:
            message = f"the built-in model steps need {name}"
            raise LineageError(message, hint=f"install it: {INSTALL}")
    with quiet():
        import torch  # noqa: F401
        import transformers  # noqa: F401


def device() -> Any:
    """The accelerator, where there is one that torch sees; else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
