"""Templates of obligations: strict data, closed facts, and answers that say how."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage import stated
from lineage.audit import as_html, as_json, as_md, markdown
from lineage.audit.audiences import for_audience
from lineage.audit.obligations import fields
from lineage.audit.obligations.asked import Item
from lineage.audit.obligations.filling import addressed, fill
from lineage.audit.obligations.reading import parse
from lineage.audit.obligations.template import FULL, built_in, load, names
from lineage.audit.obligations.vocabulary import FACTS, meaning
from lineage.audit.report import report
from lineage.errors import LineageError, UsageError
from lineage.stated import state

if TYPE_CHECKING:
    from lineage.audit.obligations.filled import Answer, Filled

ROOT = Path(__file__).parents[3]
AUDIT = ROOT / "lineage" / "audit"
PAGE = (ROOT / "docs" / "obligations.md").read_text("utf-8")
# What a report never says of itself, unless it is the name of a document.
JUDGEMENTS = re.compile(
    r"\b(compl(y|ies|iant|iance|ying)|conform(s|ant|ing|ity)?|certif\w+|fulfil\w*|"
    r"satisf\w+|guarantee\w*)\b",
    re.IGNORECASE,
)
NAMES = re.compile(
    r"declaration[ _]of[ _]conformity|no statement that anything conforms",
    re.IGNORECASE,
)

MINE = """\
id: mine
version: 1
title: Mine
source:
  law: none
  part: all
  text: mine
  date: 2026-11-03
items:
- key: one
  article: '1'
  question: What is it?
  audience: [public, authority]
  answers: [subject, made_of]
- key: two
  article: '2'
  question: Why?
  audience: [authority]
  stated: purpose
"""


def mistake(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(text.encode(), Path("mine.yaml"))
    return str(caught.value)


def item(filled: Filled, key: str) -> Answer:
    return next(found for found in filled.items if found.key == key)


def test_templates_are_what_their_names_say() -> None:
    """Each file is the template of its name, and says which text it was made from."""
    assert names() == snapshot(
        ("ab-2013", "eu-annex-iv", "eu-art-10-15", "eu-gpai", "nist-600-1", "full")
    )
    for template in built_in():
        assert load(template.id) == template
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", template.source["date"])


def test_the_vocabulary_is_closed_used_and_told() -> None:
    """Every fact has a sentence, is asked for by a law and by `full`, and is told."""
    asked = {t.id: {f for i in t.items for f in i.answers} for t in built_in()}
    laws = set().union(*(found for id_, found in asked.items() if id_ != FULL))
    every = [fact for item in load(FULL).items for fact in item.answers]

    assert laws == set(FACTS)
    assert every == list(FACTS)
    for fact in FACTS:
        assert meaning(fact).endswith(".")
        assert f"| `{fact}` | {meaning(fact)} |" in PAGE


def test_fields_are_told() -> None:
    """The page lists the fields that templates ask people for, and no others."""
    section = PAGE[PAGE.index("## Fields") :]
    rows = dict(re.findall(r"\| `([a-z0-9_]+)` \| ([a-z0-9, -]+) \|", section))
    found = {field: ", ".join(by) for field, by in fields().items()}

    assert rows == found
    assert found["intended_purpose"] == "eu-annex-iv, eu-gpai"
    assert all(stated.FIELD.fullmatch(field) for field in found)


def test_nothing_is_judged() -> None:
    """Neither templates nor what renders them say that something is as a rule wants."""
    texts = [*AUDIT.rglob("*.py"), *AUDIT.rglob("*.j2"), *AUDIT.rglob("*.yaml")]
    found = [
        (path.name, judged[0])
        for path in texts
        for judged in JUDGEMENTS.finditer(NAMES.sub("", path.read_text("utf-8")))
    ]

    assert len(texts) > 30
    assert found == []
    assert any("supports" in path.read_text("utf-8") for path in texts)


def test_questions_are_our_own_and_short() -> None:
    """A question is one or two sentences of one line, and ends as one."""
    for template in built_in():
        for asked in template.items:
            assert len(asked.question) < 160
            assert re.search(r"\?( \(.*\))?$", asked.question), asked.key


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "title: Mine",
            "titel: Mine",
            "line 3: unknown key 'titel'; did you mean title?",
        ),
        ("title: Mine\n", "", "line 1: title is missing"),
        (
            "version: 1",
            "version: '1'",
            "line 2: version must be a whole number from 1 on",
        ),
        ("  law: none\n", "", "line 4: law is missing"),
        ("  law: none", "  law: [x]", "line 5: law must be text"),
        (
            "id: mine",
            "id: Mine!",
            "line 1: id must be like [a-z0-9][a-z0-9-]{0,63}, not 'Mine!'",
        ),
        (
            "made_of]",
            "made-of]",
            "line 14: answers has no 'made-of'; did you mean made_of?",
        ),
        ("made_of]", "subject]", "line 14: 'subject' is in answers twice"),
        ("[subject, made_of]", "subject", "line 14: answers must be a list"),
        (
            "[public, authority]",
            "[everybody]",
            (
                "line 13: audience has no 'everybody'; "
                "known are authority, downstream, public"
            ),
        ),
        ("[public, authority]", "[]", "line 13: audience must not be empty"),
        ("key: two", "key: one", "line 15: there is another item 'one'"),
        (
            "stated: purpose",
            "stated: The purpose",
            "line 19: stated must be like [a-z][a-z0-9_.-]{0,63}, not 'The purpose'",
        ),
        ("  stated: purpose\n", "", "line 15: an item needs answers, or stated"),
        ("question: Why?", "question: ''", "line 17: question must be text"),
        (
            "question: Why?",
            f"question: {'x' * 2001}",
            "line 17: question is longer than 2,000 characters",
        ),
        (
            "question: Why?",
            "question: Why?\n  stated: x",
            "line 20: 'stated' is given twice",
        ),
        (
            MINE[MINE.index("items:") :],
            "items: []\n",
            "line 9: items must be a list of 1 to 500",
        ),
        (MINE, "[1]", "line 1: a template must be a mapping"),
        (MINE, "", "line 1: a template must be a mapping"),
        ("source:\n", "source: here\n", "line 5: mapping values are not allowed here"),
    ],
)
def test_a_slip_is_named(old: str, new: str, said: str) -> None:
    """What nobody would look at is refused, with the file and the line."""
    assert MINE.count(old) == 1

    assert mistake(MINE.replace(old, new)) == f"mine.yaml: {said}"


def test_no_such_template() -> None:
    """A name that there is not says which there are; a file is named by its path."""
    with pytest.raises(UsageError, match="no template is called 'gdpr'") as caught:
        load("gdpr")
    assert "eu-annex-iv" in caught.value.hint

    with pytest.raises(LineageError, match=r"gone\.yaml cannot be read"):
        load("gone.yaml")


def test_answers_say_how_they_are_known(story: Any) -> None:
    """Recorded with its commit, stated with its event, or not provided."""
    said = {"intended_purpose": "sums for pupils", "provider": "Acme"}
    event = state(story.registry, story.turns[2], said).event
    filled = fill(load("eu-annex-iv"), report(story.registry, "loop/tutor"))
    purpose, version = item(filled, "purpose"), item(filled, "version")
    design, product = item(filled, "design"), item(filled, "product")

    [found] = purpose.fields
    assert (purpose.status, found.field.value) == ("stated", "sums for pupils")
    assert (found.field.event, found.field.by) == (
        event,
        "Ada Example <ada@example.com>",
    )
    assert found.field.signature is not None
    assert version.status == "recorded"
    assert version.fields[0].field.commit == story.turns[2]
    assert (design.status, design.lacking) == ("recorded", ("design_rationale",))
    assert (product.status, product.lacking) == (
        "not provided",
        ("product_description",),
    )
    assert sum(filled.coverage.values()) == len(filled.items) == 31
    assert filled.whole == sum(not found.lacking for found in filled.items)


def test_every_value_has_its_place(told: Any) -> None:
    """Each recorded value names a commit or an event, each stated one a person."""
    made = report(told.registry, "loop/tutor")
    known = {found.id for found in made.artifacts}
    filled = fill(load(FULL), made)
    fields = [found for answer in filled.items for found in answer.fields]

    assert len(fields) > 100
    for found in fields:
        field = found.field
        assert field.status != "recorded" or field.commit in known or field.event
        assert field.status != "stated" or field.by
        assert (field.value is None) == (field.status == "not provided"), found


def test_what_was_said_of_an_earlier_generation_says_so(story: Any) -> None:
    """It answers for the newest one until that has a statement of its own."""
    registry, template = story.registry, load("eu-annex-iv")
    state(registry, story.turns[0], {"provider": "Acme"})
    state(registry, story.turns[1], {"provider": "Acme Ltd"})
    before = item(fill(template, report(registry, "loop/tutor")), "provider")
    state(registry, story.ids["model-2"], {"provider": "New owner"})
    after = item(fill(template, report(registry, "loop/tutor")), "provider")

    [old], [new] = before.fields, after.fields
    assert old.label.startswith("provider, of generation tutor, generation 1 (")
    assert (old.field.value, new.field.value) == ("Acme Ltd", "New owner")
    assert new.label.startswith("provider, of model tutor-model, generation 2 (")


def test_items_are_for_somebody(told: Any) -> None:
    """Only what is for an audience is asked; where nothing is, that is an error."""
    made = report(told.registry, "loop/tutor")
    keys = {
        audience: {
            found.key
            for found in fill(load("eu-gpai"), for_audience(made, audience)).items
        }
        for audience in ("public", "downstream", "authority")
    }

    assert all(key.startswith("summary-") for key in keys["public"])
    assert {"software", "data-downstream"} <= keys["downstream"] - keys["authority"]
    assert {"compute", "energy"} <= keys["authority"] - keys["downstream"]
    with pytest.raises(UsageError, match="asks for nothing that is for public"):
        addressed(made, "public", load("eu-annex-iv"))


def test_a_fact_that_is_nothing_says_so(repo: Any) -> None:
    """Counts of what did not happen are answers; what nobody recorded is none."""
    repo.commit("dataset", "alone", params={"n": 1})
    made = report(repo, "HEAD")
    asked = replace(
        load(FULL),
        items=tuple(
            Item(fact, "", "?", ("authority",), (fact,))
            for fact in ("taints", "made_of")
        ),
    )
    taints, made_of = fill(asked, made).items

    assert (taints.status, taints.fields[0].field.value) == ("recorded", "none")
    assert taints.fields[0].field.event == made.as_of.event
    assert (made_of.status, made_of.lacking) == ("not provided", ("made_of",))


def test_every_format_shows_the_answers(story: Any, read: Any) -> None:
    """The page, Markdown and JSON have each question, its values and what it lacks."""
    state(story.registry, story.turns[2], {"provider": "Acme <b>&amp;| Sons</b>"})
    made = addressed(
        report(story.registry, "loop/tutor"), "authority", load("eu-annex-iv")
    )
    page = read(as_html.render(made)).text
    text = as_md.render(made).decode()
    data = json.loads(as_json.render(made))["obligations"]

    assert made.obligations
    for asked in made.obligations.items:
        assert asked.question in page
        assert markdown.plain(asked.question) in text
    assert "Acme <b>&amp;| Sons</b>" in page
    assert r"Acme \<b\>\&amp;\| Sons\</b\>" in text
    assert "not provided : design_rationale" in page
    assert "Not provided: design\\_rationale." in text
    assert [item["key"] for item in data["items"]][:2] == ["purpose", "provider"]
    assert data["items"][1]["fields"][0]["field"]["signature"]["state"] == "no keys"


def test_a_rejected_turn_is_told_wherever_it_stands(told: Any) -> None:
    """In a report on it, too, where it ends the line itself."""
    for of in ("loop/tutor", "loop/tutor@rejected"):
        made = fill(load("nist-600-1"), report(told.registry, of))
        halting = item(made, "halting")
        [found] = [f for f in halting.fields if f.fact == "rejected_generations"]

        assert found.label.startswith("loop tutor, generation 2 (")
        assert found.field.value == "the gate diversity failed: 0.64 is below 0.8"
