"""Which commits are rows of a drawing, which are chips, and where rails lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.graph import Row, folded, headlines, trend, unfolded
from lineage.history import walk
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from lineage.registry import Registry


class Maker:
    """Makes small commits by name; knows their ids."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.ids: dict[str, str] = {}

    def make(
        self,
        kind: str,
        key: str,
        *edges: tuple[str, str],
        name: str = "",
        branch: str = "",
    ) -> str:
        """Commit `key`; edges are (role, key of the parent)."""
        made = self.registry.commit(
            kind,
            name or key,
            edges=[Edge(role, self.ids[parent]) for role, parent in edges],
            params={"key": key},
            branch=branch or key,
            revise=False,
        )
        self.ids[key] = made.id
        return made.id

    def drawn(self, *starts: str) -> dict[str, tuple[list[str], list[str]]]:
        """Give the rows by key, top down: keys of their parents and of their chips."""
        keys = {id_: key for key, id_ in self.ids.items()}
        return {
            keys[row.entry.id]: (
                [keys[parent] for parent in row.parents],
                [keys[chip.id] for chip in row.chips],
            )
            for row in self.rows(*starts)
        }

    def rows(self, *starts: str) -> list[Row]:
        ids = [self.ids[key] for key in starts or self.ids]
        return list(folded(walk(self.registry, ids), self.registry))


@pytest.fixture
def maker(repo: Registry) -> Maker:
    return Maker(repo)


def test_a_loop_is_a_line_of_generations(maker: Maker) -> None:
    """Parts and inputs are chips, also where they are a branch's tip."""
    maker.make("dataset", "seed")
    maker.make("model", "m0", ("trained_on", "seed"))
    maker.make("generation", "g0", ("includes", "m0"), ("includes", "seed"))
    maker.make("dataset", "s1", ("generated_by", "m0"), ("derived_from", "seed"))
    maker.make("model", "m1", ("trained_on", "s1"), ("fine_tuned_from", "m0"))
    maker.make(
        "generation", "g1", ("includes", "m1"), ("includes", "s1"), ("follows", "g0")
    )

    assert maker.drawn() == {
        "g1": (["g0"], ["m1", "s1", "seed"]),
        "g0": ([], ["m0", "seed"]),
    }


def test_a_loop_starts_below_its_seed_model(maker: Maker) -> None:
    """Generation 0 has a rail to the model that its own was fine-tuned from."""
    maker.make("model", "base")
    maker.make("model", "m0", ("fine_tuned_from", "base"))
    maker.make("generation", "g0", ("includes", "m0"))
    maker.make("model", "m1", ("fine_tuned_from", "base"))
    maker.make("generation", "g1", ("includes", "m1"), ("follows", "g0"))

    assert maker.drawn() == {
        "g1": (["g0"], ["m1", "base"]),
        "g0": (["base"], ["m0"]),
        "base": ([], []),
    }


def test_models_are_joined_through_the_data_between_them(maker: Maker) -> None:
    """The rail goes to the model that wrote the data; what both share is a chip."""
    maker.make("model", "base")
    maker.make("dataset", "seed")
    maker.make("model", "m0", ("trained_on", "seed"), ("fine_tuned_from", "base"))
    maker.make("dataset", "s1", ("generated_by", "m0"), ("derived_from", "seed"))
    maker.make("model", "m1", ("trained_on", "s1"), ("fine_tuned_from", "base"))

    assert maker.drawn() == {
        "m1": (["m0"], ["base", "s1", "seed"]),
        "m0": (["base"], ["seed"]),
        "base": ([], []),
    }


def test_models_are_joined_through_mixed_and_filtered_data(maker: Maker) -> None:
    """However the data were prepared, the rail goes to the newest that wrote some."""
    maker.make("dataset", "seed")
    maker.make("model", "m0", ("trained_on", "seed"))
    maker.make("dataset", "w1", ("generated_by", "m0"))
    maker.make("dataset", "s1", ("derived_from", "w1"))
    maker.make("model", "m1", ("trained_on", "s1"))
    maker.make("dataset", "s2", ("generated_by", "m1"))
    maker.make(
        "dataset", "x2", *(("derived_from", key) for key in ("seed", "s1", "s2"))
    )
    maker.make("model", "m2", ("trained_on", "x2"))

    assert {key: parents for key, (parents, _) in maker.drawn("m2").items()} == {
        "m2": ["m1"], "m1": ["m0"], "m0": [],
    }  # fmt: skip


def test_inputs_of_another_model_are_not_ones_own(maker: Maker) -> None:
    """What a base model learned from is not named under those tuned from it."""
    maker.make("dataset", "pile")
    maker.make("model", "base", ("trained_on", "pile"))
    maker.make("model", "m0")
    maker.make("model", "m1", ("revises", "m0"), ("fine_tuned_from", "base"))

    assert maker.drawn("m1")["m1"] == (["m0"], ["base"])


def test_a_merge_has_two_rails(maker: Maker) -> None:
    """A merged model is drawn above all that it was merged from."""
    for key in ("a", "b"):
        maker.make("model", key)
    maker.make("model", "m", ("merged_from", "a"), ("merged_from", "b"))

    parents, chips = maker.drawn()["m"]

    assert (set(parents), chips) == ({"a", "b"}, [])


def test_a_teacher_is_a_row_without_rails_to_each_pupil(maker: Maker) -> None:
    """A model on a branch has its rail along it; who wrote its data is a chip."""
    maker.make("model", "teacher")
    maker.make("dataset", "data", ("generated_by", "teacher"))
    maker.make("model", "m0")
    maker.make("model", "m1", ("revises", "m0"), ("trained_on", "data"))

    assert maker.drawn() == {
        "m1": (["m0"], ["teacher", "data"]),
        "m0": ([], []),
        "teacher": ([], []),
    }


def test_datasets_that_nothing_uses_are_rows(maker: Maker) -> None:
    """So is what a dataset row was made from, where no model wrote it."""
    maker.make("dataset", "raw")
    maker.make("dataset", "clean", ("derived_from", "raw"))
    maker.make("dataset", "clean2", ("revises", "clean"))
    maker.make("config", "c")

    assert maker.drawn() == {
        "c": ([], []),
        "clean2": (["clean"], []),
        "clean": (["raw"], []),
        "raw": ([], []),
    }


def test_a_part_that_a_rail_leads_to_is_a_row(maker: Maker) -> None:
    """A model of a loop that somebody builds on outside of it stands alone."""
    maker.make("model", "m0")
    maker.make("model", "outside", ("fine_tuned_from", "m0"))
    maker.make("generation", "g0", ("includes", "m0"))

    assert maker.drawn() == {
        "g0": ([], ["m0"]),
        "outside": (["m0"], []),
        "m0": ([], []),
    }


def test_the_history_of_what_is_hidden_is_hidden(maker: Maker) -> None:
    """An older version of a dataset is no row below the newer one's chip."""
    maker.make("dataset", "old")
    maker.make("dataset", "new", ("revises", "old"))
    maker.make("model", "m", ("trained_on", "new"))

    assert maker.drawn() == {"m": ([], ["new"])}


def test_chips_of_one_name_are_one(maker: Maker, repo: Registry) -> None:
    """The data of many generations is one chip, with the sum of its shares."""
    maker.make("dataset", "seed")
    for number in (1, 2, 3):
        maker.make("dataset", f"s{number}", name="synthetic")
    share = {"records": [1, 4]}
    edges = [Edge("derived_from", id_, share=share) for id_ in maker.ids.values()]
    mixed = repo.commit("dataset", "mixed", edges=edges).id
    whole = Edge("trained_on", mixed, share={"records": [4, 4]})
    made = repo.commit("model", "m", edges=[whole]).id

    [row, *_] = folded(walk(repo, [made]), repo)

    assert [(c.name, c.id, c.share, c.more) for c in row.chips] == [
        ("mixed", mixed, None, 0),
        ("synthetic", maker.ids["s3"], 0.75, 2),
        ("seed", maker.ids["seed"], 0.25, 0),
    ]


def test_shares_of_several_training_sets(repo: Registry) -> None:
    """A model that was trained on two datasets says how much of each."""
    edges = [
        Edge("trained_on", repo.commit("dataset", name, params={"n": name}).id,
             share={"records": [part, 4]})
        for name, part in (("a", 1), ("b", 3))
    ]  # fmt: skip
    made = repo.commit("model", "m", edges=edges).id

    [row, *_] = folded(walk(repo, [made]), repo)

    assert {(c.name, c.share) for c in row.chips} == {("a", 0.25), ("b", 0.75)}


def test_tips_are_where_branches_end(maker: Maker) -> None:
    """A row is a tip when nothing above continues it, or a branch stands there."""
    maker.make("model", "m0", branch="m")
    maker.make("model", "m1", ("revises", "m0"), branch="m")
    maker.make("model", "m2", ("revises", "m1"), branch="other")

    assert [row.tip for row in maker.rows("m2")] == [True, True, False]


def test_unfolded_has_every_commit_and_every_edge(maker: Maker) -> None:
    """Nothing is hidden, and an id is named once however many edges lead to it."""
    seed = maker.make("dataset", "seed")
    maker.make("model", "m", ("trained_on", "seed"), ("evaluated_on", "seed"))

    rows = list(unfolded(walk(maker.registry, [maker.ids["m"]])))

    assert [row.parents for row in rows] == [(seed,), ()]


def test_headlines_start_with_what_people_ask_for() -> None:
    """Usual names first, then what has a direction, then the alphabet."""
    names = {
        name: Metric(1.0, direction="lower" if name == "zeal" else None)
        for name in ("kept", "zeal", "accuracy", "perplexity")
    }

    assert headlines(names) == ["perplexity", "accuracy", "zeal", "kept"]


def test_a_trend_ends_where_the_definition_changes(repo: Registry) -> None:
    """Values of another definition are not drawn in one line; eight are enough."""
    for version, values in ((1, [9.0]), (2, range(10))):
        for value in values:
            metric = Metric(float(value), "loss", version)
            made = repo.commit("model", "m", params={"v": value}, metrics={"x": metric})

    assert trend(repo, made.id, "x") == [2, 3, 4, 5, 6, 7, 8, 9]
    third = repo.resolve("HEAD~7")
    assert trend(repo, third, "x") == [0, 1, 2]


def test_what_somebody_measures_comes_before_what_every_loop_does() -> None:
    """A measure of one's own is seen where there is room for two."""
    found = {
        "duplicate_rate": Metric(0, "duplicate_rate", direction="lower"),
        "known_words": Metric(3, direction="higher"),
        "distinct_2": Metric(1, "distinct_2"),
    }
    assert headlines(found) == ["distinct_2", "known_words", "duplicate_rate"]
