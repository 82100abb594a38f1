"""Where the model steps run: quiet, offline, on so many threads, repeatable."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, UsageError

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
    require_torch()
    import torch
    import transformers

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


def require_torch() -> None:
    """Refuse a model step where what it needs is not installed."""
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        message = f"the built-in model steps need {error.name}"
        raise LineageError(message, hint=f"install it: {INSTALL}") from None


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
        what = first_line(error)
        message = f"transformers cannot load the model {folder.name[:12]}: {what}"
        hint = "a model is a save_pretrained folder with its weights as safetensors"
        raise LineageError(message, hint=hint) from None


def check_loadable(folder: Path, field: str) -> None:
    """Refuse a model folder whose config makes no causal language model.

    Builds it without weights, so it costs next to nothing and needs none.

    Raises:
        UsageError: says what transformers says about the spec's `field`.
    """
    require_torch()
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        with torch.device("meta"):
            AutoModelForCausalLM.from_config(config)
    except Exception as error:  # noqa: BLE001 - whatever a config class raises
        raise UsageError(f"{field}: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def context_length(config: Any) -> int | None:
    """How many tokens a model can see at once, where its config says so."""
    length = getattr(config, "max_position_embeddings", None)
    return length if isinstance(length, int) else None


def device() -> Any:
    """The accelerator, where there is one that torch sees; else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
