"""Commits, edges, metrics, files and events as values."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import UsageError, VerificationError
from lineage.store.canonical import SAFE_INTEGER, canonical, digest
from lineage.store.files import file_list, parse_file_list
from lineage.store.objects import (
    KINDS,
    ROLES,
    Commit,
    Edge,
    Event,
    FileEntry,
    Metric,
    Payload,
    RefChange,
)

A, B, C = (digest(text) for text in (b"a", b"b", b"c"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(
    -SAFE_INTEGER, SAFE_INTEGER
)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner),
    max_leaves=6,
)
IDS = st.binary(min_size=32, max_size=32).map(bytes.hex)
COUNTS = st.integers(1, 10**12).flatmap(
    lambda whole: st.integers(0, whole).map(lambda part: [part, whole])
)
SHARES = st.none() | st.dictionaries(st.sampled_from(["records", "tokens"]), COUNTS)
EDGES = st.builds(
    Edge,
    st.sampled_from(ROLES),
    IDS,
    st.sampled_from(["declared", "observed"]),
    SHARES,
)
METRICS = st.builds(
    Metric,
    NUMBERS,
    definition=st.none() | TEXT,
    version=st.none() | st.integers(1, 9),
    direction=st.sampled_from([None, "higher", "lower"]),
    n=st.none() | st.integers(0, 10**9),
    interval=st.none() | st.lists(NUMBERS, min_size=2, max_size=2).map(sorted),
)
PARTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"),
    min_size=1,
    max_size=8,
).filter(lambda part: part not in {".", ".."})
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
FILES = st.builds(
    FileEntry,
    PATHS,
    st.sampled_from(["100644", "100755"]),
    st.integers(0, 2**50),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
    st.binary(min_size=16, max_size=16).map(bytes.hex),
)
DIRECTORIES = PATHS.map(lambda path: FileEntry(path, "040000"))
LISTINGS = st.lists(FILES | DIRECTORIES, unique_by=lambda entry: entry.path)
COMMITS = st.builds(
    Commit,
    st.sampled_from(KINDS),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=10),
    edges=st.lists(EDGES, max_size=4, unique_by=lambda edge: (edge.role, edge.id)),
    payload=st.none() | LISTINGS.map(lambda found: Payload.of(found, "directory")),
    params=st.dictionaries(TEXT, PLAIN, max_size=4),
    metrics=st.dictionaries(TEXT, METRICS, max_size=3),
    origin=st.none() | st.just({"type": "human", "licence": "CC0-1.0"}),
    gates=st.none() | st.just([{"id": "diversity", "verdict": "pass", "value": 0.5}]),
)


# commits


@given(COMMITS)
def test_a_commit_comes_back_from_its_manifest(commit: Commit) -> None:
    """A manifest read back is the same commit with the same bytes and id."""
    back = Commit.parse(commit.manifest)

    assert back.manifest == commit.manifest
    assert back.id == commit.id == sha256(commit.manifest).hexdigest()
    assert back.edges == commit.edges
    assert Commit(**_fields(back)).manifest == commit.manifest


def _fields(commit: Commit) -> dict[str, Any]:
    return {name: getattr(commit, name) for name in commit.__dataclass_fields__}


@given(COMMITS, st.dictionaries(TEXT.map("x-{}".format), PLAIN, min_size=1))
def test_unknown_fields_survive(commit: Commit, unknown: dict[str, Any]) -> None:
    """Fields of a newer version, at every level, keep the bytes and the id."""
    data = json.loads(commit.manifest)
    nested = [data.get("payload", {}), *data.get("edges", [])]
    nested += [*data.get("metrics", {}).values(), *data.get("gates", [])]
    for place in [data, *nested]:
        place.update(unknown)
    newer = canonical(_floats(data))
    back = Commit.parse(newer)

    assert back.manifest == newer
    assert back.id == sha256(newer).hexdigest()
    assert {name: back.extra[name] for name in unknown} == _floats(unknown)


def _floats(value: Any) -> Any:
    """Give large numbers as the floats that they are."""
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        return float(value)
    return value


def test_unknown_fields_of_the_whole_survive_a_change() -> None:
    """A commit made from a newer one keeps the fields that it does not know."""
    newer = Commit("model", "m", (Edge("revises", A),), extra={"weight_format": "x"})

    assert Commit.parse(newer.manifest).without("revises").extra == newer.extra


@given(COMMITS)
def test_edges_are_sorted(commit: Commit) -> None:
    """The order in which edges were given does not matter."""
    backwards = Commit(**{**_fields(commit), "edges": commit.edges[::-1]})

    assert backwards.id == commit.id
    assert list(commit.edges) == sorted(commit.edges, key=lambda e: (e.role, e.id))


def test_empty_fields_are_left_out() -> None:
    """A commit that says little has a short manifest, and nothing in it is null."""
    commit = Commit("config", "c", params={"lr": None}, metrics={}, gates=[])

    assert commit.manifest == (
        b'{"kind":"config","name":"c","params":{"lr":null},"schema":"lineage/1"}'
    )


def test_params_are_plain_data_from_the_start() -> None:
    """What a manifest cannot hold as it is becomes what it does hold, at once."""
    commit = Commit("config", "c", params={"seed": 2**60, "betas": (0.9, 0.95)})

    assert commit.params == {"seed": "1152921504606846976", "betas": [0.9, 0.95]}


def test_large_measurements_survive() -> None:
    """A float beyond 2**53, as FLOPs are, is read back as the number that it was."""
    commit = Commit("model", "m", params={"flops": 1e20}, metrics={"f": Metric(1e18)})
    back = Commit.parse(commit.manifest)

    assert back.params == {"flops": 1e20}
    assert back.metrics["f"].value == 1e18


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "table"}, "'table' is not a kind of commit"),
        ({"name": ""}, "'' is empty"),
        ({"name": "m\n\nLineage-Id: x"}, "does not print"),
        ({"origin": {"type": "alien"}}, "'alien' is not an origin"),
        ({"edges": (Edge("includes", A), Edge("includes", A))}, "two edges includes"),
        ({"params": {"lr": math.nan}}, r"params\.lr is nan"),
    ],
)
def test_commits_without_meaning_are_refused(fields: Any, words: str) -> None:
    """A wrong word, a double edge or a number that is none is named."""
    with pytest.raises(UsageError, match=words):
        Commit(**{"kind": "model", "name": "m", **fields})


def test_a_metric_that_is_no_number_has_no_manifest() -> None:
    """NaN is refused with the metric's name."""
    commit = Commit("model", "m", metrics={"loss": Metric(math.nan)})

    with pytest.raises(UsageError, match=r"metrics\.loss\.value is nan"):
        _ = commit.manifest


MANIFEST = Commit("model", "m", (Edge("includes", A),), metrics={"x": Metric(1.5)})


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "lineage/2"},
        {"schema": None},
        {"kind": "table"},
        {"kind": None},
        {"name": None},
        {"name": 7},
        {"name": "a\x00b"},
        {"edges": [{"role": "includes"}]},
        {"edges": {"role": "includes"}},
        {"edges": [7]},
        {"metrics": [1]},
        {"metrics": {"x": 1}},
        {"payload": "none"},
        {"payload": {"count": 1}},
        {"origin": "human"},
    ],
)
def test_malformed_manifests_are_refused(change: dict[str, Any]) -> None:
    """Canonical JSON that is no manifest is a VerificationError, never a traceback."""
    data = {**json.loads(MANIFEST.manifest), **change}
    given = {key: value for key, value in data.items() if value is not None}

    with pytest.raises(VerificationError, match="a manifest "):
        Commit.parse(canonical(given))


@given(st.data())
def test_every_flipped_bit_is_seen(data: st.DataObject) -> None:
    """A manifest with one bit flipped is refused, or has another id."""
    whole = bytearray(MANIFEST.manifest)
    place = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[place // 8] ^= 1 << place % 8

    try:
        back = Commit.parse(bytes(whole))
    except VerificationError:
        return
    assert back.id != MANIFEST.id


# edges and metrics


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("made_from", A), "'made_from' is not a role"),
        (("includes", A[:12]), "is not a commit id"),
        (("includes", A.upper()), "is not a commit id"),
        (("includes", A, "verified"), "'verified' is not a grade of evidence"),
        (("includes", A, "declared", {"records": [3, 2]}), r"records=\[3, 2\]"),
        (("includes", A, "declared", {"records": [0, 0]}), r"records=\[0, 0\]"),
        (("includes", A, "declared", {"tokens": [-1, 2]}), r"tokens=\[-1, 2\]"),
        (("includes", A, "declared", {"tokens": [0.5, 1]}), r"tokens=\[0.5, 1\]"),
        (("includes", A, "declared", {"tokens": [1, 2**53]}), "tokens="),
    ],
)
def test_edges_without_meaning_are_refused(fields: Any, words: str) -> None:
    """Role, id, evidence and share are checked when the edge is made."""
    with pytest.raises(UsageError, match=words):
        Edge(*fields)


@given(EDGES)
def test_edges_come_back(edge: Edge) -> None:
    """Writing an edge and reading it back changes nothing."""
    back = Edge.from_json(edge.to_json())

    assert (back, back.evidence) == (edge, edge.evidence)
    assert back.share == (edge.share or None)


@given(METRICS)
def test_metrics_come_back(metric: Metric) -> None:
    """Writing a metric and reading it back changes nothing."""
    assert Metric.from_json(metric.to_json()) == metric


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("low", "a metric is a number, not 'low'"),
        (True, "a metric is a number, not True"),
        (None, "a metric is a number, not None"),
        (2**53, "too large for an integer"),
        ({"value": 1, "unit": "s"}, "the unknown field 'unit'"),
        ({"n": 1}, "a metric has no value"),
        ({"value": 1, "direction": "up"}, "'up' is not a direction"),
        ({"value": 1, "n": -1}, "a sample size is a count, not -1"),
        ({"value": 1, "n": 1.5}, "a sample size is a count, not 1.5"),
        ({"value": 1, "interval": [2, 1]}, r"the interval \[2, 1\] is not a pair"),
        ({"value": 1, "interval": [1]}, r"the interval \[1\] is not a pair"),
        ({"value": 1, "interval": [math.nan, 1]}, "is not a pair"),
        ({"value": 1, "interval": [False, True]}, "is a number, not False"),
    ],
)
def test_metrics_without_meaning_are_refused(given: object, words: str) -> None:
    """What cannot be compared later is refused now."""
    with pytest.raises(UsageError, match=words):
        Metric.from_user(given)


def test_metrics_as_people_give_them() -> None:
    """A bare number and a mapping are both metrics."""
    assert Metric.from_user(3) == Metric(3)
    assert Metric.from_user({"value": 3, "n": 9}) == Metric(3, n=9)
    assert Metric.from_user(Metric(3)) == Metric(3)


# files


@given(LISTINGS)
def test_file_lists_come_back(entries: list[FileEntry]) -> None:
    """A file list is sorted by path, and read back it has the same bytes."""
    data = file_list(entries)
    back = parse_file_list(data)

    assert sorted(entries) == back
    assert file_list(back) == data
    assert data.count(b"\n") == len(entries)


@given(FILES | DIRECTORIES)
def test_lines_of_a_file_list_are_canonical(entry: FileEntry) -> None:
    """A line is the canonical JSON of what it says, and a newline."""
    fields = entry._asdict()
    if entry.mode == "040000":
        fields = {"mode": entry.mode, "path": entry.path}

    assert entry.line() == canonical(fields) + b"\n"


@given(LISTINGS)
def test_payloads_sum_up_their_files(entries: list[FileEntry]) -> None:
    """The payload's numbers, and the root in the order of a model-signing manifest."""
    payload = Payload.of(entries, "directory")
    files = [entry for entry in entries if entry.mode != "040000"]
    ordered = sorted(files, key=lambda entry: PurePosixPath(entry.path))
    digests = b"".join(bytes.fromhex(entry.sha256) for entry in ordered)

    assert (payload.count, payload.size) == (len(files), sum(e.size for e in files))
    assert payload.files == sha256(file_list(entries)).hexdigest()
    assert payload.root == sha256(digests).hexdigest()
    assert Payload.from_json(payload.to_json()) == payload


def test_the_root_goes_by_the_parts_of_paths() -> None:
    """a/b comes before a-b in the root, though not in files.jsonl."""
    entries = [_file("a-b"), _file("a.txt"), _file("a/b")]
    digests = [_file(path).sha256 for path in ("a/b", "a-b", "a.txt")]
    expected = sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()

    assert Payload.of(entries, "directory").root == expected
    assert [e.path for e in parse_file_list(file_list(entries))] == [
        *("a-b", "a.txt", "a/b")
    ]


def _file(path: str) -> FileEntry:
    return FileEntry(path, "100644", 1, digest(path.encode()), "0" * 32)


def test_only_payloads_that_are_elsewhere_say_so() -> None:
    """`stored` stands in a manifest only when it is false."""
    assert "stored" not in Payload.of([_file("a")], "file").to_json()
    assert Payload.of([_file("a")], "file", stored=False).to_json()["stored"] is False


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a\0b", ".."]
)
def test_paths_that_leave_the_payload_are_refused(path: str) -> None:
    """A file list from elsewhere cannot make us write outside the target."""
    with pytest.raises(VerificationError, match=r"files\.jsonl has a path"):
        parse_file_list(file_list([_file(path)]))


@pytest.mark.parametrize(
    "change",
    [
        {"md5": "..//../../../secret".ljust(32, "x")},
        {"md5": "0" * 31},
        {"md5": "0" * 32 + ".dir"},
        {"md5": "A" * 32},
        {"md5": 10**31},
        {"md5": None},
        {"sha256": "0" * 63 + "\n"},
        {"sha256": ["0" * 64]},
        {"sha256": ""},
        {"size": -1},
        {"size": True},
        {"size": 1.5},
        {"size": "1"},
        {"size": 2**53},
        {"size": None},
        {"mode": "040000"},
        {"mode": 100644},
        {"path": ["a"]},
        {"note": "more"},
    ],
)
def test_hostile_entries_are_refused(change: dict[str, Any]) -> None:
    """A digest becomes part of a path, so it is one, or nothing of the list is read."""
    fields = {**_file("a")._asdict(), **change}
    line = json.dumps(
        {key: value for key, value in fields.items() if value is not None},
        sort_keys=True,
        separators=(",", ":"),
    )
    with pytest.raises(VerificationError, match=r"^files\.jsonl "):
        parse_file_list(f"{line}\n".encode())


@pytest.mark.parametrize(
    "data",
    [
        _file("b").line() + _file("a").line(),
        _file("a").line()[:-1],
        _file("a").line().replace(b"\n", b"\r"),
        _file("a").line().replace(b"\n", b"\r\n"),
        _file("a").line() + b"\n",
        b"\n" + _file("a").line(),
        _file("a").line().replace(b":", b": "),
        _file("ä").line().replace("ä".encode(), b"\\u00e4"),
        FileEntry("a", "040000").line().replace(b"}", b',"size":0}'),
        b'{"md5":"","mode":"040000","path":"a","sha256":"","size":0}\n',
        _file("a").line() * 2,
        b"{}\n",
        b"[]\n",
        b"{\n",
        _file("a").line().replace(b"100644", b"120000"),
        _file("a").line().replace(b'"md5"', b'"blake3"'),
    ],
)
def test_malformed_file_lists_are_refused(data: bytes) -> None:
    """Order, doubles, fields, modes and the form of each line are checked."""
    with pytest.raises(VerificationError, match=r"files\.jsonl "):
        parse_file_list(data)


# events


EVENT = Event(
    "commit",
    "2026-01-02T03:04:05.678901Z",
    {"name": "Ada", "email": "ada@example.com"},
    message="first",
    prev=(A,),
    refs=(RefChange("heads/model/m", None, B),),
    commits=((B, "1" * 40),),
    subject=B,
    data={"seconds": 1.5, "flops": 1e19},
)


def test_an_event_comes_back() -> None:
    """An event read back is the same value with the same bytes and id."""
    back = Event.parse(EVENT.encoded)

    assert back == EVENT
    assert back.encoded == EVENT.encoded
    assert back.id == EVENT.id == sha256(EVENT.encoded).hexdigest()


def test_an_event_as_text() -> None:
    """Empty fields are left out, and refs say null where nothing was or is."""
    event = Event("drop", EVENT.time, {}, refs=(RefChange("runs/a", A, None),))

    assert json.loads(event.encoded) == {
        "schema": "lineage/1",
        "type": "drop",
        "time": EVENT.time,
        "actor": {},
        "refs": [{"ref": "runs/a", "before": A, "after": None}],
    }


@given(st.dictionaries(TEXT.map("x-{}".format), PLAIN, min_size=1))
def test_unknown_fields_of_events_survive(unknown: dict[str, Any]) -> None:
    """A newer event keeps its bytes and id at every level, also one called extra."""
    data = json.loads(EVENT.encoded)
    for place in (data, data["refs"][0], data["commits"][0], data["actor"]):
        place.update(unknown, extra=1)
    newer = canonical(_floats(data))
    back = Event.parse(newer)

    assert back.encoded == newer
    assert back.id == sha256(newer).hexdigest()
    assert back.refs == EVENT.refs
    assert back.extra == _floats({**unknown, "extra": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "lineage/2"},
        {"type": None},
        {"refs": [{"ref": "heads/x"}]},
        {"refs": [{"ref": "heads/x", "before": None, "after": "x"}]},
        {"refs": [{"ref": "heads/", "before": None, "after": A}]},
        {"refs": [{"ref": "heads", "before": None, "after": A}]},
        {"refs": [{"ref": "../x", "before": None, "after": A}]},
        {"commits": [{"id": A}]},
        {"commits": [{"id": A, "git": "../../x"}]},
        {"commits": [{"id": A[:-1], "git": "1" * 40}]},
        {"prev": 7},
        {"prev": ["x"]},
        {"message": 7},
        {"subject": ["x"]},
        {"data": "x"},
        {"actor": "Ada"},
        {"actor": {"name": "Ada"}},
        {"actor": {"name": 7, "email": "ada@example.com"}},
        {"actor": None},
        {"time": 7},
        {"time": "2026-01-02T03:04:05.678901+01:00"},
        {"time": "2026-01-02T03:04:05Z"},
        {"time": "2026-02-30T03:04:05.678901Z"},
        {"time": "2026-01-02T03:04:05.678901Z\n"},
    ],
)
def test_malformed_events_are_refused(change: dict[str, Any]) -> None:
    """Canonical JSON that is no event is a VerificationError."""
    data = {**json.loads(EVENT.encoded), **change}
    given = {key: value for key, value in data.items() if value is not None}

    with pytest.raises(VerificationError, match="an event "):
        Event.parse(canonical(_floats(given)))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": 5}, "a name is text, not 5"),
        ({"gates": ["x"]}, "gates are a list of verdicts"),
        ({"gates": "stop"}, "gates are a list of verdicts"),
        ({"external": "http://x"}, "external maps names to values"),
        ({"external": {"digest": "sha256:00"}}, "what is external has a uri"),
        ({"origin": ["human"]}, "origin maps names to values"),
        ({"code": 1}, "code maps names to values"),
        ({"edges": (("trained_on", "0" * 64),)}, "edges are a list of Edge"),
    ],
)
def test_forms_that_no_reader_expects(fields: dict[str, Any], sentence: str) -> None:
    """A manifest that could not be shown again is never made."""
    with pytest.raises(UsageError, match=sentence):
        Commit(**{"kind": "model", "name": "m", **fields})


def test_a_definition_is_a_name() -> None:
    """What a metric measures is called by text."""
    with pytest.raises(UsageError, match="a definition is a name"):
        Metric(1.0, definition=[1])  # type: ignore[arg-type]
