"""A training set is what the spec says, counted exactly, bytes shared."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lineage.errors import LineageError, UsageError
from lineage.loop.records.mixing import (
    Mixed,
    Part,
    Source,
    mix_counts,
    plan,
    shares,
    write,
)
from lineage.loop.records.shards import (
    read_records,
    shards_of,
    write_shard,
    write_shards,
)
from lineage.loop.spec.mixing import MixingSpec


def source(folder: Path, name: str, records: int, size: int = 4) -> Source:
    """A dataset of numbered records in shards of `size`."""
    rows = [{"id": f"{name}-{n}", "text": f"{name} {n}"} for n in range(records)]
    shards = write_shards(folder / name, name, rows, size)
    return Source(name, folder / name, tuple(shards))


def ids(mixed: list[Mixed]) -> list[str]:
    """The ids of all records of a written training set."""
    shards = [shard for part in mixed for shard in part.shards]
    return [record["id"] for shard in shards for record in read_records(shard.path)]


def mix(
    folder: Path,
    human: int = 10,
    written: tuple[int, ...] = (10, 6),
    generation: int = 2,
    seed: int = 0,
    **mixing: Any,
) -> list[Mixed]:
    """Plan and write a training set of made-up sources."""
    sources = [source(folder, f"g{n:03d}", count) for n, count in enumerate(written, 1)]
    parts = plan(
        MixingSpec(**mixing),
        source(folder, "human", human),
        sources,
        seed=seed,
        generation=generation,
    )
    return write(parts, folder / f"mixed-{generation}-{seed}")


def numbered(name: str, count: int) -> list[str]:
    return [f"{name}-{n}" for n in range(count)]


def test_replace_takes_the_newest_only(tmp_path: Path) -> None:
    """Nothing human and nothing older trains."""
    assert ids(mix(tmp_path, strategy="replace")) == numbered("g002", 6)


def test_accumulate_takes_everything(tmp_path: Path) -> None:
    """Human records and all generations, each record once."""
    taken = ids(mix(tmp_path, strategy="accumulate"))
    assert taken == numbered("human", 10) + numbered("g001", 10) + numbered("g002", 6)


def test_mix_keeps_all_new_records(tmp_path: Path) -> None:
    """The fraction is human, the rest is everything that was just written."""
    taken = ids(mix(tmp_path, strategy="mix", human_fraction=0.4))
    assert sum(name.startswith("human") for name in taken) == 4
    assert [name for name in taken if name.startswith("g")] == numbered("g002", 6)


def test_fresh_and_fixed_human_records(tmp_path: Path) -> None:
    """Fresh draws other human records each generation, fixed the same ones."""
    drawn: dict[str, list[set[str]]] = {"fresh": [], "fixed": []}
    for resample, sets in drawn.items():
        for generation in (2, 3, 4):
            folder = tmp_path / f"{resample}{generation}"
            taken = ids(
                mix(
                    folder,
                    human=100,
                    generation=generation,
                    strategy="mix",
                    human_fraction=0.5,
                    human_resample=resample,
                )
            )
            sets.append({name for name in taken if name.startswith("human")})
    assert drawn["fixed"][0] == drawn["fixed"][1] == drawn["fixed"][2]
    assert len({frozenset(taken) for taken in drawn["fresh"]}) == 3


def test_whole_shards_are_the_same_files(tmp_path: Path) -> None:
    """A shard that is taken whole has the same bytes; a part becomes one new shard."""
    for part in mix(tmp_path, strategy="mix", human_fraction=0.6, max_samples=11):
        for shard in part.shards:
            original = tmp_path / part.source.name / shard.path.name
            if original.exists():
                assert shard.path.read_bytes() == original.read_bytes()
            else:
                assert shard.path.name == "selected.jsonl"
    whole = mix(tmp_path / "whole", strategy="accumulate")
    names = [shard.path.name for part in whole for shard in part.shards]
    assert "selected.jsonl" not in names
    assert len(names) == 3 + 3 + 2


def test_a_selection_keeps_whole_shards_apart(tmp_path: Path) -> None:
    """Only what is left of broken shards is written anew, line by line."""
    (part,) = mix(tmp_path, written=(9,), strategy="replace", max_samples=8)
    names = [shard.path.name for shard in part.shards]
    assert names[-1] == "selected.jsonl"
    assert len(names) == 3
    lines = b"".join(path.read_bytes() for path in (tmp_path / "g001").iterdir())
    for line in part.shards[-1].path.read_bytes().splitlines():
        assert line in lines


@pytest.mark.parametrize("most", [None, 5])
def test_shards_of_one_name_stay_apart(tmp_path: Path, most: int | None) -> None:
    """Sub-folders are kept, and a selection has a name that no shard has."""
    written = tmp_path / "g001"
    for place in ("a/w", "b/w", "selected"):
        path = written / f"{place}.jsonl"
        write_shard(path, [{"id": f"g001-{place}-{n}", "text": "x"} for n in range(3)])
    source = Source("g001", written, tuple(shards_of(written)))
    rows = range(9) if most is None else [0, 6, 7, 8]
    [part] = write([Part(source, rows)], tmp_path / "mixed")
    files = {str(p.relative_to(tmp_path / "mixed/g001")) for p in shard_paths(part)}
    assert part.records == len(set(ids([part]))) == len(rows)
    assert len(shards_of(tmp_path / "mixed")) == len(files)
    if most is None:
        assert files == {"a/w.jsonl", "b/w.jsonl", "selected.jsonl"}
    else:
        assert files == {"selected.jsonl", "selected1.jsonl"}


def shard_paths(part: Mixed) -> list[Path]:
    return [shard.path for shard in part.shards]


@given(
    st.sampled_from(["replace", "accumulate", "mix"]),
    st.integers(1, 20),
    st.lists(st.integers(1, 20), min_size=1, max_size=3),
    st.none() | st.integers(1, 40),
    st.integers(0, 5),
)
def test_counts_are_exact(
    strategy: str, human: int, written: list[int], most: int | None, seed: int
) -> None:
    """Shares add up to what was written; no record is taken twice or made up."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        mixed = mix(
            folder,
            human,
            tuple(written),
            seed=seed,
            strategy=strategy,
            max_samples=most,
            human_fraction=0.3 if strategy == "mix" else None,
        )
        taken = ids(mixed)
        counted = shares(
            mixed, lambda records: sum(len(r["text"].split()) for r in records)
        )
    assert len(taken) == len(set(taken))
    if strategy != "mix":
        pool = written[-1] if strategy == "replace" else human + sum(written)
        assert len(taken) == min(pool, most or pool)
    for name, pairs in counted.items():
        own = sum(taken_id.startswith(name) for taken_id in taken)
        assert pairs == {
            "records": [own, len(taken)],
            "tokens": [2 * own, 2 * len(taken)],
        }


@given(
    st.fractions("1/100", "99/100"),
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.none() | st.integers(2, 3000),
)
def test_mix_counts(share: Fraction, human: int, new: int, most: int | None) -> None:
    """The human share is the one asked for, up to rounding one of the counts."""
    humans, others = mix_counts(share, human, new, most)
    assert 1 <= humans <= human
    assert 1 <= others <= new
    total = humans + others
    assert most is None or total <= most
    error = abs(Fraction(humans, total) - share)
    assert error <= Fraction(1, total) or 1 in (humans, others)
    if most is None:
        assert humans == human or others == new


@pytest.mark.parametrize(
    ("share", "human", "new", "most", "counts"),
    [
        ("1/10", 1250, 1250, None, (139, 1250)),
        ("1/2", 1250, 1250, None, (1250, 1250)),
        ("9/10", 900, 1250, None, (900, 100)),
        ("1/10", 1250, 1250, 1000, (100, 900)),
        ("1/1000", 1250, 5, None, (1, 5)),
        ("9/10", 1250, 1250, 4, (3, 1)),
        ("1/2", 1250, 1250, 1, (0, 1)),
    ],
)
def test_mix_counts_worked(
    share: str, human: int, new: int, most: int | None, counts: tuple[int, int]
) -> None:
    """Worked by hand: 139/1389 is the nearest to a tenth with all 1250 new records."""
    assert mix_counts(Fraction(share), human, new, most) == counts


def test_a_subsample_of_the_pool_is_even(tmp_path: Path) -> None:
    """`max_samples` takes from every source about as its size says, seed by seed."""
    human = 0
    for seed in range(40):
        mixed = mix(
            tmp_path / str(seed),
            human=20,
            written=(20, 20),
            seed=seed,
            strategy="accumulate",
            max_samples=30,
        )
        human += sum(name.startswith("human") for name in ids(mixed))
    assert 340 < human < 460  # 400 expected


def test_nothing_to_train_on(tmp_path: Path) -> None:
    """When every new record was rejected, replace has nothing left."""
    with pytest.raises(LineageError, match="generation 2 has nothing to train on"):
        mix(tmp_path, written=(5, 0), strategy="replace")


def test_shares_without_a_tokenizer(tmp_path: Path) -> None:
    """Records are counted always, tokens only where they can be."""
    counted = shares(mix(tmp_path, strategy="mix", human_fraction=0.4))
    assert counted == {"human": {"records": [4, 10]}, "g002": {"records": [6, 10]}}


def test_shares_of_records_that_have_nothing_to_predict(tmp_path: Path) -> None:
    """Records of one token have no share of the tokens that train, but one of them."""
    counted = shares(mix(tmp_path, strategy="mix", human_fraction=0.4), lambda _: 0)
    assert all(set(units) == {"records"} for units in counted.values())


counts = st.lists(st.integers(1, 20), min_size=1, max_size=4)


@given(st.integers(1, 25), counts, st.none() | st.integers(1, 40), st.integers(0, 5))
def test_a_subsample_keeps_its_budget(
    human: int, written: list[int], most: int | None, seed: int
) -> None:
    """As many records as there are human ones or the limit says, whatever piles up."""
    with TemporaryDirectory() as name:
        taken = ids(
            mix(
                Path(name),
                human,
                tuple(written),
                seed=seed,
                strategy="accumulate_subsample",
                max_samples=most,
            )
        )
    assert len(taken) == len(set(taken)) == min(most or human, human + sum(written))


def test_a_subsample_is_even_over_generations(tmp_path: Path) -> None:
    """Each record is as likely as any other (4 standard errors of 60 draws)."""
    found = {"human": 0, "g001": 0, "g002": 0}
    for seed in range(60):
        taken = ids(
            mix(
                tmp_path / str(seed),
                human=20,
                written=(20, 40),
                seed=seed,
                strategy="accumulate_subsample",
            )
        )
        for record in taken:
            found[record.partition("-")[0]] += 1
    for name, share in {"human": 0.25, "g001": 0.25, "g002": 0.5}.items():
        error = (60 * 20 * share * (1 - share)) ** 0.5
        assert abs(found[name] - 1200 * share) < 4 * error


@given(
    st.integers(1, 12),
    counts,
    st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from([0, 0.3, 0.5, 1, 2, 2.4])
            for name in ("human", "new", "old", "g001")
        },
    ),
)
def test_weights_are_exact(
    human: int, written: list[int], weights: dict[str, float]
) -> None:
    """Each record as often as its source's weight says, and the shares are counts."""
    own = {"human": weights.get("human", 1.0)}
    assume(own["human"] or weights.get("g001", weights.get("new", 1.0)))  # else refused
    for n in range(1, len(written) + 1):
        age = "new" if n == len(written) else "old"
        own[f"g{n:03d}"] = weights.get(f"g{n:03d}", weights.get(age, 1.0))
    sizes = dict(zip(own, [human, *written], strict=True))
    expected = {
        name: int(weight) * sizes[name] + round(Fraction(str(weight)) % 1 * sizes[name])
        for name, weight in own.items()
    }
    with TemporaryDirectory() as name:
        if not any(expected.values()):
            with pytest.raises(LineageError):
                mix(Path(name), human, tuple(written), weights=weights)
            return
        mixed = mix(Path(name), human, tuple(written), weights=weights)
        taken, counted = ids(mixed), shares(mixed)
    for source_, count in expected.items():
        times = [taken.count(i) for i in numbered(source_, sizes[source_])]
        assert sum(times) == count
        assert max(times) - min(times) <= 1
    assert counted == {
        name: {"records": [count, len(taken)]}
        for name, count in expected.items()
        if count
    }


def test_a_weight_s_choice_stays(tmp_path: Path) -> None:
    """Half of an old generation is the same half in every later one."""
    halves = [
        {
            name
            for name in ids(
                mix(tmp_path / str(n), written=(20,) * n, weights={"g001": 0.5})
            )
            if name.startswith("g001")
        }
        for n in (1, 2, 3)
    ]
    assert len(halves[0]) == 10
    assert halves[0] == halves[1] == halves[2]


def texts(folder: Path, name: str, lines: list[str], **more: str) -> Source:
    rows = [{"id": f"{name}-{n}", "text": t} | more for n, t in enumerate(lines)]
    shards = write_shards(folder / name, name, rows, 2)
    return Source(name, folder / name, tuple(shards))


LONG = "the quick brown fox jumps over the lazy dog and then sleeps until noon today"


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ("none", ["human-0", "human-1", "g001-0", "g001-1", "g002-0", "g002-1"]),
        ("exact", ["human-0", "human-1", "g001-1", "g002-1"]),
        ("near", ["human-0", "human-1", "g002-1"]),
    ],
)
def test_repetitions_are_left_out_across_sources(
    tmp_path: Path, how: str, left: list[str]
) -> None:
    """The earliest is kept, and human records come first."""
    sources = [
        texts(tmp_path, "human", ["a fox", LONG]),
        texts(tmp_path, "g001", ["a fox", f"{LONG}, so"]),
        texts(tmp_path, "g002", [LONG, "an owl"]),
    ]
    mixing = MixingSpec.model_validate({"deduplicate": how})
    parts = plan(mixing, sources[0], sources[1:], seed=0, generation=2)
    mixed = write(parts, tmp_path / "mixed")
    assert ids(mixed) == left
    assert sum(pair["records"][0] for pair in shares(mixed).values()) == len(left)


def test_pairs_that_reject_something_else_are_no_repetition(tmp_path: Path) -> None:
    """Preference records are compared as a whole."""
    sources = [
        texts(tmp_path, "human", ["a"]),
        texts(tmp_path, "g001", ["q good"], rejected=" bad"),
        texts(tmp_path, "g002", ["q good", "q good"], rejected=" worse"),
    ]
    mixing = MixingSpec(deduplicate="exact")
    parts = plan(mixing, sources[0], sources[1:], seed=0, generation=2)
    assert ids(write(parts, tmp_path / "mixed")) == ["human-0", "g001-0", "g002-0"]


@pytest.mark.parametrize(
    ("mixing", "sentence"),
    [
        ({"weights": {"humans": 1}}, "is no source; did you mean human"),
        ({"weights": {"new": -1}}, "must be at least 0"),
        ({"strategy": "replace", "weights": {"new": 2}}, "weights go with accumulate"),
        ({"deduplicate": "all"}, "must be 'none', 'exact' or 'near'"),
    ],
)
def test_what_cannot_be_mixed(
    parse: Any, mixing: dict[str, Any], sentence: str
) -> None:
    """It is refused in one sentence."""
    with pytest.raises(UsageError, match=sentence):
        parse(mixing=mixing)
