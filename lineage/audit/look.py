"""What pages of reports and of servers are made with: Jinja, and how they look."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lineage.audit import text

if TYPE_CHECKING:
    from jinja2 import Environment


def safe_environment(package: str) -> "Environment":
    """Jinja with every safety on, and the templates of `package`.

    What is not marked safe is shown as text, and characters that hide are made visible.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: text.visible(value) if type(value) is str else value,
    )


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
