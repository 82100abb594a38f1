"""Finding commits by kind, name, metrics, parameters, author and time."""

from __future__ import annotations

import operator
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage import measured
from lineage.errors import UsageError
from lineage.history import walk
from lineage.search import Filters, search
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lineage.history import Entry
    from lineage.registry import Registry

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
PARAMS: list[dict[str, Any]] = [
    {"lr": 0.002, "seed": 1, "opt": {"name": "adamw"}, "bf16": True},
    {"lr": 0.02, "seed": 2**60, "opt": {"name": "sgd"}, "bf16": False},
    {"lr": "0.002", "seed": None, "opt": {"name": "true"}, "bf16": "true"},
    {"lr": 2, "betas": [0.9, 0.95], "opt": {}},
]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Make a registry with some of everything."""
    with closing(lineage.init(tmp_path_factory.mktemp("history") / "repo")) as registry:
        _fill(registry)
        yield registry


def _fill(registry: Registry) -> None:
    before: list[Edge] = []
    for number, params in enumerate(PARAMS * 3):
        author = ("Ada Example", "Ólafur Óskarsson")[number % 2]
        registry.git.run("config", "user.name", author)
        made = registry.commit(
            ("config", "model", "dataset")[number % 3],
            ("tutor", "org/tutor", "seed [1]")[number % 3],
            params={**params, "number": number},
            metrics={"perplexity": Metric(number * 2.5), "a-b": Metric(-number)},
            edges=before,
        )
        before = [Edge("derived_from", made.id)] if number != 6 else []
    _attest(registry)


def _attest(registry: Registry) -> None:
    """Say of some commits what was measured later, and take a part of it back."""
    ids = dict(enumerate(reversed(search(registry, Filters()))))
    for number in (0, 2, 4, 6, 8):
        measured.attest(registry, ids[number], {"f1": Metric(number)})
    measured.attest(registry, ids[4], {"f1": Metric(0.5), "loss": Metric(-1)})
    measured.attest(registry, ids[6], {"f1": None})
    recorded = {"perplexity": {"value": -9}, "f1": {"value": 100}}
    registry.attest("metrics", subject=ids[1], data={"metrics": recorded})
    registry.attest("metrics", subject="0" * 64, data={"metrics": recorded})


F1 = {0: 0, 1: 100, 2: 2, 4: 0.5, 8: 8}
LOSS = {4: -1}


def _found(registry: Registry, **fields: Any) -> list[int]:
    """Give the `number` parameters of what a search finds."""
    found = search(registry, Filters(**fields))
    return [registry.load(id_).params["number"] for id_ in found]


def _all(registry: Registry) -> list[Entry]:
    return list(walk(registry, registry.branches().values()))


# what is found


def test_everything_newest_first(history: Registry) -> None:
    """Without a filter every commit is found, the newest first."""
    assert _found(history) == list(range(11, -1, -1))
    assert search(history, Filters()) == [entry.id for entry in _all(history)]


@pytest.mark.parametrize(
    ("fields", "numbers"),
    [
        ({"kind": "model"}, [10, 7, 4, 1]),
        ({"name": "tutor"}, [9, 6, 3, 0]),
        ({"name": "*tutor"}, [10, 9, 7, 6, 4, 3, 1, 0]),
        ({"name": "seed [[]1]"}, [11, 8, 5, 2]),
        ({"name": "TUTOR"}, []),
        ({"author": "ÓLAFUR"}, [11, 9, 7, 5, 3, 1]),
        ({"author": "<ada@example"}, list(range(11, -1, -1))),
        ({"author": "nobody"}, []),
        ({"metrics": ("perplexity < 5",)}, [1, 0]),
        ({"metrics": ("perplexity<=5", "perplexity != 0")}, [2, 1]),
        ({"metrics": ("a-b>-2",)}, [1, 0]),
        ({"metrics": ("loss > 0",)}, []),
        ({"metrics": ("loss < 0", "f1 = 0.5", "perplexity = 10")}, [4]),
        ({"metrics": ("f1 >= 0",)}, [8, 4, 2, 1, 0]),
        ({"metrics": ("f1 >= 2", "perplexity > 0")}, [8, 2, 1]),
        ({"params": ("lr=0.002",)}, [8, 4, 0]),
        ({"params": ("lr = 2e-3",)}, [8, 4, 0]),
        ({"params": ('lr="0.002"',)}, [10, 6, 2]),
        ({"params": ("lr != 0.002",)}, [11, 10, 9, 7, 6, 5, 3, 2, 1]),
        ({"params": ("lr >= 0.02",)}, [11, 9, 7, 5, 3, 1]),
        ({"params": ("opt.name=sgd",)}, [9, 5, 1]),
        ({"params": ("opt.name != sgd",)}, [10, 8, 6, 4, 2, 0]),
        ({"params": ("bf16=true",)}, [10, 8, 6, 4, 2, 0]),
        ({"params": ("seed=null",)}, [10, 6, 2]),
        ({"params": ("seed=1152921504606846976",)}, [9, 5, 1]),
        ({"params": ("betas.1=0.95",)}, [11, 7, 3]),
        ({"params": ("opt={}",)}, [11, 7, 3]),
        ({"kind": "model", "params": ("lr=0.02",), "author": "óla"}, [1]),
    ],
)
def test_filters(history: Registry, fields: dict[str, Any], numbers: list[int]) -> None:
    """Each filter finds what it says, and several find what all of them say."""
    assert _found(history, **fields) == numbers


CONDITIONS = st.builds(
    "{} {} {}".format,
    st.sampled_from(["perplexity", "a-b", "loss", "f1"]),
    st.sampled_from(list(OPERATORS)),
    st.sampled_from([0, -3, 2.5, 1e1, 12.5, 100]),
)
TESTS = st.builds(
    "{} {} {}".format,
    st.sampled_from(["lr", "number", "warmup"]),
    st.sampled_from(list(OPERATORS)),
    st.sampled_from([0, 0.002, 1, 2, 5]),
)
FILTERS = st.builds(
    Filters,
    kind=st.sampled_from([None, "config", "model"]),
    name=st.sampled_from([None, "t*", "*[t]*", "?????"]),
    metrics=st.lists(CONDITIONS, max_size=2).map(tuple),
    params=st.lists(TESTS, max_size=2).map(tuple),
    author=st.sampled_from([None, "ada ", "Ó"]),
)


@settings(max_examples=60)
@given(FILTERS, st.none() | st.integers(0, 5))
def test_the_index_agrees_with_a_look_at_every_commit(
    history: Registry, filters: Filters, limit: int | None
) -> None:
    """A search finds what going through all the manifests by hand finds."""
    expected = [entry.id for entry in _all(history) if _meets(entry, filters)]

    assert search(history, filters, limit=limit) == expected[:limit]


def _meets(entry: Entry, filters: Filters) -> bool:
    commit = entry.commit
    known = {name: metric.value for name, metric in commit.metrics.items()}
    for name, values in (("f1", F1), ("loss", LOSS)):
        if commit.params["number"] in values:
            known[name] = values[commit.params["number"]]
    author = "{name} <{email}>".format(**entry.author)
    return (
        filters.kind in (None, commit.kind)
        and filters.accepts(commit.name, author)
        and all(_compare(known, str(text)) for text in filters.metrics)
        and all(_compare(commit.params, str(text)) for text in filters.params)
    )


def _compare(values: Mapping[str, Any], text: str) -> bool:
    """Compare as numbers; text is not equal to any, and what is absent is nothing."""
    name, op, number = text.split()
    if isinstance(values.get(name), str):
        return op == "!="
    return name in values and bool(OPERATORS[op](values[name], float(number)))


def test_the_past_had_the_values_of_then(history: Registry) -> None:
    """With --at, what was attested, replaced or taken back later is as it was."""
    said = [e for e in history.events_log.iterate() if e.event.type == "metrics"]
    wanted: list[tuple[str, list[int]]] = [
        ("f1 >= 0", [8, 4, 2, 1, 0]),  # all of it
        ("f1 >= 0", [8, 4, 2, 1, 0]),
        ("f1 >= 0", [8, 4, 2, 0]),
        ("f1 >= 0.5", [8, 6, 4, 2]),
        ("f1 > 0.5", [8, 6, 4, 2]),
        ("f1 > 0.5", [6, 4, 2]),
    ]
    for logged, (condition, numbers) in zip(said, wanted, strict=False):
        with closing(lineage.open(history.root, at=logged.event.id)) as then:
            assert _found(then, metrics=(condition,)) == numbers
    with closing(lineage.open(history.root, at=said[-1].event.prev[0])) as then:
        assert _found(then, metrics=("f1 >= 0",)) == []
        assert _found(then, metrics=("perplexity < 5",)) == [1, 0]


def test_starting_points(history: Registry) -> None:
    """With starting points, only they and what they came from are searched."""
    numbered = dict(zip(_found(history), search(history, Filters()), strict=True))

    def found(*starts: int, **fields: Any) -> list[int]:
        ids = [numbered[start] for start in starts]
        hits = search(history, Filters(**fields), starts=ids)
        return [history.load(id_).params["number"] for id_ in hits]

    assert found(2) == [2, 1, 0]
    assert found(1, 8) == [8, 7, 5, 4, 3, 2, 1, 0]
    assert found(8, metrics=("perplexity >= 12.5",)) == [8, 7, 5]
    assert found() == []


def test_times_are_those_of_the_first_event(history: Registry) -> None:
    """Both ends are included, to the microsecond."""
    times = [entry.time for entry in _all(history)]

    assert _found(history, since=times[3], until=times[1]) == [10, 9, 8]
    assert _found(history, until=times[-1]) == [0]


def test_dates_are_whole_days(history: Registry) -> None:
    """A date means all of that day, in UTC; a zone is taken into account."""
    times = [entry.time for entry in _all(history)]
    first, last = times[-1][:10], times[0][:10]
    newest = times[0].replace("Z", "+00:00")

    assert len(_found(history, since=first, until=last)) == 12
    assert _found(history, until="2001-01-01") == []
    assert _found(history, since="9999-12-31") == []
    assert _found(history, since=newest) == [11]
    assert _found(history, since=f"{last}T23:59:59.999999-23:59") == []


def test_a_limit_keeps_the_newest(history: Registry) -> None:
    """At most that many are given, the newest of all that match."""
    assert len(search(history, Filters(kind="model"), limit=2)) == 2
    assert search(history, Filters(), limit=3) == search(history, Filters())[:3]
    assert search(history, Filters(), limit=0) == []


# what makes no sense


@pytest.mark.parametrize(
    ("fields", "words", "hint"),
    [
        ({"kind": "table"}, "'table' is not a kind of commit", "config, dataset"),
        (
            {"metrics": ("perplexity",)},
            "the metric condition 'perplexity' is wrong at character 11: expected one ",
            "NAME OP VALUE",
        ),
        ({"metrics": ("< 3",)}, "at character 1: expected the name of a metric", ""),
        ({"metrics": ("x <",)}, "at character 4: expected a value", ""),
        ({"metrics": ("x == 3",)}, "at character 4: expected a value", ""),
        ({"metrics": ("x < low",)}, "at character 5: expected a number", ""),
        ({"metrics": ("x < nan",)}, "at character 5: expected a number", ""),
        ({"metrics": ("x ! 3",)}, "at character 3: expected one of < <= >", ""),
        ({"metrics": ("",)}, "at character 1: expected the name of a metric", ""),
        ({"params": ("lr > fast",)}, "at character 6: expected a number after >", ""),
        ({"params": ("lr < true",)}, "expected a number after <", ""),
        ({"params": ("=1",)}, "expected the name of a parameter", ""),
        ({"since": "soon"}, "'soon' is not a date", "2026-11-03"),
        ({"until": "2026-13-01"}, "'2026-13-01' is not a date", "2026-11-03"),
        ({"until": "2026-11-03T25:00"}, "is not a date", "T14:30"),
        ({"since": "0001-01-01T00:00+14:00"}, "is not a date", ""),
    ],
)
def test_nonsense_is_refused_with_its_place(
    fields: dict[str, Any], words: str, hint: str
) -> None:
    """A bad filter says where it goes wrong and what was expected, before any work."""
    with pytest.raises(UsageError) as caught:
        Filters(**fields)

    assert words in str(caught.value)
    assert hint in caught.value.hint


def test_the_kind_alone_asks_no_index() -> None:
    """Filters know whether anything is given, and whether the index has to be asked."""
    every, kind, values = Filters(), Filters(kind="model"), Filters(params=("a = 1",))

    assert [bool(one) for one in (every, kind, values)] == [False, True, True]
    assert [one.of_values for one in (every, kind, values)] == [False, False, True]


def test_filters_cost_nothing_until_they_are_used() -> None:
    """Importing this module and making filters does not import sqlmodel."""
    program = (
        "import sys; from lineage.search import Filters;"
        "Filters(metrics=('x < 1',)); sys.exit('sqlmodel' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
