"""The reading half of the API, held against what the command line prints."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import zipfile
from contextlib import closing
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import lineage
from lineage.errors import WaitingForReview
from lineage.loop.running.runner import run as run_loop
from lineage.server import cache
from lineage.taints import taint
from tests.cli.loops.conftest import Toy
from tests.server.conftest import asking, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.testclient import TestClient

    from lineage.registry import Registry
    from tests.conftest import Run

API = "/api/v1"
TIP = "loop/toy"
SEED = "roots(ancestors(loop/toy)&kind(model))"


def fill(registry: Registry) -> None:
    """A loop that waits for a person, a taint, a tag, and a branch beside it."""
    toy = Toy(registry)
    path = toy.gated("review")
    with pytest.raises(WaitingForReview):
        run_loop(registry, path)
    note = toy.write("notes.txt", "by hand\n")
    made = registry.commit("dataset", "notes", note, message="beside the loop")
    taint(registry, made.id, reason="written in haste")
    registry.commit("config", "settings", params={"seed": 1, "deep": {"a.b": True}})


@pytest.fixture(scope="module")
def root(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the registry that this file reads, once; its folder."""
    root = tmp_path_factory.mktemp("served") / "repo"
    shutil.copytree(empty, root, symlinks=True)
    before = Path.cwd()
    os.chdir(root)
    try:
        with closing(lineage.open(root)) as registry:
            fill(registry)
    finally:
        os.chdir(before)
    return root


@pytest.fixture(scope="module")
def served(root: Path) -> Iterator[TestClient]:
    with asking(root) as client:
        yield client


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Iterator[Registry]:
    """Give a copy that a test may write into."""
    with closing(lineage.open(shutil.copytree(root, tmp_path / "copy"))) as registry:
        yield registry


PAIRS = {
    "commits": "log HEAD",
    "commits?all=1": "log --all",
    "commits?revset=loop/toy": "log loop/toy",
    "commits?revset=ancestors(loop/toy)%26kind(model)": (
        "log ancestors(loop/toy)&kind(model)"
    ),
    "commits?all=1&kind=dataset": "log --all --kind dataset",
    "commits?all=1&name=to*&metric=perplexity>20": (
        "log --all --name to* --metric perplexity>20"
    ),
    "commits?all=1&param=seed%3D1": "log --all --param seed=1",
    "commits/loop/toy": "show loop/toy",
    "commits/loop/toy~1": "show loop/toy~1",
    "commits/dataset/notes": "show dataset/notes",
    "commits/loop/toy/trace": "trace loop/toy",
    f"commits/{SEED}/impact": f"impact {SEED}",
    f"commits/{SEED}/impact?unit=tokens": f"impact {SEED} --unit tokens",
    f"commits/{SEED}/plan": f"impact {SEED} --plan",
    "diff?b=loop/toy": "diff loop/toy",
    "diff?a=loop/toy~1&b=loop/toy&only=metrics,files": (
        "diff loop/toy~1 loop/toy --only metrics,files"
    ),
    "events?since=2020-01-01": "events --since 2020-01-01",
    "events?type=taint": "events --type taint",
    "events?ref=dataset/notes": "events --ref dataset/notes",
    "metrics/perplexity?revset=loop/toy": "log --metric perplexity loop/toy",
    "metrics/perplexity?all=1": "log --metric perplexity --all",
    "reviews": "review list",
    "reviews?all=1": "review list --all",
    "reviews/toy": "review show toy",
    "reviews/toy?samples=3&seed=4&blind=1": "review show toy -n 3 --seed 4 --blind",
    "loops": "loop status",
    "loops/toy": "loop status toy",
}


@pytest.mark.parametrize(("asked", "command"), PAIRS.items())
def test_the_api_says_what_the_command_line_says(
    asked: str, command: str, served: TestClient, root: Path, run: Run
) -> None:
    """Every resource has the very shape that its command prints as JSON."""
    told = served.get(f"{API}/{asked}")
    assert told.status_code == 200, told.text
    found = told.json()
    os.chdir(root)
    printed = run(*command.split(), "--format", "json").json()
    if asked == "loops/toy":
        [one] = printed.pop("loops")
        printed |= one
    for one in (
        found.get("events", ()) if "events" in asked.split("?", maxsplit=1)[0] else ()
    ):
        del one["git"]
    found.pop("next", None)
    assert found == printed


def test_taints_are_listed(served: TestClient, root: Path, run: Run) -> None:
    """A taint has its reason and its reach; where records went takes reading files."""
    [found] = served.get(f"{API}/taints").json()["taints"]
    os.chdir(root)
    [printed] = run("taint", "--format", "json").json()["taints"]
    assert printed.pop("in") == []
    assert found == printed


def test_names(served: TestClient, root: Path, run: Run) -> None:
    """All branches and tags, and one of them by its name."""
    found = served.get(f"{API}/refs").json()
    os.chdir(root)
    assert found["branches"] == run("branch", "--format", "json").json()["branches"]
    one = served.get(f"{API}/refs/heads/loop/toy").json()
    assert one.pop("schema_version") == 1
    assert one in found["branches"]
    missing = served.get(f"{API}/refs/tags/loop/toy")
    assert (missing.status_code, missing.json()["title"]) == (
        404,
        "there is no tag loop/toy",
    )


def test_the_past(served: TestClient, root: Path) -> None:
    """With `at`, a resource is as it was at that event."""
    with closing(lineage.open(root)) as registry:
        before = registry.events_log.event(registry.events_log.tip() or "").prev[0]
    names = {b["name"] for b in served.get(f"{API}/refs").json()["branches"]}
    then = {
        b["name"]
        for b in served.get(f"{API}/refs", params={"at": before}).json()["branches"]
    }
    assert names - then == {"config/settings"}
    told = served.get(f"{API}/commits/config/settings", params={"at": before})
    assert told.status_code == 404


def test_pages_are_of_one_moment(copy: Registry) -> None:
    """Whatever is recorded meanwhile, pages together are the list as it was."""
    with asking(copy.root) as client:
        for what in ("commits?all=1", "commits?all=1&kind=dataset", "events"):
            key = what.split("?")[0]
            asked = f"{API}/{what}{'&' if '?' in what else '?'}limit="
            whole = client.get(f"{asked}1000").json()[key]
            rows, link = [], f"{asked}3"
            while link:
                page = client.get(link)
                rows += page.json()[key]
                following = page.links.get("next", {}).get("url", "")
                link = following and f"{API}/{key}{following}"
                copy.commit("config", "settings", params={"seed": len(rows)})
            assert [r["id"] for r in rows] == [r["id"] for r in whole], what
            assert rows == whole


def test_a_page_of_few_events_still_leads_on(served: TestClient) -> None:
    """A filter that lets nothing through ends; one page looks at so many events."""
    found = served.get(f"{API}/events?type=nothing").json()
    assert (found["events"], found["next"]) == ([], None)


@pytest.mark.parametrize(
    "cursor", ["x", "0" * 40, "0" * 40 + ".1", "0" * 40 + ".-1", "é" * 9]
)
def test_a_cursor_of_somebody_else_is_refused(served: TestClient, cursor: str) -> None:
    """A cursor names an event of this log, or the request is refused."""
    for what in ("commits", "events"):
        told = served.get(f"{API}/{what}", params={"cursor": cursor})
        assert (told.status_code, told.json()["title"]) == (
            400,
            "this is no cursor of this registry",
        )


def test_who_has_it_is_told_so(copy: Registry) -> None:
    """An ETag is of the bytes: 304 while they are the same, whatever else happens."""
    with asking(copy.root) as client:
        path = f"{API}/commits/dataset/notes"
        first = client.get(path)
        tag = first.headers["etag"].removeprefix("W/")  # weak where compressed
        again = client.get(path, headers={"If-None-Match": f'"x", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (
            304,
            b"",
            tag,
        )
        copy.commit("config", "settings", params={"seed": 9})
        same = client.get(path, headers={"If-None-Match": f"W/{tag}"})
        assert same.status_code == 304
        copy.move("tag", [], "")
        taint(copy, copy.resolve("dataset/notes"), reason="again")
        fresh = client.get(path, headers={"If-None-Match": tag})
        assert fresh.status_code == 200
        assert tag not in fresh.headers["etag"]
        assert [t["reason"] for t in fresh.json()["tainted"]] == [
            "written in haste",
            "again",
        ]


def test_what_rests_on_the_log_alone_is_kept_while_that_is(
    copy: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files and dates make an answer old without an event; of others only one does."""
    monkeypatch.setattr(cache, "_FRESH", -1)
    bare, whole = copy.resolve("config/settings"), copy.resolve("dataset/notes")
    asked, make = 0, cache._made

    def counted(*words: Any) -> Any:
        nonlocal asked
        asked += 1
        return make(*words)

    monkeypatch.setattr(cache, "_made", counted)
    with asking(copy.root) as client:
        for path, made in (
            (f"commits/{bare}", 1),
            (f"commits/{bare}/trace", 1),
            (f"commits/{bare}?at=today", 3),
            ("commits/config%2Fsettings", 3),
            (f"commits/{whole}", 3),  # its files can go
        ):
            asked = 0
            told = {client.get(f"{API}/{path}").content for _ in range(3)}
            assert (len(told), asked) == (1, made), path
        taint(copy, bare, reason="too hot")
        [mark] = client.get(f"{API}/commits/{bare}").json()["tainted"]
        assert mark["reason"] == "too hot"


def test_a_kept_answer_is_never_of_before_an_event(copy: Registry) -> None:
    """Whoever records something and asks is told of it, however often they ask."""
    with asking(copy.root) as client:
        for seed in range(5):
            made = copy.commit("config", "settings", params={"seed": seed})
            for _ in range(2):
                told = client.get(f"{API}/commits/config/settings").json()
                assert told["id"] == made.id


@pytest.mark.parametrize("template", [None, "eu-gpai"])
@pytest.mark.parametrize(
    "format_",
    ["html", "json", "md", "model-card", "dataset-card", "prov", "cyclonedx"],
)
def test_reports(
    served: TestClient, root: Path, run: Run, format_: str, template: str | None
) -> None:
    """A report has the bytes that `lineage report` writes."""
    asked = {"template": template} if template else {}
    revset = "dataset/notes" if format_ == "dataset-card" else TIP
    params = {"revset": revset, "format": format_, **asked}
    told = served.get(f"{API}/reports", params=params)
    os.chdir(root)
    words = ["--template", template] if template else []
    printed = run("report", revset, "--format", format_, *words).stdout
    assert told.text == printed
    if format_ == "html":
        assert "sandbox" in told.headers["content-security-policy"]


def test_a_template_is_no_path(served: TestClient, root: Path) -> None:
    """A file of the server is no template, whatever is in it."""
    path = root / "mine.yaml"
    path.write_text("id: mine")
    told = served.get(f"{API}/reports", params={"template": str(path)})
    assert told.status_code == 404


def test_a_bundle(served: TestClient, tmp_path: Path, run: Run) -> None:
    """A bundle is whole: `lineage verify` passes it."""
    told = served.get(f"{API}/bundles", params={"revset": TIP})
    assert told.headers["content-type"] == "application/zip"
    assert zipfile.ZipFile(BytesIO(told.content)).testzip() is None
    path = tmp_path / "bundle.zip"
    path.write_bytes(told.content)
    done = run("verify", path, "--format", "json")
    states = {check["state"] for check in done.json()["checks"]}
    assert states <= {"passed", "not checked"}


def test_one_event(served: TestClient, root: Path, run: Run) -> None:
    """An event in full, by the beginning of its id."""
    [taint_, *_] = served.get(f"{API}/events?type=taint").json()["events"]
    found = served.get(f"{API}/events/{taint_['id'][:12]}").json()
    os.chdir(root)
    assert found == run("events", taint_["id"], "--format", "json").json()
    assert served.get(f"{API}/events/zz").status_code == 400
    assert served.get(f"{API}/events/{'0' * 64}").status_code == 404


def test_verify_looks_at_the_bytes(copy: Registry) -> None:
    """A changed file is found; more commits than are allowed are not begun."""
    [entry] = copy.files(copy.resolve("dataset/notes"))
    assert entry.md5
    place = copy.payloads.cache / "files" / "md5" / entry.md5[:2] / entry.md5[2:]
    with asking(copy.root) as client:
        asked = f"{API}/verify?revset=dataset/notes"
        assert client.post(asked).json()["problems"] == []
        place.chmod(0o644)
        place.write_text("BY HAND\n")
        [problem] = client.post(asked).json()["problems"]
        assert problem["id"] == copy.resolve("dataset/notes")
        assert client.post(f"{API}/verify?revset=none()").json()["checked"] == 0


def read_events(lines: Iterator[str], count: int) -> list[dict[str, Any]]:
    """The next events of a stream; `id` is that of the stream."""
    found: list[dict[str, Any]] = []
    one: dict[str, Any] = {}
    for line in lines:
        key, _, value = line.partition(": ")
        if key in ("id", "event", "data"):
            one[key] = value
        elif not line and "data" in one:
            found.append(one)
            one = {}
            if len(found) == count:
                return found
    raise AssertionError(found)


def test_events_as_they_happen(copy: Registry) -> None:
    """A stream tells of each event once, in order, and goes on where it was left."""
    first = next(copy.events_log.iterate())
    with serving(copy.root) as url, httpx.Client(base_url=url, timeout=20) as client:
        with client.stream("GET", f"{API}/events/stream") as told:
            assert told.headers["content-type"].startswith("text/event-stream")

            def write() -> None:
                time.sleep(0.1)
                with closing(lineage.open(copy.root)) as other:
                    for seed in range(3):
                        other.commit("config", "settings", params={"new": seed})

            writer = threading.Thread(target=write)
            writer.start()
            found = read_events(told.iter_lines(), 3)
            writer.join()
        log = [logged.git for logged in copy.events_log.iterate()]
        assert [one["id"] for one in found] == log[2::-1]
        assert {one["event"] for one in found} == {"commit"}
        listed = client.get(f"{API}/events?limit=3").json()["events"]
        assert [json.loads(one["data"]) for one in found] == listed[::-1]
        again = {"Last-Event-ID": found[0]["id"]}
        with client.stream("GET", f"{API}/events/stream", headers=again) as told:
            missed = read_events(told.iter_lines(), 2)
        assert missed == found[1:]
        beyond = {"Last-Event-ID": "0" * 40}
        told_ = client.get(f"{API}/events/stream", headers=beyond)
        assert told_.status_code == 404
    assert first.git == log[3]
    assert all(a != b for a, b in pairwise(log))
