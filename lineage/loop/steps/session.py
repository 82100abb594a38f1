"""Where the model steps run: quiet, offline, on so many threads, repeatable."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    try:
        import torch
        import transformers
    except ImportError as error:
        message = f"the built-in {job.step} step needs {error.name}"
        raise LineageError(message, hint=f"install it: {INSTALL}") from None
    with ExitStack() as after:
        after.callback(torch.set_num_threads, torch.get_num_threads())
        after.callback(
            torch.use_deterministic_algorithms,
            torch.are_deterministic_algorithms_enabled(),
            warn_only=torch.is_deterministic_algorithms_warn_only_enabled(),
        )
        _silence(transformers.utils.logging, after)
        torch.set_num_threads(job.spec.num_threads)
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        transformers.set_seed(job.seed)
        yield


def _silence(logging: Any, after: ExitStack) -> None:
    after.callback(logging.set_verbosity, logging.get_verbosity())
    if logging.is_progress_bar_enabled():
        after.callback(logging.enable_progress_bar)
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_model(folder: Path) -> Any:
    """The causal language model of a `save_pretrained` folder, in float32.

    Raises:
        LineageError: when there is none; nothing is ever asked of a network, and no
            code that comes with a model is run.
    """
    from transformers import AutoModelForCausalLM

    try:
        return AutoModelForCausalLM.from_pretrained(
            folder, dtype="float32", local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        what = str(error).strip().splitlines()[0]
        message = f"{folder.name} is no model that transformers can load: {what}"
        hint = "a model is a save_pretrained folder with its weights as safetensors"
        raise LineageError(message, hint=hint) from None


def context_length(config: Any) -> int | None:
    """How many tokens a model can see at once, where its config says so."""
    length = getattr(config, "max_position_embeddings", None)
    return length if isinstance(length, int) else None


def device() -> Any:
    """The accelerator, where there is one that torch sees; else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
