"""What a classifier predicts, checked, and what that means for each group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

from lineage.errors import LineageError, UsageError
from lineage.loop.records.rewards import as_number

_INSTALL = "pip install 'lineage-vcs[gates]'"
_COLUMNS = ("y_true", "y_pred", "groups")


class Predictions(NamedTuple):
    """Of each held-out case: the truth, what is predicted, its group, its score."""

    y_true: list[int]
    y_pred: list[int]
    groups: list[str]
    y_score: list[float] | None


@dataclass(frozen=True, slots=True)
class Group:
    """One group: cases, positives among them, and what is predicted of it."""

    n: int
    positives: int
    selected: float
    tpr: float
    score: float | None


@dataclass(frozen=True, slots=True)
class Rates:
    """Every group, and the differences between them (None: not to be had)."""

    groups: Mapping[str, Group]
    differences: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """The groups as a verdict holds them."""
        return {
            name: {k: v for k, v in asdict(group).items() if v is not None}
            for name, group in self.groups.items()
        }


def read_predictions(said: object, file: str) -> Predictions:
    """A mapping with `y_true`, `y_pred`, `groups` and perhaps `y_score`, or a tuple.

    Raises:
        UsageError: says what is missing or of another form.
    """
    if isinstance(said, tuple) and len(said) in (3, 4):
        said = dict(zip((*_COLUMNS, "y_score"), said, strict=False))
    if not isinstance(said, Mapping) or not all(name in said for name in _COLUMNS):
        message = f"{file} must return y_true, y_pred and groups"
        raise UsageError(message, hint="as a tuple, or a mapping with these names")
    columns = {name: _plain(said[name]) for name in _COLUMNS}
    y_score = said.get("y_score")
    score = None if y_score is None else _scores(_plain(y_score), file)
    sizes = {len(each) for each in (*columns.values(), score) if each is not None}
    if len(sizes) != 1 or sizes == {0}:
        message = f"{file} returned columns of {min(sizes)} to {max(sizes)} values"
        raise UsageError(message, hint="one of each for every held-out case")
    true, predicted = (_binary(columns[name], name, file) for name in _COLUMNS[:2])
    groups = [str(group) for group in columns["groups"]]
    if len(set(groups)) < 2:
        raise UsageError(f"{file}: all cases are of one group")
    return Predictions(true, predicted, groups, score)


def _plain(column: Any) -> list[Any]:
    """A list of Python's own values; arrays and series have `tolist`."""
    found = column.tolist() if hasattr(column, "tolist") else column
    if isinstance(found, str) or not isinstance(found, Iterable):
        raise UsageError(f"a column of predictions is a list, not {found!r}")
    return list(found)


def _scores(column: list[Any], file: str) -> list[float]:
    try:
        return [as_number(value) for value in column]
    except (TypeError, ValueError) as error:
        message = f"{file}: y_score has a value that is no number: {error}"
        raise UsageError(message, hint="scores are numbers") from None


def _binary(column: list[Any], name: str, file: str) -> list[int]:
    for value in column:
        if value not in (0, 1):
            message = f"{file}: {name} has {value!r}, which is neither 0 nor 1"
            raise UsageError(message, hint="say 1 for the outcome that is wished for")
    return [int(value) for value in column]


def rates(found: Predictions) -> Rates:
    """Each group's rates, and the differences between groups.

    Raises:
        LineageError: fairlearn is not installed.
    """
    if find_spec("fairlearn") is None:
        message = "the gate fairness needs fairlearn"
        raise LineageError(message, hint=f"install it: {_INSTALL}")
    from fairlearn.metrics import (
        demographic_parity_difference,
        equal_opportunity_difference,
        equalized_odds_difference,
    )

    groups = _groups(found)
    given = {"y_pred": found.y_pred, "sensitive_features": found.groups}
    both = all(0 < group.positives < group.n for group in groups.values())
    parity = demographic_parity_difference(found.y_true, **given)
    differences: dict[str, float | None] = {
        "tpr_gap": None,
        "demographic_parity_difference": float(parity),
        "equalized_odds_difference": None,
    }
    if all(group.positives for group in groups.values()):
        gap = equal_opportunity_difference(found.y_true, **given)
        differences["tpr_gap"] = float(gap)
    if both:
        odds = equalized_odds_difference(found.y_true, **given)
        differences["equalized_odds_difference"] = float(odds)
    return Rates(groups, differences)


def _groups(found: Predictions) -> dict[str, Group]:
    return {name: _group(found, name) for name in sorted(set(found.groups))}


def _group(found: Predictions, name: str) -> Group:
    rows = [row for row, group in enumerate(found.groups) if group == name]
    positive = [row for row in rows if found.y_true[row]]
    hits = sum(found.y_pred[row] for row in positive)
    scores = found.y_score
    return Group(
        n=len(rows),
        positives=len(positive),
        selected=sum(found.y_pred[row] for row in rows) / len(rows),
        tpr=hits / len(positive) if positive else 0.0,
        score=None if scores is None else sum(scores[r] for r in rows) / len(rows),
    )
