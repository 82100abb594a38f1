"""The style of a report's page, and what of it the pages of a server share."""

from functools import cache
from importlib.resources import files


@cache
def shared() -> str:
    """Colours for light and dark, and the rules for drawings."""
    return _read("look.css")


@cache
def style() -> str:
    """All that the page of a report looks like."""
    return shared() + _read("report.css")


def _read(name: str) -> str:
    return files("lineage.audit").joinpath("templates", name).read_text("utf-8")
