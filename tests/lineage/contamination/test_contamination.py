"""An evaluation set in a model's ancestry: planted copies, and the way they came."""

from __future__ import annotations

import csv
import io
import json
import random
from contextlib import closing
from pydoc_data import topics
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.contamination import KINDS, RUN, contamination
from lineage.contamination.words import words
from lineage.errors import UsageError
from lineage.store.objects import Edge
from tests.lineage.contamination.brute_force import reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lineage.contamination import Contamination
    from lineage.registry import Registry


def runs(text: str) -> set[tuple[str, ...]]:
    row = words(text)
    return {tuple(row[n : n + RUN]) for n in range(len(row))}


PARAGRAPHS = [
    " ".join(paragraph.split())
    for key in sorted(topics.topics)
    for paragraph in topics.topics[key].split("\n\n")
    if 25 <= len(paragraph.split()) <= 80
]
CORPUS = PARAGRAPHS[200:260]
KNOWN = {run for text in CORPUS for run in runs(text)}
EXAM = [text for text in PARAGRAPHS[:90] if not KNOWN & runs(text)][:30]


def jsonl(texts: Iterable[str]) -> bytes:
    return "".join(json.dumps({"text": t, "id": n}) + "\n"
                   for n, t in enumerate(texts)).encode()  # fmt: skip


def as_csv(texts: Iterable[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([["passage"], *([text] for text in texts)])
    return out.getvalue().encode()


def parquet(texts: Iterable[str]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet as files

    out = io.BytesIO()
    files.write_table(pa.table({"n": [1] * len([*texts]), "text": [*texts]}), out)
    return out.getvalue()


def dataset(registry: Registry, name: str, file: str, data: bytes, *edges: Edge) -> str:
    path = registry.root / file
    path.write_bytes(data)
    return registry.commit("dataset", name, path, edges=edges).id


def model(registry: Registry, name: str, *edges: Edge) -> str:
    path = registry.root / f"{name}.bin"
    path.write_text(name, encoding="utf-8")
    return registry.commit("model", name, path, edges=edges).id


def from_(*ids: str) -> list[Edge]:
    return [Edge("derived_from", id_) for id_ in ids]


def reworded(text: str, chosen: random.Random) -> str:
    """The text with two words changed, where no run of 13 words is left whole."""
    row = text.split()
    for place in range(8, len(row), 12):
        row[place] = chosen.choice(("notably", "seldom", "often"))
    return " ".join(row)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Make one registry for all that is asked here."""
    with closing(lineage.init(tmp_path_factory.mktemp("ancestry"))) as registry:
        yield registry


@pytest.fixture(scope="module")
def planted(repo: Registry) -> dict[str, str]:
    """Two generations of mixed data with six planted records; ids by name."""
    exam = dataset(repo, "exam", "exam.jsonl", jsonl(EXAM))
    crawl = [*CORPUS[:20], EXAM[0], f"  {EXAM[1].upper().replace(' ', '  ')}!"]
    wiki = [*CORPUS[20:30], EXAM[2].replace(" the ", " that ", 1)]
    papers = [*CORPUS[30:40], f"{CORPUS[50]} {EXAM[3]} {CORPUS[51]}"]
    ids = {
        "exam": exam,
        "crawl": dataset(repo, "crawl", "crawl.jsonl", jsonl(crawl)),
        "wiki": dataset(repo, "wiki", "wiki.csv", as_csv(wiki)),
        "papers": dataset(repo, "papers", "papers.parquet", parquet(papers)),
    }
    cut = " ".join(EXAM[4].split()[:18])
    one = [*crawl, *wiki, cut]
    ids["mix1"] = dataset(
        repo, "mix1", "mix1.txt", "\n".join(one).encode(),
        *from_(ids["crawl"], ids["wiki"]),
    )  # fmt: skip
    ids["model1"] = model(repo, "model1", Edge("trained_on", ids["mix1"]))
    written = [f"Somebody asked. {EXAM[5]}", *CORPUS[40:45]]
    ids["written"] = dataset(
        repo, "written", "written.jsonl", jsonl(written),
        Edge("generated_by", ids["model1"]), *from_(ids["crawl"]),
    )  # fmt: skip
    ids["mix2"] = dataset(
        repo, "mix2", "mix2.jsonl", jsonl([*one, *papers, *written]),
        *from_(ids["mix1"], ids["papers"], ids["written"]),
    )  # fmt: skip
    ids["model2"] = model(
        repo, "model2", Edge("trained_on", ids["mix2"]),
        Edge("fine_tuned_from", ids["model1"]),
    )  # fmt: skip
    ids["aside"] = dataset(repo, "aside", "aside.jsonl", jsonl([EXAM[6]]))
    return ids


def told(found: Contamination, ids: dict[str, str]) -> dict[int, tuple[str, str, str]]:
    """By exam record what was found, where first, and the way as words."""
    names = {id_: name for name, id_ in ids.items()}
    return {
        hit.number - 1: (
            hit.kind,
            names[hit.source],
            " ".join(f"{step.role} {names[step.id]}".strip() for step in hit.way),
        )
        for hit in found.hits
    }


def test_planted_records_are_found_with_the_way_they_took(
    repo: Registry, planted: dict[str, str]
) -> None:
    """Copies of six sorts are found where each came in; nothing else is."""
    found = contamination(repo, planted["model2"], planted["exam"])
    start = "model2 trained_on mix2 derived_from"

    assert told(found, planted) == {
        0: ("exact", "crawl", f"{start} mix1 derived_from crawl"),
        1: ("exact", "crawl", f"{start} mix1 derived_from crawl"),
        2: ("near", "wiki", f"{start} mix1 derived_from wiki"),
        3: ("contained", "papers", f"{start} papers"),
        4: ("part", "mix1", f"{start} mix1"),
        5: ("contained", "written", f"{start} written"),
    }
    assert (found.records, found.wordless, len(found.strongest)) == (30, 0, 6)
    assert (found.untold, found.absent) == ((), ())
    assert not any(each.wrong for each in found.looked)
    assert {each.name: each.found for each in found.looked} == {
        "mix2": 6, "mix1": 4, "papers": 1, "written": 1, "crawl": 2, "wiki": 1,
    }  # fmt: skip


def test_what_is_found_says_where_and_in_what_it_differs(
    repo: Registry, planted: dict[str, str]
) -> None:
    """Both records are named, with the words that differ."""
    hits = contamination(repo, planted["model2"], planted["exam"]).hits
    near, cut = hits[2], hits[4]

    assert (hits[0].where, hits[0].place) == (
        "exam.jsonl: line 1", "crawl.jsonl: line 21",
    )  # fmt: skip
    assert hits[0].text == EXAM[0][:300]
    assert hits[0].change == hits[1].change == ""
    assert "[-the-] {+that+}" in near.change
    assert near.place == "wiki.csv: line 12"
    assert 0.3 < cut.share < 0.8
    assert "[-" in cut.change
    assert "{+" not in cut.change


def test_an_older_model_has_less_of_it(repo: Registry, planted: dict[str, str]) -> None:
    """A commit answers for what it came from, and for nothing that came later."""
    first = contamination(repo, planted["model1"], planted["exam"])
    crawl = contamination(repo, planted["crawl"], planted["exam"])

    assert sorted(first.strongest) == [1, 2, 3, 5]
    assert [[s.id for s in hit.way] for hit in crawl.hits] == [[planted["crawl"]]] * 2


def test_a_generation_is_its_model(repo: Registry, planted: dict[str, str]) -> None:
    """The way out of a generation leads through its model to the data."""
    parts = [Edge("includes", planted[name]) for name in ("model2", "mix2")]
    turn = repo.commit("generation", "g", edges=parts).id
    found = contamination(repo, turn, planted["exam"])

    assert len(found.strongest) == 6
    assert [step.role for step in found.hits[3].way] == [
        "", "includes", "trained_on", "derived_from",
    ]  # fmt: skip


def test_a_leak_through_a_model_leads_back_to_what_it_read(
    repo: Registry, planted: dict[str, str]
) -> None:
    """What a model wrote again came in where the model read it."""
    again = dataset(
        repo, "again", "again.jsonl", jsonl([EXAM[0]]),
        Edge("generated_by", planted["model1"]),
    )  # fmt: skip
    child = model(repo, "child", Edge("trained_on", again))
    [hit, *others] = contamination(repo, child, planted["exam"]).hits

    assert hit.source == planted["crawl"]
    assert [step.role for step in hit.way] == [
        "", "trained_on", "generated_by", "trained_on", "derived_from",
    ]  # fmt: skip
    assert {other.number for other in others} == {2, 3, 5}


def test_stronger_copies_further_down_are_told_too(
    repo: Registry, planted: dict[str, str]
) -> None:
    """A phrase in old data does not hide that the whole record came in later."""
    phrase = " ".join(EXAM[9].split()[3:18])
    old = dataset(repo, "old", "old.jsonl", jsonl([phrase, phrase]))
    new = dataset(repo, "new", "new.jsonl", jsonl([phrase, EXAM[9]]), *from_(old))
    hits = contamination(repo, new, planted["exam"]).hits

    assert {(hit.kind, hit.source) for hit in hits} == {("part", old), ("exact", new)}
    assert {hit.kind: hit.records for hit in hits} == {"part": 2, "exact": 2}


def test_all_ancestors_against_brute_force(
    repo: Registry, planted: dict[str, str]
) -> None:
    """Over real text with random edits each dataset has what brute force finds."""
    chosen = random.Random(5)  # noqa: S311
    made: list[tuple[str, list[str]]] = []
    for number in range(4):
        texts = chosen.sample(CORPUS, 12)
        for text in chosen.sample(EXAM, 5):
            row = text.split()
            kind = chosen.randrange(4)
            part = [row, row[: len(row) // 2], [*CORPUS[0].split(), *row], row[:13]][
                kind
            ]
            texts.append(
                reworded(" ".join(part), chosen) if number % 2 else " ".join(part)
            )
        edges = from_(*(id_ for id_, _ in made[-1:]))
        id_ = dataset(repo, f"d{number}", f"d{number}.jsonl", jsonl(texts), *edges)
        made.append((id_, texts))
    found = contamination(repo, made[-1][0], planted["exam"])
    exam = [words(text) for text in EXAM]

    assert {each.id: each.found for each in found.looked} == {
        id_: len({r for r, _ in reference(exam, [*map(words, texts)])})
        for id_, texts in made
    }
    strongest = _strongest(exam, [texts for _, texts in made])
    assert dict(found.strongest) == strongest


def _strongest(exam: list[list[str]], texts: Sequence[list[str]]) -> dict[int, str]:
    every = reference(exam, [words(text) for part in texts for text in part])
    found: dict[int, str] = {}
    for (record, _), match in every.items():
        other = found.get(record + 1, match.kind)
        found[record + 1] = min(match.kind, other, key=KINDS.index)
    return found


def test_what_cannot_be_looked_at_is_named(
    repo: Registry, planted: dict[str, str]
) -> None:
    """Bytes that are elsewhere, broken files and models without data are all said."""
    api = repo.commit("model", "api", external={"uri": "https://example.org/api"}).id
    there = dataset(repo, "there", "there.jsonl", jsonl(CORPUS[:2]))
    half = dataset(repo, "half", "half.jsonl", jsonl(EXAM[:1]) + b"{nope}\n")
    path = repo.root / "linked.jsonl"
    path.write_bytes(jsonl(CORPUS[2:4]))
    linked = repo.commit("dataset", "linked", path, reference=True).id
    [entry] = repo.files(there)
    for place in repo.payloads.cache.rglob(entry.md5[2:]):
        place.unlink()
    mixed = dataset(
        repo, "all", "all.jsonl", jsonl(CORPUS[:4]), Edge("generated_by", api),
        *from_(there, half, linked),
    )  # fmt: skip
    found = contamination(repo, mixed, planted["exam"])
    wrong = {each.id: each.wrong for each in found.looked if each.wrong}

    assert wrong == {
        there: ("there.jsonl is not here",),
        half: ("half.jsonl: line 2 is not JSON",),
        linked: ("linked.jsonl is not here",),
    }
    assert found.untold == (api,)
    assert [(hit.kind, hit.source) for hit in found.hits] == [("exact", half)]


def test_which_column_is_the_text(repo: Registry, planted: dict[str, str]) -> None:
    """It is asked for where several could be; a training set is read in all of them."""
    exam = [{"question": text, "answer": "a b c"} for text in EXAM[:3]]
    lines = "".join(json.dumps(record) + "\n" for record in exam)
    chats = [{"messages": [{"role": "user", "content": EXAM[1]}], "n": "1"}]
    asked = dataset(repo, "asked", "asked.jsonl", lines.encode())
    chat = dataset(repo, "chat", "chat.jsonl", (json.dumps(chats[0]) + "\n").encode())
    column: dict[str, Any] = {"column": "question"}

    with pytest.raises(UsageError, match="several columns hold text") as caught:
        contamination(repo, planted["model2"], asked)
    assert caught.value.hint == "choose one with --column: question, answer"
    with pytest.raises(UsageError, match="there is no column 'q'"):
        contamination(repo, planted["model2"], asked, column="q")
    found = contamination(repo, planted["model2"], asked, **column)
    assert dict(found.strongest) == {1: "exact", 2: "exact", 3: "near"}
    again = contamination(repo, chat, planted["exam"])
    assert dict(again.strongest) == {}
    with pytest.raises(UsageError, match="is a model, not a dataset"):
        contamination(repo, chat, planted["model2"])
