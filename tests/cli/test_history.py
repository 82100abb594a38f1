"""`--at`, `undo`, `redo`, protected branches: history that can be questioned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.store.objects import Event
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

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
        "log live --at 2031-11-03",
        "log live --at '2031-11-05 11:00 UTC'",
        "branch --at 2031-11-04",
        "branch",
        "branch new --at 2031-11-04",
        "log --at 1999-12-31",
        "log --at soon",
    ) == snapshot("""\
$ lineage log live --at 2031-11-03
□  aaaaaaaa config c (HEAD -> live)                        Ada Example, just now
2> as of event bbbbbbbb, 2026-01-02 03:04 UTC
$ lineage log live --at '2026-01-02 03:04 UTC'
□  cccccccc config c (HEAD -> live, config/c)              Ada Example, just now
□  aaaaaaaa config c                                       Ada Example, just now
2> as of event dddddddd, 2026-01-02 03:04 UTC
$ lineage branch --at 2031-11-04
   name      commit    kind
   config/c  cccccccc  config
*  live      aaaaaaaa  config
2> as of event bbbbbbbb, 2026-01-02 03:04 UTC
$ lineage branch
   name      commit    kind
*  config/c  cccccccc  config
   live      cccccccc  config
$ lineage branch new --at 2031-11-04
2> as of event bbbbbbbb, 2026-01-02 03:04 UTC
2> error: this is the registry as of event bbbbbbbbbbbb
2> hint: what was is only read: leave out --at to change what is
exit 4
$ lineage log --at 1999-12-31
2> error: there is no event at or before 1999-12-31
2> hint: the first one is of 2026-01-02T03:04:05.678901Z
exit 5
$ lineage log --at soon
2> error: 'soon' is not a date
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


@pytest.mark.usefixtures("two")
def test_undo_of_a_deleted_branch(transcript: Transcript) -> None:
    """What moved is said; undo goes further back, redo brings back, ends are named."""
    assert transcript(
        "branch -d config/c",
        "undo --dry-run",
        "undo",
        "branch",
        "redo",
        "undo",
        "undo -m 'not this one'",
        "undo",
        "undo",
        "events -n 2",
    ) == snapshot("""\
$ lineage branch -d config/c
2> config/c is deleted; it was at aaaaaaaaaaaa
$ lineage undo --dry-run
would be undone: branch bbbbbbbb, 2026-01-02 03:04 UTC: deleted
branch config/c would be back at aaaaaaaa
$ lineage undo
2> undone: branch bbbbbbbb, 2026-01-02 03:04 UTC: deleted
2> branch config/c is back at aaaaaaaa
$ lineage branch
   name      commit    kind
*  config/c  aaaaaaaa  config
$ lineage redo
2> redone: undo cccccccc, 2026-01-02 03:04 UTC: branch bbbbbbbb: deleted
2> branch config/c is gone (was aaaaaaaa)
$ lineage undo
2> undone: branch bbbbbbbb, 2026-01-02 03:04 UTC: deleted
2> branch config/c is back at aaaaaaaa
$ lineage undo -m 'not this one'
2> undone: commit dddddddd, 2026-01-02 03:04 UTC
2> branch config/c is back at eeeeeeee (was aaaaaaaa)
$ lineage undo
2> undone: commit ffffffff, 2026-01-02 03:04 UTC
2> branch config/c is gone (was eeeeeeee)
$ lineage undo
2> error: there is nothing to undo
2> hint: `lineage events` lists them all
exit 5
$ lineage events -n 2
event     time              by           what  subject
gggggggg  2026-01-02 03:04  Ada Example  undo  config/c
  commit ffffffff
hhhhhhhh  2026-01-02 03:04  Ada Example  undo  config/c
  not this one
""")


def test_undo_names_what_is_in_the_way(two: Registry, transcript: Transcript) -> None:
    """The later event with type, author and time; statements, bad ids and tags too."""
    made = [id_[:8] for id_, _ in two.events()]
    two.attest("review", subject=two.resolve("HEAD"))
    review = next(iter(two.events()))[0][:8]
    assert transcript(
        f"undo {made[1]}",
        f"undo {review}",
        f"undo {made[-1]}",
        "undo 0000",
        "undo tutor",
        "tag v1",
        "undo",
        "tag v1",
        "redo",
        "redo",
    ) == snapshot("""\
$ lineage undo aaaaaaaa
2> error: event bbbbbbbb (commit) moved the branch config/c later
2> hint: `lineage undo bbbbbbbb` first; it is by Ada Example, 2026-01-02 03:04 UTC
exit 4
$ lineage undo cccccccc
2> error: the event cccccccc (review) moved no name
2> hint: a verdict is answered by another one: `lineage review`
exit 4
$ lineage undo dddddddd
2> error: the event dddddddd (init) moved no name
2> hint: it made the registry; remove the folder if you want none
exit 4
$ lineage undo 0000
2> error: there is no event 0000
2> hint: `lineage events` lists them
exit 5
$ lineage undo tutor
2> error: 'tutor' is not the id of an event
2> hint: `lineage events` lists them; 4 digits of an id are enough
exit 2
$ lineage tag v1
2> v1 is eeeeeeeeeeee
$ lineage undo
2> undone: tag ffffffff, 2026-01-02 03:04 UTC
2> tag v1 is gone, and its name spent (was eeeeeeee)
$ lineage tag v1
2> error: v1 was a tag once
2> hint: names of deleted tags are not used again: choose another
exit 4
$ lineage redo
2> redone: undo gggggggg, 2026-01-02 03:04 UTC: tag ffffffff
2> tag v1 is back at eeeeeeee
$ lineage redo
2> error: there is nothing to redo
2> hint: redo brings back what undo took, as long as nothing else has moved
exit 5
""")


@pytest.mark.usefixtures("two")
def test_protected_branches(transcript: Transcript) -> None:
    """Protect, list, be refused, let go."""
    assert transcript(
        "branch --protect config/c",
        "branch",
        "branch -d config/c",
        "branch -m config/c d",
        "branch -f config/c config/c~1",
        "commit config --name c --param n=3",
        "undo",
        "branch --unprotect config/c",
        "branch --unprotect config/c",
        "branch --protect config/c HEAD",
        "branch --protect",
        "branch --format csv",
    ) == snapshot("""\
$ lineage branch --protect config/c
2> config/c is protected
$ lineage branch
   name      commit    kind
*  config/c  aaaaaaaa  config  protected
$ lineage branch -d config/c
2> error: the branch config/c is protected: it is not deleted or renamed
2> hint: let it go with `lineage branch --unprotect config/c`
exit 4
$ lineage branch -m config/c d
2> error: the branch config/c is protected: it is not deleted or renamed
2> hint: let it go with `lineage branch --unprotect config/c`
exit 4
$ lineage branch -f config/c config/c~1
2> error: the branch config/c is protected: it only moves forward
2> hint: let it go with `lineage branch --unprotect config/c`
exit 4
$ lineage commit config --name c --param n=3
bbbbbbbbbbbb…
2> config c recorded on config/c
$ lineage undo
2> error: the branch config/c is protected: it only moves forward
2> hint: let it go with `lineage branch --unprotect config/c`
exit 4
$ lineage branch --unprotect config/c
2> config/c is protected no more
$ lineage branch --unprotect config/c
2> error: no branch config/c is protected
2> hint: `lineage branch` says which are
exit 5
$ lineage branch --protect config/c HEAD
2> error: one branch is protected or let go: NAME, nothing else
exit 2
$ lineage branch --protect
2> error: no branch is named
2> hint: see `lineage branch --help`
exit 2
$ lineage branch --format csv
name,id,git,kind,head,protected
config/c,bbbbbbbbbbbb…,cccccccccccc…,config,true,false
""")


def test_events_are_filtered(two: Registry, transcript: Transcript) -> None:
    """By type, name, author and time; several filters must all hold."""
    go_live(two, "config/c~1", "2031-11-03T10:00:00.000000Z")
    two.attest("note", subject=two.resolve("HEAD"), message="nothing but words " * 4)
    assert transcript(
        "events",
        "events --ref heads/config/c -n 1",
        "events --type note --type init",
        "events --since 2031-11-03 --until 2031-11-03 --ref live --author ADA",
        "events --author nobody",
        "events --since soon",
        "events 1a2b -n 1",
    ) == snapshot("""\
$ lineage events
event     time              by           what    subject
aaaaaaaa  2026-01-02 03:04  Ada Example  note    bbbbbbbb
  nothing but words nothing but words nothing but words nothing but words
cccccccc  2026-01-02 03:04  Ada Example  branch  live
dddddddd  2026-01-02 03:04  Ada Example  commit  config/c
eeeeeeee  2026-01-02 03:04  Ada Example  commit  config/c
ffffffff  2026-01-02 03:04  Ada Example  init
$ lineage events --ref heads/config/c -n 1
event     time              by           what    subject
dddddddd  2026-01-02 03:04  Ada Example  commit  config/c
$ lineage events --type note --type init
event     time              by           what  subject
aaaaaaaa  2026-01-02 03:04  Ada Example  note  bbbbbbbb
  nothing but words nothing but words nothing but words nothing but words
ffffffff  2026-01-02 03:04  Ada Example  init
$ lineage events --since 2031-11-03 --until 2031-11-03 --ref live --author ADA
event     time              by           what    subject
cccccccc  2026-01-02 03:04  Ada Example  branch  live
$ lineage events --author nobody
2> no such event
$ lineage events --since soon
2> error: 'soon' is not a date
2> hint: write 2026-11-03, 2026-11-03T14:30, yesterday or '2 weeks ago'
exit 2
$ lineage events 1a2b -n 1
2> error: one event is shown in full, unfiltered
2> hint: leave out the event or the filter
exit 2
""")


def test_one_event_in_full(two: Registry, transcript: Transcript) -> None:
    """Every move, the commits that came, circumstances and what it comes after."""
    two.commit("dataset", "d", __file__, message="one\ntwo", circumstances={"x": [1]})
    event = next(iter(two.events()))[0]
    whole = transcript(f"events {event}", f"events {event} --format json")
    assert whole.replace(__file__, "FILE") == snapshot("""\
$ lineage events aaaaaaaaaaaa…
event commit
id       aaaaaaaaaaaa…
git      bbbbbbbbbbbb…
time     2026-01-02 03:04:05 +0000
by       Ada Example <ada@example.com>
subject  cccccccccccc…
after    dddddddddddd…

    one
    two

moves
  name             from  to
  heads/dataset/d        cccccccccccc

commits
  id                                                                git
  cccccccccccc…  eeeeeeeeeeee…

data
  name  value
  path  FILE
  x     [1]
2> `lineage undo aaaaaaaa` takes back what it moved
$ lineage events aaaaaaaaaaaa… --format json
{
  "schema_version": 1,
  "id": "aaaaaaaaaaaa…",
  "type": "commit",
  "time": "2026-01-02T03:04:05.678901Z",
  "author": "Ada Example <ada@example.com>",
  "message": "one\\ntwo",
  "subject": "cccccccccccc…",
  "refs": [
    {
      "ref": "heads/dataset/d",
      "before": null,
      "after": "cccccccccccc…"
    }
  ],
  "data": {
    "path": "FILE",
    "x": [
      1
    ]
  },
  "git": "bbbbbbbbbbbb…",
  "prev": [
    "dddddddddddd…"
  ],
  "commits": [
    {
      "id": "cccccccccccc…",
      "git": "eeeeeeeeeeee…"
    }
  ],
  "extra": {}
}
""")
