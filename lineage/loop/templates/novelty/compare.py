"""Runs the loop three ways with three seeds, and prints what each made of the truth.

gate         loop.yaml as it is
no gate      the same, but nothing stops it
no reward    nor is anything selected: what the loop does by itself
"""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

SEEDS = (0, 1, 2)
WAYS = ("gate", "no gate", "no reward")


def section(way: str, seed: int) -> dict[str, Any]:
    """loop.yaml, changed as little as a way needs."""
    spec: dict[str, Any] = copy.deepcopy(
        yaml.safe_load(Path("loop.yaml").read_text("utf-8"))
    )
    spec |= {"name": f"{way.replace(' ', '-')}-{seed}", "seed": seed}
    if way != "gate":
        measure = {"max": 1.0, "max_over_reference": 1.0, "action": "warn"}
        spec["gates"] = [spec["gates"][0] | measure]
    if way == "no reward":
        del spec["selection"]
        spec["generation"]["num_candidates"] = 1
    return spec


def lineage(*args: str) -> tuple[int, Any]:
    """A command's exit code and its JSON."""
    command = [sys.executable, "-m", "lineage", *args, "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, json.loads(done.stdout or "null")


def run(way: str, seed: int) -> None:
    path = Path(f"{way.replace(' ', '-')}-{seed}.yaml")
    path.write_text(yaml.safe_dump(section(way, seed)), encoding="utf-8")
    code, told = lineage("loop", "run", str(path))
    (loop,) = told["loops"]
    rates = [made["metrics"]["fabrication_rate"] for made in loop["generations"][1:]]
    if code == 3:
        _, rejected = lineage("show", loop["subject"])
        rates.append(rejected["metrics"]["fabrication_rate"]["value"])
    shown = "  ".join(f"{rate:.3f}" for rate in rates)
    end = f"stopped, exit {code}" if code == 3 else f"exit {code}"
    print(f"{way:10}  {seed:4}  {shown:19}  {end}", flush=True)


def main() -> None:
    print("way         seed  fabrication rate of generations 1, 2, 3")
    for way in WAYS:
        for seed in SEEDS:
            run(way, seed)


if __name__ == "__main__":
    main()
