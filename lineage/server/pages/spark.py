"""A few values as a line without axes."""

from collections.abc import Sequence

from markupsafe import Markup

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
    drawn = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="spark" aria-hidden="true" viewBox="0 0 {} {}">'
        '<path d="M{}"/><circle cx="{}" cy="{}" r="2.4"/></svg>'
    ).format(int(_WIDE), int(_TALL), drawn, f"{x:.1f}", f"{y:.1f}")
