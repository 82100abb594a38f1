"""The model-level experiments: loops, what is read from them, and what papers have.

A claim compares two numbers of every seed, and is "reproduced" when it holds for
each. None says that anything grows or falls from each generation to the next: single
generations may do otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.science.harness import Lab, Outcome

    Outcomes = Mapping[str, Sequence[Outcome]]


@dataclass(frozen=True, slots=True)
class Regime:
    """A loop of an experiment: a .yaml, and what is changed in it."""

    name: str
    file: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """What should be so, for one seed at a time; `paper` is what is known of it."""

    says: str
    paper: str
    holds: Callable[[Mapping[str, Outcome]], bool]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A folder of `tests/science`, its regimes, and what is claimed of them."""

    folder: str
    title: str
    seeds: Sequence[int]
    generations: int
    metrics: Sequence[str]
    shown: Sequence[int]  # generations
    regimes: Sequence[Regime]
    claims: Sequence[Claim]
    steps: str = "steps"  # the module of the folder that prepares

    def run(self, lab: Lab, seeds: Sequence[int], **changes: Any) -> Outcomes:
        """Run every regime for every seed; outcomes by the regime's name."""
        return {
            regime.name: [self._one(lab, regime, seed, changes) for seed in seeds]
            for regime in self.regimes
        }

    def _one(
        self, lab: Lab, regime: Regime, seed: int, changes: Mapping[str, Any]
    ) -> Outcome:
        given = {"num_generations": self.generations, **regime.changes, **changes}
        name = f"{self.folder}-{regime.name}-{seed}"
        return lab.run(self.folder, self.steps, regime.file, seed, name=name, **given)

    def verdict(self, claim: Claim, outcomes: Outcomes) -> str:
        """In how many seeds a claim holds, in words."""
        count = len(next(iter(outcomes.values())))
        each = ({name: of[n] for name, of in outcomes.items()} for n in range(count))
        holding = sum(claim.holds(one) for one in each)
        if holding == count:
            return "reproduced"
        return f"in {holding} of {count} seeds" if holding else "not reproduced"


def _end(outcome: Outcome, metric: str, generation: int = -1) -> float:
    return outcome.values(metric)[generation]


GMM = Experiment(
    "gmm",
    "A mixture of two Gaussians, 1000 draws (Shumailov et al. 2024, supplement 4)",
    seeds=(0, 1, 2),
    generations=20,  # of a hundred fits each
    metrics=("nll", "variance_ratio", "within_ratio"),
    shown=(0, 1, 2, 5, 10, 20),
    regimes=(Regime("replace", "replace"),),
    claims=(
        Claim(
            "held-out loss of fit 201 (g2) is more than twice that of the first",
            "misperceived within 50 generations",
            lambda of: (
                _end(of["replace"], "nll", 2) > 2 * _end(of["replace"], "nll", 0)
            ),
        ),
        Claim(
            "fit 2001 (g20): less than a fifth of the variance is left",
            "point-like by 2000",
            lambda of: _end(of["replace"], "variance_ratio", 20) < 0.2,
        ),
        Claim(
            "fit 2001: less than a tenth of the variance within components",
            "point-like by 2000; (1 - 2/m)^n = 0.02 were the mean of components of m/2",
            lambda of: _end(of["replace"], "within_ratio", 20) < 0.1,
        ),
    ),
)

DIGITS = Experiment(
    "digits",
    "A variational autoencoder of digits (Gerstgrasser et al. 2024; Shumailov et al.)",
    seeds=(0, 1),
    generations=5,
    metrics=("class_entropy", "variance_ratio", "negative_elbo"),
    shown=(1, 3, 5),
    regimes=(
        Regime("replace", "replace"),
        Regime("accumulate", "accumulate"),
        Regime("tenth-human", "fresh"),
    ),
    claims=(
        Claim(
            "replaced: class entropy below 0.1 at the end",
            "digits mix by generation 20 (MNIST)",
            lambda of: _end(of["replace"], "class_entropy") < 0.1,
        ),
        Claim(
            "accumulated: more than three times the variance of replaced",
            "degrades too, slower (CelebA)",
            lambda of: (
                _end(of["accumulate"], "variance_ratio")
                > 3 * _end(of["replace"], "variance_ratio")
            ),
        ),
        Claim(
            "a tenth real is not enough: variance below half of generation 1's",
            "without enough fresh real data quality or diversity falls (2307.01850)",
            lambda of: (
                _end(of["tenth-human"], "variance_ratio")
                < 0.5 * _end(of["tenth-human"], "variance_ratio", 0)
            ),
        ),
    ),
)

ADULT = Experiment(
    "adult",
    "A classifier of incomes that labels its successor's data (Adult census)",
    seeds=(0, 1, 2, 3, 4),
    generations=10,
    metrics=(
        "accuracy",
        "score_women",
        "tpr_women",
        "tpr_men",
        "tpr_difference",
        "parity_difference",
    ),
    shown=(0, 1, 5, 10),
    regimes=(
        Regime("replace", "replace"),
        Regime("half-human", "half"),
        Regime("gated", "gated"),
    ),
    claims=(
        Claim(
            "women with a high income are found less often, by 0.03 or more",
            "argmax labels amplify bias (Taori and Hashimoto 2023)",
            lambda of: (
                _end(of["replace"], "tpr_women")
                < _end(of["replace"], "tpr_women", 0) - 0.03
            ),
        ),
        Claim(
            "while demographic parity becomes better",
            "own finding: parity alone rewards the loss of the minority",
            lambda of: (
                _end(of["replace"], "parity_difference")
                < _end(of["replace"], "parity_difference", 0)
            ),
        ),
        Claim(
            "half true labels: they are found more often than that at the end",
            "enough real data stabilises (Bertrand et al. 2024)",
            lambda of: (
                _end(of["half-human"], "tpr_women") > _end(of["replace"], "tpr_women")
            ),
        ),
        Claim(
            "the fairness gate with its defaults stops it",
            "own finding",
            lambda of: bool(of["gated"].stopped),
        ),
    ),
)

ADDITION = Experiment(
    "addition",
    "A small network adds numbers of two digits (Feng et al. 2024, on verification)",
    seeds=(0, 1, 2),
    generations=4,
    metrics=("accuracy", "wrong_sampled"),
    shown=(0, 1, 2, 3, 4),
    regimes=(
        Regime("unverified", "unverified"),
        Regime("verified", "verified"),
        Regime("noisy", "noisy"),
        Regime("gated", "gated"),
    ),
    claims=(
        Claim(
            "unverified decays: 0.1 of accuracy or more is lost",
            "own pick 19.2 % (eigenvalues)",
            lambda of: (
                _end(of["unverified"], "accuracy")
                < _end(of["unverified"], "accuracy", 0) - 0.1
            ),
        ),
        Claim(
            "verified ends above unverified by 0.1 or more",
            "oracle's pick 60.4 % against 19.2 %",
            lambda of: (
                _end(of["verified"], "accuracy")
                > _end(of["unverified"], "accuracy") + 0.1
            ),
        ),
        Claim(
            "a verifier with phi 0.9, psi 0.3 still ends above unverified",
            "p* = 0.75: enough while fewer are wrong",
            lambda of: (
                _end(of["noisy"], "accuracy") > _end(of["unverified"], "accuracy")
            ),
        ),
    ),
)

ADDITION_GPT = Experiment(
    "addition",
    "A GPT of two layers adds, with the steps that are built in (Feng et al. 2024)",
    seeds=(0,),
    generations=3,
    metrics=("accuracy", "wrong_sampled"),
    shown=(0, 1, 2, 3),
    regimes=(
        Regime("gpt-unverified", "gpt", {"gates": []}),
        Regime("gpt-verified", "gpt"),
    ),
    claims=(
        Claim(
            "unverified: accuracy falls below generation 0's, by 0.05 or more",
            "own pick 19.2 % (eigenvalues)",
            lambda of: (
                _end(of["gpt-unverified"], "accuracy")
                < _end(of["gpt-unverified"], "accuracy", 0) - 0.05
            ),
        ),
        Claim(
            "verified: it stays, within 0.05",
            "oracle's pick 60.4 %",
            lambda of: (
                _end(of["gpt-verified"], "accuracy")
                > _end(of["gpt-verified"], "accuracy", 0) - 0.05
            ),
        ),
    ),
    steps="gpt",
)

_COOL = {"generation__generation_config": {"temperature": 0.8, "top_k": 0}}
_WARM = {"generation__generation_config": {"temperature": 1.0, "top_k": 0}}
_GATED = {"gates": [{"type": "diversity"}]}  # its defaults
_HALF = {"mixing": {"strategy": "mix", "human_fraction": 0.5}}

TEXT = Experiment(
    "text",
    "A GPT with 24,000 parameters on Python's documentation (Shumailov; Gerstgrasser)",
    seeds=(0,),
    generations=4,
    metrics=("perplexity", "distinct_2", "unigram_js"),
    shown=(0, 1, 2, 3, 4),
    regimes=(
        Regime("cool", "replace", _COOL),
        Regime("warm", "replace", _WARM),
        Regime("accumulate", "replace", {"mixing": {"strategy": "accumulate"}}),
        Regime("half-human", "replace", _HALF),
        Regime("gated", "replace", _GATED),
    ),
    claims=(
        Claim(
            "replaced at temperature 0.8: distinct pairs fall below half",
            "T 0.3: loss 1.8 to 9.85 (TinyStories, GPT-2 9M, ten fits)",
            lambda of: (
                _end(of["cool"], "distinct_2") < 0.5 * _end(of["cool"], "distinct_2", 0)
            ),
        ),
        Claim(
            "replaced at temperature 0.8: perplexity more than doubles",
            "34 to 54 or more (OPT-125m, five epochs: 20 to 28 more)",
            lambda of: (
                _end(of["cool"], "perplexity") > 2 * _end(of["cool"], "perplexity", 0)
            ),
        ),
        Claim(
            "replaced at temperature 1: noise, perplexity and distinct pairs rise",
            "loss 1.82 to 2.91 (TinyStories, ten fits)",
            lambda of: (
                _end(of["warm"], "perplexity") > 1.1 * _end(of["warm"], "perplexity", 0)
                and _end(of["warm"], "distinct_2") > _end(of["warm"], "distinct_2", 0)
            ),
        ),
        Claim(
            "accumulated: perplexity stays below half of replaced",
            "loss 1.82 to 1.74 (TinyStories)",
            lambda of: (
                _end(of["accumulate"], "perplexity")
                < 0.5 * _end(of["cool"], "perplexity")
            ),
        ),
        Claim(
            "half human: perplexity stays below half of replaced",
            "10 % real text: only minor degradation (OPT-125m)",
            lambda of: (
                _end(of["half-human"], "perplexity")
                < 0.5 * _end(of["cool"], "perplexity")
            ),
        ),
    ),
)

EXPERIMENTS = {
    "gmm": GMM,
    "digits": DIGITS,
    "adult": ADULT,
    "addition": ADDITION,
    "addition-gpt": ADDITION_GPT,
    "text": TEXT,
}
