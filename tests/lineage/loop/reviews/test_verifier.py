"""The audit of a filter: its figures, its intervals, and when they say nothing."""

from __future__ import annotations

import random

import pytest

from lineage.loop.reviews.verifier import Stratum, audit, together


@pytest.mark.parametrize(
    ("right_kept", "right_dropped", "star"),
    [((500, 500), (500, 500), 0.5), ((600, 200), (200, 600), 0.75)],
)
def test_the_break_down_point_is_that_of_the_formula(
    right_kept: tuple[int, int], right_dropped: tuple[int, int], star: float
) -> None:
    """With a label on every record the figures are exact: p* = 1 / (1 + psi/phi)."""
    kept, dropped = (
        Stratum(sum(pair), sum(pair), pair[0]) for pair in (right_kept, right_dropped)
    )
    made = audit(kept, dropped)

    assert made.break_down == pytest.approx((star, star, star))
    assert made.margin is not None
    assert made.error_rate is not None
    assert made.margin.value == pytest.approx(star - made.error_rate.value)


def test_labels_weigh_as_many_records_as_their_stratum_has() -> None:
    """Half of the labels are of dropped records, which are a tenth of all."""
    made = audit(Stratum(900, 20, 18), Stratum(100, 20, 2))

    assert made.error_rate is not None
    assert made.error_rate.value == pytest.approx(0.1 * 0.9 + 0.9 * 0.1)


def test_the_margin_is_gone_when_more_wrong_records_are_kept_than_right_ones() -> None:
    """P < p* says just that; few labels leave it open, none say nothing."""
    dropped = Stratum(100, 20, 10)

    assert audit(Stratum(100, 20, 9), dropped).state == "gone"
    assert audit(Stratum(100, 20, 11), dropped).state == "unsure"
    assert audit(Stratum(100, 20, 19), dropped).state == "safe"
    assert audit(Stratum(100, 20, 19), Stratum(100, 0, 0)).state == "unknown"
    assert audit(Stratum(100, 20, 19), Stratum(0, 0, 0)).state == "safe"


def test_intervals_hold_what_they_should() -> None:
    """Of many samples of a known filter about 95 % have the truth in the interval."""
    draw, hits, rounds = random.Random(5), 0, 120  # noqa: S311
    for _ in range(rounds):
        wrong = [draw.random() < 0.4 for _ in range(300)]
        keep = [draw.random() < (0.3 if bad else 0.9) for bad in wrong]
        sides = [
            [w for w, k in zip(wrong, keep, strict=True) if k is s]
            for s in (True, False)
        ]
        labels = [draw.sample(side, 15) for side in sides]
        found = audit(
            *(
                Stratum(len(side), 15, 15 - sum(some))
                for side, some in zip(sides, labels, strict=True)
            )
        )
        truth = audit(
            *(Stratum(len(side), len(side), len(side) - sum(side)) for side in sides)
        )
        assert found.margin
        assert truth.margin
        hits += found.margin.low <= truth.margin.value <= found.margin.high

    assert 0.88 <= hits / rounds <= 1


def test_generations_that_were_labelled_more_do_not_weigh_more() -> None:
    """Labels stand for their generation's records; uneven ones are worth fewer."""
    made = together([Stratum(100, 10, 10), Stratum(100, 50, 25)])

    assert made.right / made.labelled == pytest.approx(0.75)
    assert made.labelled < 60
    assert together([Stratum(100, 10, 5), Stratum(100, 10, 5)]) == (200, 20, 10)
