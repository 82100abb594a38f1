"""The PDF: PDF/A-3 with the facts inside, the same bytes, harmless text."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from pypdf import PdfReader

from lineage.audit import as_json, as_pdf
from lineage.audit.folding import folded
from lineage.audit.page_tree import Node, page_tree
from lineage.audit.report import report
from lineage.audit.typeset import inside, plain, typeset
from lineage.errors import LineageError

HOSTILE = (
    '#read("/etc/passwd") *bold* $x$ <script> \\ `code` @label #pagebreak() // no',
    "中文 한국 🎉 العربية Привет",
    "safe\u202egnp.exe\u2066 bell\x07 a" + "\u0301" * 40,
    "x" * 5000,
)


def text_of(data: bytes) -> str:
    """What a reader of PDF that is not ours takes out of the pages."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages)


@pytest.fixture(scope="module")
def made(told: Any) -> bytes:
    return as_pdf.render(report(told.registry, "loop/tutor"))


def test_it_says_what_it_is(made: bytes) -> None:
    """PDF/A-3a and PDF/UA-1, tagged, with a title and a language."""
    with pikepdf.open(BytesIO(made)) as pdf, pdf.open_metadata() as about:
        assert about.pdfa_status == "3A"
        assert about["pdfuaid:part"] == "1"
        assert about["dc:title"] == "Generation 2 of tutor"
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        assert "/JavaScript" not in str(pdf.Root)


def test_the_facts_are_attached(told: Any, made: bytes) -> None:
    """The JSON form of the same report is in it, byte for byte."""
    with pikepdf.open(BytesIO(made)) as pdf:
        [(name, attached)] = pdf.attachments.items()

        assert name == "report.json"
        assert attached.get_file().read_bytes().decode() == as_json.render(
            report(told.registry, "loop/tutor")
        )
        assert attached.obj.AFRelationship == "/Data"


def test_the_same_bytes(told: Any, made: bytes) -> None:
    """Nothing of the machine or the moment is in it."""
    assert as_pdf.render(report(told.registry, "loop/tutor")) == made


def test_others_find_no_fault(made: bytes) -> None:
    """Programs that are not ours read it without a warning."""
    with pikepdf.open(BytesIO(made)) as pdf:
        assert pdf.check_pdf_syntax() == []  # as `qpdf --check`
    read = text_of(made)

    assert "Generation 2 of tutor" in read
    assert "\u200b" not in read


def test_hostile_text(story: Any) -> None:
    """Markup of a typesetter, scripts and missing glyphs are text like any other."""
    for text in HOSTILE:
        story.registry.attest("noted", subject=story.turns[-1], message=text)
    data = as_pdf.render(report(story.registry, "loop/tutor"))

    assert data.startswith(b"%PDF-")
    read = text_of(data)
    assert '#read("/etc/passwd")' in " ".join(read.split())
    assert "[U+4E2D]" in "".join(read.split())
    assert "root:" not in read


def test_without_typst(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said in one sentence."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(LineageError, match="a PDF needs typst") as caught:
        as_pdf.render(report(told.registry, "loop/tutor"))

    assert caught.value.hint == "install it: pip install 'lineage-vcs[pdf]'"


def test_long_runs_are_cut() -> None:
    """Of many rows and parts the ends are kept, and how many there were is said."""
    rows = "".join(f"<tr><td>row {n}</td><td>b</td></tr>" for n in range(300))
    parts = "".join(f"<h3 id='p{n}'>part {n}</h3><p>of {n}</p>" for n in range(200))
    page = (
        f"<html><body><main><h2>A</h2><table><tbody>{rows}</tbody></table>"
        f"<h2>B</h2><p>All:</p>{parts}<h2>C</h2></main></body></html>"
    )
    short = folded(page_tree(page))

    found = [plain(row) for row in inside(short, "tr")]
    assert (len(found), found[39], found[41]) == (81, "row 39b", "row 260b")
    assert found[40] == "… 220 more here: report.json, which is attached, has all"
    heads = [plain(head) for head in inside(short, "h2", "h3")]
    assert heads[:2] + heads[-2:] == ["A", "B", "part 199", "C"]
    assert (len(heads), "… 120 more here" in plain(short)) == (83, True)
    assert "All:" in plain(short)


def test_short_pages_are_whole() -> None:
    """What is no longer than a few pages is left as it is."""
    rows = "".join(f"<tr><td>{n}</td></tr>" for n in range(120))
    page = page_tree(f"<body><h2>A</h2><table><tbody>{rows}</tbody></table></body>")

    assert folded(page) == page


def test_drawings_are_their_own_pictures() -> None:
    """An inline drawing keeps its text as it was, and says in words what it shows."""
    svg = (
        '<svg viewBox="-2 -2 284 100" class="x"><title id="t">A &lt; B</title>'
        '<desc id="d">two</desc><text class="tick">1 &amp; 2</text></svg>'
    )
    page = page_tree(f"<body><figure><figcaption>C</figcaption>{svg}</figure></body>")
    [figure] = typeset(page)["tree"][2]
    [picture] = figure[1]["pictures"]

    assert picture["alt"] == "A < B. two"
    assert picture["svg"].endswith('<text class="tick">1 &amp; 2</text></svg>')
    assert "var(" not in picture["svg"]
    assert picture["width"] == 51
    assert isinstance(page, Node)
