"""The formats of a report: each renders the model and adds nothing to it."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from lineage.audit.audiences import EVERYTHING
from lineage.audit.given import Given
from lineage.audit.model import Report

Format: TypeAlias = Callable[[Report, Given], bytes]
"""Renders a report: the same bytes for the same report, every time.

It raises UsageError where the format cannot say this, and says what can.
"""


def audience_of(name: str) -> str:
    """For whom a format is made where nobody says."""
    return "public" if name in CARDS else EVERYTHING


def _html(report: Report, _: Given) -> bytes:
    from lineage.audit import as_html

    return as_html.render(report).encode()


def _json(report: Report, _: Given) -> bytes:
    from lineage.audit import as_json

    return as_json.render(report).encode()


def _pdf(report: Report, _: Given) -> bytes:
    from lineage.audit import as_pdf

    return as_pdf.render(report)


def _md(report: Report, _: Given) -> bytes:
    from lineage.audit import as_md

    return as_md.render(report)


def _model_card(report: Report, _: Given) -> bytes:
    from lineage.audit import as_cards

    return as_cards.model_card(report)


def _dataset_card(report: Report, _: Given) -> bytes:
    from lineage.audit import as_cards

    return as_cards.dataset_card(report)


def _prov(report: Report, _: Given) -> bytes:
    from lineage.audit import as_prov

    return as_prov.render(report)


def _cyclonedx(report: Report, given: Given) -> bytes:
    from lineage.audit.cyclonedx import document

    return document.render(report, given)


def _oms(report: Report, given: Given) -> bytes:
    from lineage.audit import as_oms

    return as_oms.render(report, given)


def _in_toto(report: Report, given: Given) -> bytes:
    from lineage.audit import as_intoto

    return as_intoto.render(report, given)


SIGNED = ("oms", "in-toto")  # the formats that a key in PEM signs
CARDS = ("model-card", "dataset-card")  # everybody reads them

FORMATS: Mapping[str, Format] = {
    "html": _html,
    "json": _json,
    "pdf": _pdf,
    "md": _md,
    "model-card": _model_card,
    "dataset-card": _dataset_card,
    "prov": _prov,
    "cyclonedx": _cyclonedx,
    "oms": _oms,
    "in-toto": _in_toto,
}
