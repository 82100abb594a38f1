"""SVG by hand: elements, and whole drawings with a title and a description.

Colours and fonts are classes, which the page's style sheet gives meaning in light,
dark and print. Coordinates have at most one decimal, so the same drawing is the
same bytes.
"""

from collections.abc import Iterable
from html import escape

from lineage.audit.text import cut, visible

_BASELINE = 4.0  # below the middle of a line
_LARGE = 400  # wider drawings are not shrunk to the width of a telephone
_SCALE = 1.3  # pixels that a drawing's unit has where there is room


def element(name: str, *children: str, **attributes: object) -> str:
    """One element; ``class_`` is class, ``stroke_width`` stroke-width."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(children)}</{name}>"


def _attribute(value: object) -> str:
    return short(value) if isinstance(value, float) else escape(visible(str(value)))


def short(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def label(x: float, y: float, text: str, *, longest: int = 60, **more: object) -> str:
    """Text around the middle line `y`."""
    shown = escape(cut(visible(text), longest))
    return element("text", shown, x=float(x), y=y + _BASELINE, **more)


def path(points: Iterable[tuple[float, float]], **more: object) -> str:
    """Straight lines from point to point."""
    spots = [f"{short(x)} {short(y)}" for x, y in points]
    return element("path", d="M" + "L".join(spots), **more)


def drawing(
    id_: str,
    size: tuple[float, float],
    title: str,
    description: str,
    *content: str,
    alone: bool = False,
    scale: float = _SCALE,
    **more: object,
) -> str:
    """A whole picture that also says in words what it shows; a file when `alone`."""
    large = "large" if size[0] > _LARGE else None
    given = {"class_": large, "role": "img", **more}
    return element(
        "svg",
        element("title", escape(visible(title)), id=f"{id_}-title"),
        element("desc", escape(visible(description)), id=f"{id_}-desc"),
        *content,
        viewBox=f"-2 -2 {short(size[0] + 4)} {short(size[1] + 4)}",
        width=short(size[0] * scale),
        xmlns="http://www.w3.org/2000/svg" if alone else None,
        aria_labelledby=f"{id_}-title {id_}-desc",
        **given,
    )
