"""The reference is what the code says; `--inline-snapshot=fix` writes it anew."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inline_snapshot import external_file

from lineage.server.app import create_app
from tests.docs.reference import http_api, loop_yaml, python_api
from tests.docs.site import ROOT

if TYPE_CHECKING:
    from lineage.registry import Registry

PAGES = ROOT / "docs" / "reference"


def test_python_page_is_current() -> None:
    """What `import lineage` gives is documented as its source says."""
    assert python_api.page() == external_file(PAGES / "python.md", format=".txt")


def test_http_page_is_current(repo: Registry) -> None:
    """Every operation of the server is documented as the server describes it."""
    page = http_api.page(create_app(repo.root).openapi())
    assert page == external_file(PAGES / "http.md", format=".txt")


def test_loop_yaml_page_is_current() -> None:
    """Every field of loop.yaml is documented as the code that reads it."""
    assert loop_yaml.page() == external_file(PAGES / "loop-yaml.md", format=".txt")


def test_every_field_of_loop_yaml_is_explained() -> None:
    """No field is without a sentence below it, or in the section that it holds."""
    assert loop_yaml.undescribed() == []


def test_every_public_call_says_what_it_does() -> None:
    """Each heading of the Python page is followed by words, or by a table of fields."""
    parts = re.split(r"^#{3,4} ", python_api.page(), flags=re.MULTILINE)[1:]
    code = re.compile(r"```python\n.*?```", re.DOTALL)
    silent = [
        p.split("\n")[0]
        for p in parts
        if not code.sub("", p).partition("\n")[2].strip()
    ]
    assert silent == []
