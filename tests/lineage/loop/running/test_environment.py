"""Circumstances say where a step ran and what it took."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from importlib.metadata import version

from lineage.loop.running.environment import Meter, environment


def test_the_environment_names_what_bits_depend_on() -> None:
    """Python, packages and threads; what is not installed is left out."""
    found = environment(3)
    assert found["python"] == platform.python_version()
    assert found["num_threads"] == 3
    assert found["packages"]["torch"] == version("torch")
    assert None not in found["packages"].values()


def test_torch_adds_what_it_computes_on() -> None:
    """Vector instructions change the last bits, so they are told."""
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    assert environment(1)["cpu_capability"] == capability


def test_a_meter_counts_this_process_and_its_commands() -> None:
    """Wall time, processor time of children too, peak memory in bytes."""
    meter = Meter()
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    time.sleep(0.01)
    found = meter.circumstances({"tokens": 100, "loss": 2.5})
    assert found["seconds"] >= 0.01
    assert found["cpu_seconds"] > 0
    assert found["peak_memory"] > 1e6
    assert found["tokens_per_second"] > 0
    assert found["loss"] == 2.5


def test_a_pace_is_that_of_this_run() -> None:
    """Tokens of a run before it took their time there."""
    meter = Meter()
    time.sleep(0.05)
    found = meter.circumstances({"tokens": 1000, "tokens_kept": 1000})
    assert found["tokens"] == 1000
    assert found["tokens_per_second"] == 0
