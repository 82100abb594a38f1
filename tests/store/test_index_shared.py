"""One database for several clones, and for several registries."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.indexing import index_of, index_status, rebuild_index
from lineage.measured import attest
from lineage.search import Filters, search
from lineage.store.objects import Metric
from tests.postgres import execute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry
    from tests.conftest import Run


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name a database that is nobody's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shared.sqlite"
    return str(request.getfixturevalue("database"))


@pytest.fixture
def clones(repo: Registry, tmp_path: Path, url: str) -> Iterator[list[Registry]]:
    """Make two clones with a past in common, whose index is in one database."""
    repo.settings.set("index.url", url)
    _commit(repo, 0)
    other = shutil.copytree(repo.root, tmp_path / "other")
    (other / ".git" / "lineage" / "uuid").unlink(missing_ok=True)
    with closing(lineage.open(other)) as second:
        yield [repo, second]


def _commit(registry: Registry, seed: int, message: str = "") -> str:
    made = registry.commit("config", "c", params={"seed": seed}, message=message)
    return made.id


def _found(registry: Registry, **filters: str) -> list[str]:
    return search(registry, Filters(**filters))  # type: ignore[arg-type]


def test_clones_share_rows_and_keep_their_answers(clones: list[Registry]) -> None:
    """What both have stands there once; each is told of its own commits alone."""
    first, second = clones
    [common] = _found(first)
    mine, theirs = _commit(first, 1), _commit(second, 2)

    assert _found(first) == [mine, common]
    assert _found(second) == [theirs, common]
    assert index_status(first).rows["commits"] == 3
    assert index_status(first).clones == 2
    assert (index_status(first).commits, index_status(second).commits) == (2, 2)


def test_registries_do_not_mix(repo: Registry, tmp_path: Path, url: str) -> None:
    """A commit that two registries have has in each its own first event."""
    with closing(lineage.init(tmp_path / "elsewhere")) as other:
        for registry, name in ((repo, "Ada"), (other, "Grace")):
            registry.settings.set("index.url", url)
            registry.git.run("config", "user.name", name)
        same = _commit(repo, 1)
        assert _commit(other, 1) == same
        more = _commit(other, 2)

        assert _found(repo) == [same]
        assert _found(other) == [more, same]
        assert _found(repo, author="Ada") == _found(other, author="Grace")[1:] == [same]
        assert _found(repo, author="Grace <") == _found(other, author="Ada <") == []


def test_a_rebuild_leaves_the_others_alone(clones: list[Registry]) -> None:
    """It makes rows anew that are wrong, and takes back none that another clone has."""
    first, second = clones
    mine, theirs = _commit(first, 1), _commit(second, 2)
    before = [_found(second), _found(first)]
    with index_of(first) as index:
        engine = index._engine
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE params SET number = 7")
    assert _found(first, params=("seed = 1",)) == []  # type: ignore[arg-type]

    status = rebuild_index(first)
    assert (status.current, status.commits) == (True, 2)
    assert _found(first, params=("seed = 1",)) == [mine]  # type: ignore[arg-type]
    assert _found(second, params=("seed = 0",)) == before[0][1:]  # type: ignore[arg-type]
    assert [_found(second), _found(first)] == before
    assert theirs in before[0]
    rebuild_index(second)
    assert index_status(second).rows == status.rows


def test_a_log_that_lost_events_takes_back_its_own(clones: list[Registry]) -> None:
    """Commits that one clone has no more stay where the other has them."""
    first, second = clones
    tip = first.events_log.tip()
    assert tip is not None
    mine, both = _found(first), _commit(first, 5)
    assert _commit(second, 5) == both
    assert both in _found(first)
    assert both in _found(second)
    first.git.run("update-ref", "refs/lineage/events", tip)

    assert _found(first) == mine
    assert _found(second) == [both, *mine]


def test_each_clone_goes_by_what_it_has_heard(clones: list[Registry]) -> None:
    """What one of them attested the other does not know, and a rebuild tells apart."""
    first, second = clones
    [common] = _found(first)
    attest(first, common, {"f1": Metric(1)})
    attest(second, common, {"f1": Metric(2), "g": Metric(3)})

    def found(registry: Registry, condition: str) -> list[str]:
        return search(registry, Filters(metrics=(condition,)))

    for _ in range(2):
        assert found(first, "f1 = 1") == found(second, "f1 = 2") == [common]
        assert found(first, "f1 = 2") == found(first, "g = 3") == []
        assert found(second, "g = 3") == [common]
        rebuild_index(first)


WRITE = """
import sys
import lineage
from lineage.search import Filters, search
with lineage.open(sys.argv[1]) as registry:
    for number in range(4):
        registry.commit("config", sys.argv[2], params={"n": number, "of": sys.argv[2]})
        search(registry, Filters())
    print(len(search(registry, Filters())))
"""


def test_all_write_at_once(clones: list[Registry]) -> None:
    """Processes of both clones begin with no tables and end with all rows, once."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WRITE, str(clone.root), name],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for name, clone in zip("abcd", clones * 2, strict=True)
        ]
        ends = [process.communicate() for process in running]

    assert [error for _, error in ends] == [""] * 4
    for clone in clones:
        known = sorted(clone.ids, key=lambda record: -record.number)
        assert _found(clone) == [record.id for record in known]
        assert len(known) == 9
    assert index_status(clones[0]).rows["commits"] == 17
    assert index_status(clones[0]).rows["params"] == 33


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("nonsense", "index.url is not a database URL"),
        ("mysql://root:hush@host/db", "an index cannot live in 'mysql'"),
        ("sqlite:////no/such/folder/x.sqlite", "No such file or directory"),
        ("postgresql://me:hush@127.0.0.1:9/db", "refused"),
        ("postgresql://me:hush@/db?host=/no/such/socket", "No such file"),
    ],
)
def test_a_database_that_cannot_be_used(
    repo: Registry, run: Run, wrong: str, said: str
) -> None:
    """It is one sentence with a hint, exit 1, and never the password."""
    _commit(repo, 1)
    repo.settings.set("index.url", wrong)
    for words in (["log", "--metric", "loss<1"], ["index", "status"]):
        done = run(*words)

        if done.exit_code == 0:  # the folder of a file may be made later
            assert wrong.startswith("sqlite")
            continue
        assert (done.exit_code, done.stdout) == (1, "")
        assert said in done.stderr
        assert "hush" not in done.stderr
        assert "hint: " in done.stderr
        assert len(done.stderr.splitlines()) <= 4


def test_a_wrong_password(repo: Registry, run: Run, database: str) -> None:
    """The server's refusal is passed on; what was tried is not."""
    _commit(repo, 1)
    repo.settings.set("index.url", database.replace("between-us", "hush"))
    done = run("log", "--metric", "loss<1")

    assert done.exit_code == 1
    assert "password authentication failed" in done.stderr
    assert "hush" not in done.stderr


def test_tables_of_others_stay(repo: Registry, database: str) -> None:
    """In a database that has tables of our names already, ours stand apart."""
    execute(database, "CREATE TABLE commits (title TEXT)")
    execute(database, "INSERT INTO commits VALUES ('mine')")
    repo.settings.set("index.url", database)
    made = _commit(repo, 1)

    assert _found(repo) == [made]
    execute(database, "DROP TABLE lineage.metrics")
    assert _found(repo, metrics=("loss < 1",)) == []  # type: ignore[arg-type]
    assert _found(repo) == [made]
    assert execute(database, "SELECT title FROM public.commits") == [("mine",)]


def test_without_the_driver(repo: Registry) -> None:
    """Where psycopg is not installed, the hint says what to install."""
    _commit(repo, 1)
    repo.settings.set("index.url", "postgres://me@host/db")
    code = (
        "import sys; sys.modules['psycopg'] = None; sys.argv[1:] = ['log', '--metric',"
        " 'a<1']; from lineage.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "needs the package psycopg" in done.stderr
    assert "pip install 'lineage-vcs[postgres]'" in done.stderr
