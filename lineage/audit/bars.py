"""What models learned from, generation by generation, as parts of a whole.

Few generations are bars beside each other's numbers; many are columns that touch.
What people wrote is plain, what machines wrote is hatched, what nobody counted is
left white: the parts differ on grey paper as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lineage.audit.model import MadeOf
from lineage.audit.svg import drawing, element, label, path
from lineage.audit.text import percent

MOST_BARS = 16
MOST_COLUMNS = 160
_PARTS = ("human", "machine", "unknown")
_LEFT = 76  # for the numbers of the generations
_WIDTH = 396
_BAR = 20
_TALL = 130  # of columns
_ROOM = 42  # that a share in figures needs


@dataclass(frozen=True, slots=True)
class Bar:
    """What the model of generation `number` learned from."""

    number: int
    made_of: MadeOf

    @property
    def parts(self) -> list[tuple[str, float]]:
        made = self.made_of
        shares = (made.human.share, made.machine.share, made.unknown.share)
        return list(zip(_PARTS, shares, strict=True))


def bars(id_: str, rows: Sequence[Bar]) -> str:
    """The drawing; `rows` has one at least, the oldest first."""
    many = len(rows) > MOST_BARS
    content, height = _columns(id_, rows) if many else _bars(id_, rows)
    content += _legend(rows, height + 14, id_)
    return drawing(
        id_,
        (_WIDTH, height + 22),
        "Training data by origin, through every generation",
        _said(rows),
        _hatch(id_),
        *content,
    )


def _bars(id_: str, rows: Sequence[Bar]) -> tuple[list[str], float]:
    content = []
    for index, row in enumerate(rows):
        y = index * _BAR
        told = f"generation {row.number}"
        content.append(label(0, y + _BAR / 2, told, class_="tick"))
        x = float(_LEFT)
        for origin, share in row.parts:
            wide = share * (_WIDTH - _LEFT)
            if share:
                box = (x, y + 2.0, wide, _BAR - 4.0)
                content += _part(id_, box, origin)
            if wide >= _ROOM:
                at = (x + wide / 2, y + _BAR / 2)
                content.append(_figure(*at, percent(share), f"share on-{origin}"))
            x += wide
    return content, len(rows) * _BAR


def _figure(x: float, y: float, text: str, class_: str) -> str:
    """Figures on a bar, with a plate below them where that is hatched."""
    wide = 6.0 * len(text) + 6
    plate = {"x": x - wide / 2, "y": y - 6.5, "width": wide, "height": 13.0}
    below = element("rect", class_=f"plate o-{class_.rpartition('-')[2]}", **plate)
    return below + label(x, y, text, text_anchor="middle", class_=class_)


def _columns(id_: str, rows: Sequence[Bar]) -> tuple[list[str], float]:
    """One column each, or of many generations some, evenly."""
    kept = [rows[i] for i in spread(len(rows), MOST_COLUMNS)]
    wide = (_WIDTH - _LEFT) / len(kept)
    content = []
    for tick in (0, 0.5, 1):
        y = _TALL * (1 - tick)
        content.append(path([(_LEFT - 4, y), (_LEFT, y)], class_="grid"))
        told = percent(tick)
        content.append(
            label(_LEFT - 7, max(y, 5), told, text_anchor="end", class_="tick")
        )
    for index, row in enumerate(kept):
        y = float(_TALL)
        for origin, share in row.parts:
            y -= share * _TALL
            if share:
                box = (_LEFT + index * wide, y, wide, share * _TALL)
                content += _part(id_, box, origin)
    content += _numbers(kept, wide)
    return content, _TALL + 16


def _numbers(kept: Sequence[Bar], wide: float) -> Iterator[str]:
    for index in spread(len(kept), 6):
        told = str(kept[index].number)
        x = min(_LEFT + (index + 0.5) * wide, _WIDTH - 3.0 * len(told))
        yield label(x, _TALL + 9, told, text_anchor="middle", class_="tick")
    yield label(0, _TALL + 9, "generation", class_="tick")


def _part(id_: str, box: tuple[float, float, float, float], origin: str) -> list[str]:
    """A rectangle of an origin; what is of machines is hatched."""
    x, y, wide, tall = box
    place = {"x": x, "y": y, "width": wide, "height": tall}
    found = [element("rect", class_=f"o-{origin}", **place)]
    if origin == "machine":
        found.append(element("rect", fill=f"url(#{id_}-hatch)", **place))
    return found


def _hatch(id_: str) -> str:
    line = path([(0, 0), (0, 5)], class_="hatch")
    pattern = element(
        "pattern",
        line,
        id=f"{id_}-hatch",
        width=5,
        height=5,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    return element("defs", pattern)


def _legend(rows: Sequence[Bar], y: float, id_: str) -> Iterator[str]:
    x = float(_LEFT)
    for origin in _PARTS:
        if any(share for row in rows for name, share in row.parts if name == origin):
            yield from _part(id_, (x, y - 5, 10, 10), origin)
            yield label(x + 15, y, origin, class_="tick")
            x += 34 + 6 * len(origin)


def spread(count: int, most: int) -> list[int]:
    """Indices of at most `most` of `count`, evenly, with the first and the last."""
    if count <= most:
        return list(range(count))
    return sorted({round(i * (count - 1) / (most - 1)) for i in range(most)})


def _said(rows: Sequence[Bar]) -> str:
    """The first and the last in words."""
    told = rows if len(rows) <= 12 else (*rows[:6], *rows[-6:])
    said = "; ".join(
        f"generation {row.number}: "
        + ", ".join(f"{percent(share)} {name}" for name, share in row.parts if share)
        for row in told
    )
    hidden = len(rows) - len(told)
    return f"{said}; {hidden:,} between these are in the table" if hidden else said
