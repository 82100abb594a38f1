"""The closed forms, as loops through the real runner, within four standard errors.

The seed was stated before a result was seen, and none is tried twice. With some thirty
comparisons a sound runner fails one of them for one seed in 500.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import pytest

from tests.science import forms
from tests.science.closed_forms import theory
from tests.science.harness import lab, module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.science.forms import Form
    from tests.science.harness import Lab

SEED = 20_261
GENERATIONS = {"gaussian-fresh": 8, "gaussian-fixed": 8, "categorical-zipf": 3}
REPLICAS = {"categorical-zipf": 100} | dict.fromkeys(
    ("gaussian-replace", "gaussian-fresh", "gaussian-fixed"), 3000
)
OTHERS = {
    "gaussian-replace": theory.accumulate,
    "gaussian-accumulate": theory.replace,
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One registry for all of them."""
    with lab(tmp_path_factory.mktemp("science") / "registry") as made:
        yield made


@pytest.mark.parametrize("form", forms.FORMS, ids=lambda form: form.regime)
def test_a_loop_ends_where_theory_says(here: Lab, form: Form) -> None:
    """Means over replicas agree with the formula for as many fits as there were."""
    replicas = REPLICAS.get(form.regime, 1000)
    prepare = {} if form.steps == "linear" else {"replicas": replicas}
    found = form.run(here, SEED, GENERATIONS.get(form.regime, 5), **prepare)
    assert [each for each in found if not each.agrees] == []
    if other := OTHERS.get(form.regime):
        [wrong] = [each._replace(theory=other(forms.M, each.fits)) for each in found]
        assert not wrong.agrees, "the comparison would not notice another regime"


def test_the_limits_of_the_recursions() -> None:
    """Fresh and fixed human draws have the limits that follow, fixed the worse."""
    fresh = theory.mixed(forms.M, 10, 10**9, 400, fixed=False)
    fixed = theory.mixed(forms.M, 10, forms.M, 400, fixed=True)
    assert fresh == pytest.approx(theory.fresh_limit(forms.M, 0.9), abs=1e-6)
    assert fixed == pytest.approx(theory.fixed_limit(forms.M, 0.9), abs=1e-6)
    assert (round(fresh, 4), round(fixed, 4)) == (0.9497, 0.8593)
    many = theory.accumulate(forms.M, 10_000)
    assert many == pytest.approx(theory.accumulate_limit(forms.M), abs=1e-5)


def test_accumulated_labels_stay_below_the_bound(here: Lab) -> None:
    """With new inputs each time the error stays below pi²/6 of the first one's."""
    outcome = here.run(
        "closed_forms", "linear", "linear-accumulate-fresh", SEED, num_generations=6
    )
    bound = theory.linear_bound(forms.D, forms.ROWS)
    found = forms.found("", outcome, "excess_error", 7, bound)
    assert found.off <= forms.ERRORS
    replaced = theory.linear_replace(forms.D, forms.ROWS, 7)
    assert not found._replace(theory=replaced).agrees


@pytest.mark.parametrize(("rows", "percent"), [(400, 10), (1000, 30)])
def test_a_few_labels_of_a_worse_model_set_a_floor(
    here: Lab, rows: int, percent: int
) -> None:
    """The error is that of the exact formula, which goes to p² and not to 0."""
    assert forms.collapse(here, SEED, rows, percent).agrees
    floor = (percent / 100) ** 2
    assert theory.linear_mixed(20, 10**6 * (100 - percent), 10**6 * percent) == (
        pytest.approx(floor, rel=1e-3)
    )


def test_a_cut_tail_is_an_error_that_stays(here: Lab) -> None:
    """Errors are as the sums say: of slope -(1 - 1/b), and with a cut never less."""
    assert [found for found in forms.tails(here, SEED) if not found.agrees] == []
    law = module("closed_forms", "tails").law
    ends = [log(theory.unseen(law(), law(), size)) for size in (1000, 10_000)]
    assert (ends[1] - ends[0]) / log(10) == pytest.approx(-1 / 3, abs=0.02)
    floor = law()[1000:].sum()
    assert theory.unseen(law(), law(1000), 10**6) == pytest.approx(floor, rel=1e-3)
    assert round(float(floor), 4) == 0.0225


def test_a_verifier_breaks_down_where_theory_says(here: Lab) -> None:
    """0.05 before p* = 1/(1 + psi/phi) all is learnt, 0.05 behind it the opposite."""
    worlds = forms.breakdown(here, SEED)
    assert len(worlds) == 6
    for world in worlds:
        assert world.kept_found.agrees
        if world.name.endswith("before"):
            assert world.accuracy > 0.999
        else:
            assert world.accuracy < 0.001
