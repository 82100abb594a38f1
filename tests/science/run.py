"""The science of feedback loops, reproduced: what `make science` runs.

    python tests/science/run.py [--only NAME…] [--in DIR]

Prints tables, ours beside the papers'; docs/science.md explains them and holds one
run's. With --in the registry stays, to be looked at with `lineage log` and the others.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.science import forms
from tests.science.closed_forms import theory
from tests.science.experiments import EXPERIMENTS
from tests.science.harness import lab

if TYPE_CHECKING:
    from tests.science.experiments import Experiment, Outcomes
    from tests.science.harness import Lab

SEED = 0
GENERATIONS = 10
FORMS = "closed_forms"


def main() -> None:
    parser = argparse.ArgumentParser(description="Reproduce the science of loops.")
    names = [FORMS, *EXPERIMENTS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME")
    parser.add_argument("--in", dest="place", type=Path, metavar="DIR", help="keep all")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineage-science-") as top:
        place = given.place or Path(top) / "registry"
        with lab(place) as where:
            for name in given.only or names:
                begun, spent = time.monotonic(), _cpu()
                closed_forms(where) if name == FORMS else show(EXPERIMENTS[name], where)
                wall, cpu = time.monotonic() - begun, _cpu() - spent
                print(f"\n{wall:.0f} s, {cpu:.0f} s of them CPU.\n", flush=True)


def _cpu() -> float:
    """Seconds of CPU of this process and of those that it waited for."""
    return sum(os.times()[:4])


def closed_forms(where: Lab) -> None:
    """Every formula beside the mean over replicas."""
    print(f"### Closed forms, seed {SEED}\n")
    print(
        "| loop | measure | fits | replicas | ours ± s.e. | theory | apart | verdict |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---|")
    for form in forms.FORMS:
        for found in form.run(where, SEED, GENERATIONS):
            _row(found)
    for rows, percent in ((400, 10), (400, 30), (2000, 10), (2000, 30)):
        _row(forms.collapse(where, SEED, rows, percent))
    for found in forms.tails(where, SEED):
        _row(found)
    worlds = forms.breakdown(where, SEED)
    print("\n| verifier phi, psi | p* | wrong labels | accuracy | verdict |")
    print("|---|---:|---:|---:|---|")
    for world in worlds:
        limit = theory.breakdown(world.phi, world.psi)
        sound = (world.accuracy > 0.5) == (world.wrong < limit)
        print(
            f"| {world.phi}, {world.psi} | {limit:.3f} | {world.wrong:.3f} "
            f"| {world.accuracy:.5f} | {'reproduced' if sound else 'not reproduced'} |"
        )


def _row(found: forms.Found) -> None:
    verdict = "reproduced" if found.agrees else "not reproduced"
    print(
        f"| {found.form} | {found.what} | {found.fits} | {found.replicas} "
        f"| {found.mean:.4f} ± {found.error:.4f} | {found.theory:.4f} "
        f"| {found.off:+.1f} s.e. | {verdict} |",
        flush=True,
    )


def show(experiment: Experiment, where: Lab) -> None:
    """An experiment's curves and claims."""
    seeds = experiment.seeds
    listed = ", ".join(map(str, seeds))
    print(f"### {experiment.title}\n\n`{experiment.folder}`, seeds {listed}.\n")
    outcomes = experiment.run(where, seeds)
    heads = "".join(f" g{number} |" for number in experiment.shown)
    print(f"| loop | measure |{heads}\n|---|---|{'---:|' * len(experiment.shown)}")
    for regime, runs in outcomes.items():
        for metric in experiment.metrics:
            cells = [
                _cell([r.at_generation(metric, g) for r in runs])
                for g in experiment.shown
            ]
            print(f"| {regime} | {metric} | {' | '.join(cells)} |")
    for regime, runs in outcomes.items():
        for seed, run in zip(seeds, runs, strict=True):
            if run.stopped:
                print(f"\n{regime}, seed {seed}: {run.stopped}")
    _claims(experiment, outcomes)


def _claims(experiment: Experiment, outcomes: Outcomes) -> None:
    print("\n| claim | the papers | here |\n|---|---|---|")
    for claim in experiment.claims:
        verdict = experiment.verdict(claim, outcomes)
        print(f"| {claim.says} | {claim.paper} | {verdict} |")


def _cell(values: list[float | None]) -> str:
    """A mean over seeds; with three its 95 % interval by Student's t."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    text = f"{statistics.fmean(known):.3g}"
    if len(known) == 2:
        return f"{text} ({min(known):.3g}, {max(known):.3g})"
    if len(known) > 2:
        from scipy.stats import t

        half = t.ppf(0.975, len(known) - 1) * statistics.stdev(known)
        text += f" ± {half / math.sqrt(len(known)):.2g}"
    return text


if __name__ == "__main__":
    main()
