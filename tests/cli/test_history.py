"""`--at`, `undo`, `redo`, protected branches: history that can be questioned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.store.objects import Event
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.fixture
def two(repo: Registry) -> Registry:
    """Commit two configs, one after the other, on ``config/c``."""
    for number in (1, 2):
        repo.commit("config", "c", params={"n": number})
    return repo


def go_live(registry: Registry, revision: str, when: str) -> None:
    """Move the branch ``live`` at a time of our choice."""
    target = registry.target("heads/live"), registry.entry(revision)
    move = Move("heads/live", target[0], Target(target[1].id, target[1].git))
    event = Event("branch", when, registry.actor())
    with registry.events_log.locked() as lock:
        registry.record(event, [move], lock=lock)


def test_log_at_a_day(two: Registry, transcript: Transcript) -> None:
    """What was live on a day is one command; stderr says once what it shows."""
    go_live(two, "config/c~1", "2031-11-03T10:00:00.000000Z")
    go_live(two, "config/c", "2031-11-05T10:00:00.000000Z")
    assert transcript(
        "log live --at 2031-11-03 --format csv",
        "log live --at '2031-11-05 11:00 UTC'",
        "branch --at 2031-11-04",
        "branch",
        "branch new --at 2031-11-04",
        "log --at 1999-12-31",
        "log --at soon",
    ) == snapshot("""\
$ lineage log live --at 2031-11-03 --format csv
id,git,kind,name,time,author,message,edges,params.n,branches,tags,generation
aaaaaaaaaaaa…,bbbbbbbbbbbb…,config,c,2026-01-02T03:04:05.678901Z,Ada Example <ada@example.com>,,[],1,"[""live""]",[],0
2> as of event cccccccc, 2026-01-02 03:04 UTC
$ lineage log live --at '2026-01-02 03:04 UTC'
□  dddddddd config c (HEAD -> live, config/c)              Ada Example, just now
□  aaaaaaaa config c                                       Ada Example, just now
2> as of event eeeeeeee, 2026-01-02 03:04 UTC
$ lineage branch --at 2031-11-04
   name      commit    kind
   config/c  dddddddd  config
*  live      aaaaaaaa  config
2> as of event cccccccc, 2026-01-02 03:04 UTC
$ lineage branch
   name      commit    kind
*  config/c  dddddddd  config
   live      dddddddd  config
$ lineage branch new --at 2031-11-04
2> as of event cccccccc, 2026-01-02 03:04 UTC
2> error: this is the registry as of event cccccccccccc
2> hint: what was is only read: leave out --at to change what is
exit 4
$ lineage log --at 1999-12-31
2> error: there is no event at or before 1999-12-31
2> hint: the first one is of 2026-01-02T03:04:05.678901Z
exit 5
$ lineage log --at soon
2> error: 'soon' is not a date: Invalid isoformat string: 'soon'
2> hint: write 2026-11-03, 2026-11-03T14:30, yesterday or '2 weeks ago'
exit 2
""")


@pytest.mark.parametrize(
    "words",
    [
        ("log",), ("show",), ("diff", "HEAD~1", "HEAD"), ("events",), ("branch",),
        ("tag",), ("status",), ("report", "HEAD"), ("loop", "status"),
        ("review", "list"),
    ],
)  # fmt: skip
def test_every_read_command_takes_at(
    two: Registry, run: Run, words: tuple[str, ...]
) -> None:
    """What a command prints of the past is what it printed then."""
    formats = [] if words[0] == "report" else ["--format", "json"]
    then, tip = run(*words, *formats).stdout, two.events_log.tip()
    two.commit("config", "c", params={"n": 3})
    two.commit("config", "d", params={"n": 4})
    done = run(*words, *formats, "--at", tip)
    assert done.exit_code == 0
    assert done.stdout == then
    assert done.stderr.startswith("as of event ")
