"""The report as JSON, and the page that describes it."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from lineage.audit import as_json, model
from lineage.audit.report import report

DOCS = Path(__file__).parents[3] / "docs" / "report.md"


def test_it_holds_what_the_model_holds(told: Any) -> None:
    """Every field of the report is there, statuses and sources with it."""
    made = report(told.registry, "loop/tutor")
    data = json.loads(as_json.render(made))

    assert set(data) == {f.name for f in fields(model.Report)} | {"coverage"}
    assert data["schema_version"] == 2
    assert data["coverage"] == made.coverage
    [human] = [a for a in data["artifacts"] if a["id"] == told.ids["human"]]
    assert human["origin"]["licence"] == {
        "status": "stated",
        "value": "PSF-2.0",
        "commit": told.ids["human"],
        "by": "Ada Example",
        "time": human["time"],
    }
    [model_] = [a for a in data["artifacts"] if a["id"] == told.ids["model-1"]]
    assert model_["sources"][-1]["evidence"] == {
        "status": "recorded",
        "value": "observed",
        "commit": told.ids["model-1"],
    }


def test_it_is_ascii_and_one_line_per_item(story: Any) -> None:
    """Any program and any diff can read it; nothing in it reorders a terminal."""
    story.registry.attest("noted", subject=story.turns[0], message="gnp\u202eexe")
    text = as_json.render(report(story.registry, "loop/tutor"))
    artifacts = text.partition('"artifacts": [\n')[2].partition("],\n")[0]

    assert text.isascii()
    assert "\\u202e" in text
    assert len(artifacts.splitlines()) == len(json.loads(text)["artifacts"])


def test_numbers_are_exact(loop: Any) -> None:
    """What the page rounds is whole here."""
    loop.start()
    loop.go_on(metrics={"score": 0.1 + 0.2})
    data = json.loads(as_json.render(report(loop.registry, "loop/tutor")))

    assert data["loops"][0]["generations"][1]["metrics"][0]["value"] == 0.1 + 0.2


def test_every_class_is_described() -> None:
    """docs/report.md names each object with exactly its fields."""
    text = DOCS.read_text(encoding="utf-8")
    shapes = dict(re.findall(r"^### (\w+)\n+((?:    .*\n)+)", text, re.MULTILINE))

    classes = {
        name: class_
        for name, class_ in vars(model).items()
        if is_dataclass(class_) and isinstance(class_, type)
    }
    assert set(shapes) == set(classes)
    for name, class_ in classes.items():
        known = {field.name for field in fields(class_)}
        known |= {"coverage"} if name == "Report" else set()
        assert set(re.findall(r'"(\w+)"', shapes[name])) == known, name
