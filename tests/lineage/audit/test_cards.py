"""Cards for the Hub and Markdown: what others read of them is what is recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import DatasetCard, ModelCard
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lineage.audit import as_cards, as_md, markdown
from lineage.audit import text as texts
from lineage.audit.audiences import for_audience
from lineage.audit.card_data import front_matter
from lineage.audit.report import report
from lineage.errors import UsageError
from lineage.stated import state
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from lineage.registry import Registry

HOSTILE = (
    "<script>alert(1)</script>",
    "a\n---\nlicense: mit\n---\n# b",
    "| x | `y` | [z](javascript:1)",
    "![img](https://evil.example/x.png)",
    "*bold* _it_ ~~gone~~ #1 @ada",
    "& &lt;b&gt; \\",
    "www.evil.example https://evil.example",
    "$x$ :smile: [^1]",
    "1. one",
    "- two",
    "\u202egnp.exe\u0000",
    "{{ jinja }} {% raw %}",
)


def card(text: bytes, kind: type[ModelCard | DatasetCard] = ModelCard) -> Any:
    """A card as the Hub's own library reads it."""
    return kind(text.decode())


def test_a_model_card(story: Any) -> None:
    """Front matter has what is recorded or stated; the Hub's library reads it back."""
    registry = story.registry
    said = {"licence": "Apache-2.0", "languages": "en, de", "provider": "Acme"}
    state(registry, story.ids["model-2"], said)
    made = for_audience(report(registry, "loop/tutor"), "public", {"provider"})
    found = card(as_cards.model_card(made))
    [result, *_] = [r for r in found.data.eval_results if r.metric_name == "perplexity"]

    assert found.data.license == "apache-2.0"
    assert found.data.language == ["en", "de"]
    assert found.data.tags == ["lineage", "synthetic"]
    assert found.data.datasets is None
    assert found.data.base_model is None
    assert (result.metric_type, result.metric_value) == ("perplexity", 101.21)
    assert result.dataset_name == "tutor-held-out"
    assert result.dataset_revision == story.ids["held-out"]
    assert {r.metric_name for r in found.data.eval_results} == {"perplexity"}
    assert "1,250 of 3,750 records" in found.text or "3,750 of 3,750" in found.text
    assert "Acme" in found.text
    assert "Ada" not in found.content


def test_a_dataset_card(story: Any) -> None:
    """What a model wrote is synthetic, has its size and names its writer."""
    made = report(story.registry, story.ids["synthetic-2"])
    found = card(as_cards.dataset_card(made), DatasetCard)

    assert found.data.pretty_name == "tutor-synthetic"
    assert found.data.tags == ["lineage", "synthetic"]
    assert "model tutor-model" in found.text
    assert story.ids["model-1"][:12] in found.text
    assert found.data.license is None


def test_repositories_of_the_hub(repo: Registry) -> None:
    """Models and data from the Hub are named as such, through those in between."""
    hub = "https://huggingface.co/"
    origin = {"type": "unknown", "source": "HuggingFaceTB/SmolLM2-135M"}
    base = repo.commit("model", "base", params={"n": 1}, origin=origin).id
    stories = {"type": "machine", "source": f"{hub}datasets/roneneldan/TinyStories"}
    data = repo.commit("dataset", "stories", params={"n": 2}, origin=stories).id
    other = {"type": "human", "source": "data/private.txt", "licence": "Our own 1.0"}
    more = repo.commit("dataset", "more", params={"n": 3}, origin=other).id
    share = [{"records": [n, 5000]} for n in (2000, 3000)]
    edges = [
        Edge("fine_tuned_from", base),
        Edge("trained_on", data, share=share[0]),
        Edge("trained_on", more, share=share[1]),
    ]
    middle = repo.commit("model", "middle", params={"n": 4}, edges=edges).id
    repo.commit(
        "model", "end", params={"n": 5}, edges=[Edge("fine_tuned_from", middle)]
    )
    end = card(as_cards.model_card(report(repo, "model/end")))
    private = card(as_cards.dataset_card(report(repo, more)), DatasetCard)

    assert end.data.base_model == ["HuggingFaceTB/SmolLM2-135M"]
    assert end.data.to_dict()["base_model_relation"] == "finetune"
    assert end.data.datasets == ["roneneldan/TinyStories"]
    assert private.data.license == "other"
    assert private.data.to_dict()["license_name"] == "Our own 1.0"
    assert private.data.source_datasets is None


def test_a_card_is_about_one(story: Any) -> None:
    """Of several, or of none, it says so and names them."""
    made = report(story.registry, "loop/tutor")

    with pytest.raises(UsageError, match="is about one dataset") as caught:
        as_cards.dataset_card(made)
    assert "tutor-synthetic" in caught.value.hint
    with pytest.raises(UsageError, match="this report is on 0"):
        as_cards.model_card(report(story.registry, story.ids["human"]))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_names(repo: Registry, name: str) -> None:
    """They end neither the YAML nor a table, and are no markup."""
    shown = " ".join(name.split())
    if "\u0000" not in name:
        metrics = {"m": Metric(1.0, name, 1)}
        origin = {"type": "human", "source": name, "licence": name, "by": name}
        data = repo.commit("dataset", "d", params={"n": 1}, origin=origin)
        made = repo.commit(
            "model",
            "m",
            params={"n": 2},
            edges=[Edge("trained_on", data.id)],
            metrics=metrics,
            message=name,
        )
        state(repo, made.id, {"licence": name})
        whole = report(repo, made.id)
        found = card(as_cards.model_card(whole))
        page = html(as_md.render(whole).decode())

        assert found.data.to_dict()["license_name"] == shown
        assert found.data.eval_results[0].metric_type == shown
        assert tags(page) <= PLAIN
        assert tags(html(found.text)) <= PLAIN
    assert tags(html(f"| a |\n| --- |\n| {markdown.plain(name)} |")) <= PLAIN


PLAIN = {"h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code"} | {
    "ul",
    "li",
}


READER = MarkdownIt("gfm-like", {"linkify": False, "html": True})


def html(text: str) -> str:
    """Markdown as a reader with every extension shows it."""
    return str(READER.render(text))


def tags(page: str) -> set[str]:
    """The elements of a page."""
    return set(re.findall(r"<([a-z0-9]+)", page))


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_any_text_stays_one_cell(text: str) -> None:
    """A reader of Markdown sees the text, one cell of it, and nothing else."""
    from html import unescape

    page = html(f"| a | b |\n| --- | --- |\n| {markdown.plain(text)} | end |")
    cells = re.findall(r"<td>(.*?)</td>", page, re.DOTALL)

    assert tags(page) <= PLAIN
    assert len(cells) == 2
    assert unescape(cells[0]) == " ".join(texts.visible(text).split())


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_any_text_stays_one_value_of_yaml(text: str) -> None:
    """The Hub's library reads the value, and what follows is the page."""
    page = front_matter({"license_name": f"x{text}", "tags": [f"y{text}"]}) + "# page\n"
    found = card(page.encode())
    shown = " ".join(texts.visible(f"x{text}").split())

    assert found.data.to_dict()["license_name"] == shown
    assert found.text.strip() == "# page"
