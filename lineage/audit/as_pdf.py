"""The report as PDF/A-3: the page of `as_html` typeset, with its JSON attached.

It is tagged for programs that read aloud (PDF/UA-1), and depends on the report alone:
the fonts are typst's own, the date is that of the newest event.
"""

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from lineage.audit import as_html, as_json
from lineage.audit.folding import folded
from lineage.audit.model import Report
from lineage.audit.page_tree import page_tree
from lineage.audit.typeset import inside, plain, typeset
from lineage.errors import LineageError

_DATE = ("year", "month", "day", "hour", "minute", "second")


def render(report: Report) -> bytes:
    """The file.

    Raises:
        LineageError: without typst.
    """
    given = _visible(json.dumps(_given(report), ensure_ascii=False))
    template = files("lineage.audit").joinpath("templates/report.typ").read_bytes()
    return _compiled(template, {"report": given}, _moment(report))


def _moment(report: Report) -> datetime:
    return datetime.fromisoformat(report.as_of.time).replace(microsecond=0)


def _given(report: Report) -> dict[str, Any]:
    """What the template prints."""
    page = folded(page_tree(as_html.render(report)))
    [title, *_] = inside(page, "h1")
    made = _moment(report)
    return {
        **typeset(page),
        "kicker": "Lineage report",
        "title": plain(title),
        "date": {name: getattr(made, name) for name in _DATE},
        "footer": f"As of event {report.as_of.event}",
        "keywords": list(report.subjects),
        "facts": as_json.render(report),
    }


def _visible(text: str) -> str:
    """`text` with code points for characters that typst's fonts do not have.

    A PDF/A has every glyph inside; and fonts of this machine would make other bytes.
    """
    foreign = sorted({c for c in text if not c.isascii() and not _drawable(c)})
    return text.translate({ord(c): f"[U+{ord(c):04X}]" for c in foreign})


@cache
def _drawable(character: str) -> bool:
    template = b'#set document(title: "x")\n#set text(lang: "en")\n#sys.inputs.it'
    try:
        _compiled(template, {"it": f"a{character}"})
    except _typst().TypstError:
        return False
    return True


def _compiled(
    template: bytes, inputs: dict[str, str], moment: datetime | None = None
) -> bytes:
    made: bytes = _typst().compile(
        template,
        sys_inputs=inputs,
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
        timestamp=moment,
    )
    return made


def _typst() -> Any:
    try:
        import typst
    except ImportError:
        hint = "install it: pip install 'lineage-vcs[pdf]'"
        raise LineageError("a PDF needs typst", hint=hint) from None
    return typst
