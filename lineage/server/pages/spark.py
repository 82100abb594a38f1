"""A few values as a line without axes."""

from collections.abc import Sequence

from markupsafe import Markup

from lineage.audit.svg import element, path

_WIDE, _TALL = 96.0, 22.0
_MARGIN = 3.0


def line(values: Sequence[float]) -> Markup:
    """The course of some values, the oldest first; nothing of fewer than two."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    step = (_WIDE - 2 * _MARGIN) / (len(values) - 1)
    points = [
        (
            _MARGIN + place * step,
            _TALL - _MARGIN - (value - low) / spread * (_TALL - 2 * _MARGIN),
        )
        for place, value in enumerate(values)
    ]
    x, y = points[-1]
    drawn = element(
        "svg",
        path(points),
        element("circle", cx=x, cy=y, r=2.4),
        class_="spark",
        aria_hidden="true",
        viewBox=f"0 0 {int(_WIDE)} {int(_TALL)}",
    )
    return Markup(drawn)  # noqa: S704 - numbers are all that is in it
