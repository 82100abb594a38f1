"""Whether records are those of the datasets that they are said to come from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.errors import LineageError
from lineage.evidence.lookup import Lookup
from lineage.records import identity
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.registry import Registry

HUMAN = [{"text": f"human {n}"} for n in range(10)]
MACHINE = [{"text": f"machine {n}"} for n in range(10)]
OTHER = [{"text": f"other {n}"} for n in range(10)]


def share(part: int, whole: int) -> dict[str, list[int]]:
    return {"records": [part, whole]}


def made_of(*pairs: tuple[str, tuple[int, int] | None]) -> list[Edge]:
    return [
        Edge("derived_from", id_, share=share(*pair) if pair else None)
        for id_, pair in pairs
    ]


def test_a_mix_is_what_it_says(claims: Any) -> None:
    """Every record is found, and the counts are those of the shares."""
    human, machine = claims.dataset(HUMAN), claims.dataset(MACHINE)
    edges = made_of((human, (4, 10)), (machine, (6, 10)))
    found = claims.look(claims.dataset([*HUMAN[:4], *MACHINE[4:]], *edges))
    assert [one.verdict for one in found] == ["verified", "verified"]
    by_id = {one.edge.id: one for one in found}
    assert by_id[human].figures == {
        "records": 10, "found": 4, "only_here": 4, "nowhere": 0, "share": [4, 10],
    }  # fmt: skip
    assert by_id[machine].sentence == (
        "6 of its 10 records are in it; its share says 6 of 10"
    )


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        (((5, 10), (5, 10)), "contradicted"),  # all are found, and are 4 and 6
        (((4, 10), (5, 10)), "undecided"),  # whose is the tenth?
        (((3, 10), (6, 10)), "undecided"),
        (((4, 12), (6, 12)), "contradicted"),  # there are ten
        (((4, 10), None), "verified"),
        ((None, None), "verified"),
        (((0, 10), (10, 10)), "contradicted"),
    ],
)
def test_shares_are_held_to_the_counts(claims: Any, shares: Any, verdict: str) -> None:
    """A share that the records rule out is contradicted, any other is not."""
    human, machine = claims.dataset(HUMAN), claims.dataset(MACHINE)
    edges = made_of((human, shares[0]), (machine, shares[1]))
    child = claims.dataset([*HUMAN[:4], *MACHINE[4:]], *edges)
    found = claims.verdicts(child)
    if verdict == "verified":
        assert found == [verdict] * 2
    else:
        assert verdict in found
        assert ("contradicted" in found) == (verdict == "contradicted")


def test_records_that_both_have_may_be_from_either(claims: Any) -> None:
    """Counting decides only what every way of counting decides."""
    a, b = claims.dataset([*HUMAN, *OTHER]), claims.dataset([*MACHINE, *OTHER])
    records = [*HUMAN[:2], *MACHINE[:2], *OTHER[:6]]
    for part in range(11):
        edges = made_of((a, (part, 10)), (b, (10 - part, 10)))
        wanted = "verified" if 2 <= part <= 8 else "contradicted"
        verdicts = claims.verdicts(claims.dataset(records, *edges))
        assert verdicts == [wanted] * 2


def test_transformed_records_decide_nothing(claims: Any) -> None:
    """What no parent holds may have come from any; what is known still counts."""
    human, machine = claims.dataset(HUMAN), claims.dataset(MACHINE)
    changed = [{"text": record["text"].upper()} for record in HUMAN[:6]]
    child = [*MACHINE[:4], *changed]
    edges = made_of((human, (6, 10)), (machine, (4, 10)))
    found = {one.edge.id: one for one in claims.look(claims.dataset(child, *edges))}
    assert (found[human].verdict, found[machine].verdict) == ("undecided", "verified")
    assert "0 of its 10 records are in it, 6 in no parent" in found[human].sentence
    low = made_of((human, (8, 10)), (machine, (2, 10)))
    assert "contradicted" in claims.verdicts(claims.dataset(child, *low))
    [bare] = claims.verdicts(claims.dataset(changed, *made_of((human, None))))
    assert bare == "undecided"


def test_a_filter_keeps_what_was_there(claims: Any) -> None:
    """One parent that has everything is verified; with one foreign record it is not."""
    human = claims.dataset(HUMAN)
    assert claims.verdicts(claims.dataset(HUMAN[3:], *made_of((human, None)))) == [
        "verified"
    ]
    more = [*HUMAN[3:], {"text": "planted"}]
    assert claims.verdicts(claims.dataset(more, *made_of((human, None)))) == [
        "undecided"
    ]
    foreign = claims.dataset(MACHINE, *made_of((human, (10, 10))))
    assert claims.verdicts(foreign) == ["undecided"]  # or all were rewritten


def test_repeats_count_as_often_as_they_are_there(claims: Any) -> None:
    """A record that trains twice is two records."""
    human, machine = claims.dataset(HUMAN), claims.dataset(MACHINE)
    records = [*HUMAN[:2] * 4, *MACHINE[:2]]
    edges = made_of((human, (8, 10)), (machine, (2, 10)))
    assert claims.verdicts(claims.dataset(records, *edges)) == ["verified"] * 2


RECORDS = st.lists(st.integers(0, 12).map(lambda n: {"n": n}), max_size=12)


@settings(max_examples=100)
@given(RECORDS, st.lists(RECORDS, max_size=4))
def test_lookups_find_what_is_there(child: Any, others: list[Any]) -> None:
    """Counts, and which others hold which records, are those of plain sets."""
    lookup = Lookup(map(identity, child))
    for other in others:
        held = sum(record in other for record in child)
        assert lookup.find(map(identity, other)) == held
    groups: dict[frozenset[int], int] = {}
    for record in child:
        group = frozenset(n for n, other in enumerate(others) if record in other)
        groups[group] = groups.get(group, 0) + 1
    assert lookup.groups() == groups
    assert lookup.records == len(child)


def test_bytes_that_are_not_here_decide_nothing(repo: Registry, claims: Any) -> None:
    """A damaged or missing file is no evidence of anything; it is named."""
    human = claims.dataset(HUMAN)
    child = claims.dataset(HUMAN[:3], *made_of((human, (3, 3))))
    [entry] = repo.files(human)
    place = repo.payloads.path(entry.md5)
    place.chmod(0o644)
    place.write_bytes(b"x" * entry.size)
    [found] = claims.look(child)
    assert found.verdict == "undecided"
    assert "1.jsonl of" in found.sentence
    assert "does not have its recorded SHA-256" in found.sentence


def model(claims: Any, name: str) -> tuple[str, str]:
    path = claims.folder / name
    path.write_text(name, encoding="utf-8")
    id_ = claims.registry.commit("model", name, path).id
    return id_, claims.registry.load(id_).payload.root


def test_writers_are_told_by_their_hash(claims: Any) -> None:
    """Records name the files of the model that wrote them."""
    (a, root_a), (b, root_b) = model(claims, "a"), model(claims, "b")

    def verdicts(roots: Sequence[str | None], *edges: Edge) -> list[str]:
        named = ({"generator": root} if root else {} for root in roots)
        records = [{"text": f"{n}", **said} for n, said in enumerate(named)]
        found = {
            o.edge.id: o.verdict for o in claims.look(claims.dataset(records, *edges))
        }
        return [found[edge.id] for edge in edges]

    by_a, by_b = Edge("generated_by", a), Edge("generated_by", b)
    half = Edge("generated_by", a, share=share(2, 4))
    assert verdicts([root_a] * 3, by_a) == ["verified"]
    assert verdicts([root_b] * 3, by_a) == ["contradicted"]
    assert verdicts([None] * 3, by_a) == ["undecided"]
    assert verdicts([root_a, root_a, root_b], by_a) == ["undecided"]
    assert verdicts([root_a, root_a, None], by_a) == ["undecided"]
    assert verdicts([root_a, root_a, root_b], by_a, by_b) == ["verified"] * 2
    assert verdicts([root_a] * 3, by_a, by_b) == ["verified", "contradicted"]
    assert verdicts([root_a, root_a, root_b, root_b], half, by_b) == ["verified"] * 2
    assert verdicts([root_a] * 3 + [root_b], half, by_b) == ["contradicted", "verified"]


def test_prompts_are_looked_up_where_they_are_from(claims: Any) -> None:
    """Of what a model wrote, no record is its parent's; its prompts are."""
    writer, root = model(claims, "a")
    texts = [{"id": f"h{n}", "text": f"It was the best of {n} times"} for n in range(4)]
    human = claims.dataset(texts)
    edges = [Edge("derived_from", human), Edge("generated_by", writer)]

    def found(prompt: str) -> str:
        written = [
            {"text": f"{prompt}!", "generator": root, "prompt": prompt,
             "prompt_source": f"h{n}"} for n in range(4)
        ]  # fmt: skip
        looked = claims.look(claims.dataset(written, *edges))
        return str(next(o.verdict for o in looked if o.edge.role == "derived_from"))

    assert found("It was the best") == "verified"
    assert found("It was the worst") == "undecided"


def test_without_numpy_it_is_said_what_to_install(
    claims: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, before anything is read."""
    mixed = claims.dataset(HUMAN)
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(LineageError, match="needs numpy") as caught:
        claims.look(mixed)
    assert caught.value.hint == "install it: pip install 'lineage-vcs[diff]'"
