"""The closed forms as checks of loops: what a loop measured, and what it should have.

A form is a regime in `closed_forms/`, run to its last generation, and what theory
says of some metrics. Which generations are looked at was fixed beforehand: the last
one, and where a form names more, those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.science.closed_forms import theory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.science.harness import Lab, Outcome

M = 100  # draws that a Gaussian is fitted to
WORDS = 1000  # words, and draws of them
ROWS, D = 111, 10  # of a linear regression
ERRORS = 4  # standard errors that a mean may be off


class Found(NamedTuple):
    """A mean over replicas beside its theory; `error` is its standard error."""

    form: str
    what: str
    fits: int
    replicas: int
    mean: float
    error: float
    theory: float

    @property
    def off(self) -> float:
        """How many standard errors they are apart."""
        return (self.mean - self.theory) / self.error

    @property
    def agrees(self) -> bool:
        """Whether that is no more than chance does."""
        return abs(self.off) <= ERRORS


@dataclass(frozen=True, slots=True)
class Form:
    """A regime and what theory says of its metrics after n fits, by name."""

    steps: str
    regime: str
    theories: Mapping[str, Callable[[int], float]]
    changes: Mapping[str, Any]

    def run(self, lab: Lab, seed: int, generations: int, **prepare: Any) -> list[Found]:
        """Run the loop, and compare its last generation.

        Args:
            lab: where to run.
            seed: of the data and of the loop.
            generations: how many, after generation 0.
            prepare: `replicas`, where not as many as usual.
        """
        changes = dict(self.changes)
        changes["prepare"] = {**changes.get("prepare", {}), **prepare}
        outcome = lab.run(
            "closed_forms",
            self.steps,
            self.regime,
            seed,
            num_generations=generations,
            **changes,
        )
        return list(self._found(outcome))

    def _found(self, outcome: Outcome) -> Iterator[Found]:
        fits = len(outcome.generations)
        for metric, expected in self.theories.items():
            yield found(self.regime, outcome, metric, fits, expected(fits))


def found(
    form: str, outcome: Outcome, metric: str, fits: int, expected: float
) -> Found:
    """A metric of the last generation beside its theory."""
    measured = outcome.generations[-1][metric]
    assert measured.interval is not None
    assert measured.n is not None
    error = (measured.interval[1] - measured.interval[0]) / 2 / 1.96
    return Found(form, metric, fits, measured.n, measured.value, error, expected)


def _form(
    regime: str, theories: Mapping[str, Callable[[int], float]], **changes: Any
) -> Form:
    return Form(regime.partition("-")[0], regime, theories, changes)


POOL = 400  # human draws that fresh ones are from

FORMS = (
    _form("gaussian-replace", {"variance": lambda n: theory.replace(M, n)}),
    _form(
        "gaussian-unbiased",
        {
            "variance": lambda _: 1.0,
            "log_variance": lambda n: theory.log_unbiased(M, n),
            "marginal_variance": lambda n: theory.marginal(M, n),
        },
    ),
    _form("gaussian-accumulate", {"variance": lambda n: theory.accumulate(M, n)}),
    _form(
        "gaussian-fresh",
        {"variance": lambda n: theory.mixed(M, 10, POOL, n, fixed=False)},
        prepare={"pool": POOL},
    ),
    _form(
        "gaussian-fixed",
        {"variance": lambda n: theory.mixed(M, 10, M, n, fixed=True)},
    ),
    _form(
        "categorical-zipf",
        {
            "heterozygosity": lambda n: theory.heterozygosity(_zipf(), WORDS, n),
            "survivors": lambda n: WORDS - theory.lost(_zipf(), WORDS, n).sum(),
            "unseen": lambda n: float(_zipf() @ theory.lost(_zipf(), WORDS, n)),
        },
    ),
    _form(
        "categorical-temperature",
        {"first_word": lambda n: theory.sharpened(2 / 3, 0.8, WORDS, n)},
        prepare={"words": 2},
    ),
    _form(
        "linear-replace", {"excess_error": lambda n: theory.linear_replace(D, ROWS, n)}
    ),
    _form(
        "linear-accumulate",
        {"excess_error": lambda n: theory.linear_accumulate(D, ROWS, n)},
    ),
)


def _zipf() -> theory.Array:
    from tests.science.harness import module

    law: theory.Array = module("closed_forms", "categorical").zipf(WORDS)
    return law


def collapse(lab: Lab, seed: int, rows: int, percent: int) -> Found:
    """A linear model with so many rows in a hundred from a worse one."""
    synthetic = rows * percent // 100
    outcome = lab.run(
        "closed_forms",
        "linear",
        "linear-mixed",
        seed,
        prepare={"rows": rows - synthetic, "d": 20, "worse": True},
        name=f"linear-mixed-{rows}-{percent}-{seed}",
        generation__num_samples=synthetic,
        mixing__human_fraction=1 - percent / 100,
    )
    expected = theory.linear_mixed(20, rows - synthetic, synthetic)
    form = f"linear-mixed, {percent} % of {rows} rows"
    return found(form, outcome, "excess_error", 1, expected)


def tails(lab: Lab, seed: int, replicas: int = 20) -> list[Found]:
    """The error of learners by the size of their corpus, with and without a cut."""
    outcome = lab.run(
        "closed_forms", "tails", "tails", seed, prepare={"replicas": replicas}
    )
    law, sizes, cut = _tails()
    return [
        found("tails", outcome, f"{size}-{k}", 1, theory.unseen(law(), law(k), size))
        for size in sizes
        for k in (0, cut)
    ]


def _tails() -> tuple[Callable[..., theory.Array], tuple[int, ...], int]:
    from tests.science.harness import module

    steps = module("closed_forms", "tails")
    return steps.law, steps.SIZES, steps.CUT


class World(NamedTuple):
    """A verifier with a generator that errs a little less or more than it can bear."""

    name: str
    phi: float
    psi: float
    wrong: float
    points: int
    accuracy: float
    kept: float

    @property
    def kept_found(self) -> Found:
        """The share of points that were kept beside phi (1-p) + psi p."""
        expected = self.phi * (1 - self.wrong) + self.psi * self.wrong
        error = (expected * (1 - expected) / self.points) ** 0.5 or 1 / self.points
        what = f"kept/{self.name}"
        return Found("breakdown", what, 1, self.points, self.kept, error, expected)


def breakdown(lab: Lab, seed: int, points: int = 1500) -> list[World]:
    """Verifiers on both sides of their break-down point."""
    outcome = lab.run(
        "closed_forms", "breakdown", "breakdown", seed, prepare={"points": points}
    )
    metrics = outcome.generations[-1]
    names = [key.partition("/")[2] for key in metrics if key.startswith("accuracy/")]
    worlds = []
    for name in names:
        phi, psi, side = name.split("/")
        limit = theory.breakdown(float(phi), float(psi))
        wrong = min(limit + (0.05 if side == "behind" else -0.05), 1.0)
        accuracy, kept = (metrics[f"{m}/{name}"].value for m in ("accuracy", "kept"))
        worlds.append(
            World(name, float(phi), float(psi), wrong, points, accuracy, kept)
        )
    return worlds
