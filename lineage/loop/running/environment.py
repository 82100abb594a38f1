"""The circumstances of a step: where it ran, what it took. They go into events."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

# What a step's bits depend on.
_PACKAGES = (
    "accelerate",
    "lineage-vcs",
    "numpy",
    "peft",
    "safetensors",
    "tokenizers",
    "torch",
    "transformers",
    "trl",
)


def environment(num_threads: int) -> dict[str, Any]:
    """Python, platform, packages and threads: the same bits need the same of these."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "num_threads": num_threads,
        "packages": _packages(),
        **_devices(),
    }


@cache
def _packages() -> dict[str, str]:
    return {name: found for name in _PACKAGES if (found := _version(name))}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _devices() -> dict[str, Any]:
    """What torch computes on, once a step has loaded it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    gpus = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    capability = torch.backends.cpu.get_cpu_capability()
    return {"cpu_capability": capability} | ({"gpus": gpus} if gpus else {})


class Meter:
    """Measures what passes between its making and `circumstances`."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), _cpu_seconds()
        _forget_peaks()

    def circumstances(self, said: dict[str, Any]) -> dict[str, Any]:
        """Seconds and memory, with what the step itself `said` and its pace.

        `peak_memory` is the largest resident size in bytes that this process has
        had so far, or a command of it, whichever is larger.
        """
        seconds = time.monotonic() - self._wall
        found = {
            "seconds": round(seconds, 3),
            "cpu_seconds": round(_cpu_seconds() - self._cpu, 3),
            "peak_memory": _peak_memory(),
        }
        if gpus := _gpus_used():
            found["gpu_seconds"] = round(seconds * gpus, 3)
            found["gpu_seconds"] = said.get("gpu_seconds", found["gpu_seconds"])
        tokens = said.get("tokens")
        if isinstance(tokens, int) and seconds > 0:
            tokens -= said.get("tokens_kept", 0)  # of a run before this one
            found["tokens_per_second"] = round(tokens / seconds, 1)
        return {**said, **found}


def _cuda() -> Any:
    """CUDA of torch, where a step has begun to use it."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch and torch.cuda.is_initialized() else None


def _forget_peaks() -> None:
    if cuda := _cuda():
        for number in range(cuda.device_count()):
            cuda.reset_peak_memory_stats(number)


def _gpus_used() -> int:
    """How many GPUs this process has had memory on since peaks were forgotten."""
    cuda = _cuda()
    numbers = range(cuda.device_count()) if cuda else ()
    return sum(cuda.max_memory_allocated(number) > 0 for number in numbers)


def _cpu_seconds() -> float:
    """Of this process and of the commands that it waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak_memory() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(each).ru_maxrss for each in who) * unit
