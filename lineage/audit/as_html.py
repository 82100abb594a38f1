"""The report as one HTML page: no scripts, no requests, the same bytes every time."""

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from lineage.audit import look, text, words
from lineage.audit.marks import SHORT
from lineage.audit.model import Report
from lineage.audit.view import view
from lineage.wording import plural, size

if TYPE_CHECKING:
    from jinja2 import Environment


def render(report: Report) -> str:
    """The page."""
    style = look.style()
    page = _environment().get_template("report.html.j2")
    style_hash = b64encode(sha256(style.encode()).digest()).decode()
    return page.render(**view(report), style=style, style_hash=style_hash) + "\n"


def _environment() -> "Environment":
    """What the templates of the report know."""
    made = look.safe_environment("lineage.audit")
    made.filters |= {
        "amount": words.amount,
        "answer": words.answer,
        "better": words.better,
        "brief_size": size,
        "by_role": words.by_role,
        "circumstances": words.circumstances,
        "flat": words.flat,
        "found": words.found,
        "moment": text.moment,
        "name": words.name,
        "number": text.number,
        "plural": plural,
        "scientific": text.scientific,
        "short": lambda id_: id_[:SHORT],
        "speaker": words.speaker,
        "value": words.value,
        "verdict": words.verdict,
    }
    made.globals |= {
        "by_origin": words.by_origin,
        "change": words.change,
        "files": words.files,
        "hops": words.hops,
        "judged": words.judged,
        "made": words.made,
        "portion": words.portion,
    }
    return made
