"""`lineage attest`, and what others make of what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


def test_attesting_is_seen_by_show(loop: Any, transcript: Transcript) -> None:
    """The event's id is printed; show marks the metric with it, and lists it."""
    del loop
    assert transcript(
        "attest loop/tutor --metric accuracy=0.81,0.83,0.82 -m 'by hand'",
        "show loop/tutor",
        "attest loop/tutor --metric accuracy=0.81,0.83,0.82",
        "attest loop/tutor --withdraw accuracy",
    ) == snapshot("""\
$ lineage attest loop/tutor --metric accuracy=0.81,0.83,0.82 -m 'by hand'
aaaaaaaaaaaa…
2> said of generation tutor bbbbbbbb: accuracy
$ lineage show loop/tutor
generation 2 of tutor (HEAD -> loop/tutor)
id        bbbbbbbbbbbb…
git       cccccccccccc…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>

    generation 2 of tutor

edges
  role      commit    what                     share  evidence
  follows   dddddddd  generation tutor                observed
  includes  eeeeeeee  config tutor                    observed
  includes  ffffffff  dataset tutor-mixed             observed
  includes  gggggggg  model tutor                     observed
  includes  hhhhhhhh  dataset tutor-synthetic         observed

metrics
  name        value  interval              n  better  definition  attested
  accuracy     0.82  [0.7952, 0.8448]      3                      aaaaaaaa
  distinct_2   0.19                      900          v1
  perplexity   88.4                    4,000  lower   v1

params
  name        value
  generation  2

events
  time              event    by           message
  2026-01-02 03:04  metrics  Ada Example  accuracy 0.82: by hand
$ lineage attest loop/tutor --metric accuracy=0.81,0.83,0.82
aaaaaaaaaaaa…
2> said already of generation tutor bbbbbbbb: accuracy
$ lineage attest loop/tutor --withdraw accuracy
iiiiiiiiiiii…
2> said of generation tutor bbbbbbbb: accuracy withdrawn
""")


def test_what_is_wrong_is_said(loop: Any, transcript: Transcript) -> None:
    """A recorded name, no number, nothing, both at once, and the past."""
    del loop
    assert transcript(
        "attest loop/tutor --metric perplexity=1",
        "attest loop/tutor --metric a=x",
        "attest loop/tutor --metric a=1,",
        "attest loop/tutor",
        "attest loop/tutor --withdraw a",
        "attest loop/tutor --metric a=1 --withdraw a",
        "attest nowhere --metric a=1",
    ) == snapshot("""\
$ lineage attest loop/tutor --metric perplexity=1
2> error: aaaaaaaaaaaa records perplexity itself, and that holds
2> hint: attest it under another name
exit 2
$ lineage attest loop/tutor --metric a=x
2> error: the metric a: a metric is a number, not 'x'
exit 2
$ lineage attest loop/tutor --metric a=1,
2> error: the metric a: a metric is a number, not None
exit 2
$ lineage attest loop/tutor
2> error: nothing is said
2> hint: metrics, --state, --release or --retire, a command each
exit 2
$ lineage attest loop/tutor --withdraw a
2> error: nobody attested a of aaaaaaaaaaaa
2> hint: `lineage show` lists what was attested
exit 2
$ lineage attest loop/tutor --metric a=1 --withdraw a
2> error: a is both attested and withdrawn
exit 2
$ lineage attest nowhere --metric a=1
2> error: no branch, tag or commit is called 'nowhere'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
""")


def test_a_file_has_all_that_a_metric_can_have(loop: Any, run: Run) -> None:
    """Definitions and directions come from the file; a list is one of repeats."""
    text = "a: {value: 1, direction: higher, definition: d, version: 2}\nb: [1, 3]\n"
    loop.write("m.yaml", text)
    done = run("attest", "loop/tutor", "--metrics", "m.yaml", "--format", "json")
    said = done.json()
    assert said["created"] is True
    assert said["metrics"]["a"] == {
        "value": 1, "definition": "d", "version": 2, "direction": "higher",
        "n": None, "interval": None,
    }  # fmt: skip
    assert (said["metrics"]["b"]["value"], said["metrics"]["b"]["n"]) == (2, 2)
    shown = run("show", "loop/tutor", "--format", "json").json()["metrics"]
    assert shown["a"] == {**said["metrics"]["a"], "event": said["event"]}
    assert shown["perplexity"]["event"] is None
    again = run("attest", "loop/tutor", "--metrics", "m.yaml", "--format", "json")
    assert again.json() == {**said, "created": False, "schema_version": 1}


def test_log_shows_it_among_the_headlines(loop: Any, run: Run) -> None:
    """With its trend along the branch, up to what the log knew then."""
    for number, (id_, _) in enumerate(loop.made):
        run("attest", id_, "--metric", f"accuracy={number / 10}")
    shown = run("log", "loop/tutor").stdout
    assert "accuracy 0.2 ▁▅█" in shown
    listed = run("log", "loop/tutor", "--kind", "generation", "--format", "jsonl")
    assert [r["metrics"]["accuracy"] for r in listed.jsonl()] == [0.2, 0.1, 0.0]
    events = run("events", "--format", "jsonl").jsonl()
    then = run("log", "loop/tutor", "--at", events[1]["id"]).stdout
    assert "accuracy 0.1" in then
    assert "accuracy 0.2" not in then


def test_bisect_reads_what_was_attested(loop: Any, run: Run) -> None:
    """Values that came later are looked at like those that are recorded."""
    for (id_, _), value in zip(loop.made, (0.9, 0.88, 0.3), strict=True):
        run("attest", id_, "--metric", f"accuracy={value}")
    first = loop.made[0][0]
    done = run("bisect", "accuracy", "--good", first, "--format", "json")
    assert done.json()["culprit"] == loop.made[2][0]


@pytest.mark.parametrize("command", ["undo", "undo --dry-run"])
def test_undo_says_what_answers_an_attestation(
    loop: Any, run: Run, command: str
) -> None:
    """What was said stays said; the way to take it back is named."""
    event = run("attest", loop.made[0][0], "--metric", "a=1").stdout.strip()
    done = run(*command.split(), event)
    assert done.exit_code == 4
    assert "--withdraw NAME" in done.stderr


def test_what_people_state_is_shown_with_who_said_it(
    loop: Any, transcript: Transcript
) -> None:
    """A text of its own line, from the command line or a file; null takes it back."""
    loop.write("risks.md", "\ufeffWrong sums.\r\nRare ones most.\r\n")
    assert transcript(
        "attest loop/tutor --state purpose='sums for pupils' --state risks=@risks.md",
        "attest loop/tutor --state contact=@@ada -m 'asked by phone'",
        "attest loop/tutor --state purpose='sums for pupils'",
        "show loop/tutor",
        "attest loop/tutor --state contact= --format json",
    ) == snapshot("""\
$ lineage attest loop/tutor --state purpose='sums for pupils' --state risks=@risks.md
aaaaaaaaaaaa…
2> stated of generation tutor bbbbbbbb: purpose, risks
2> no built-in template asks for purpose, risks; see `lineage report --templates`
$ lineage attest loop/tutor --state contact=@@ada -m 'asked by phone'
cccccccccccc…
2> stated of generation tutor bbbbbbbb: contact
2> no built-in template asks for contact; see `lineage report --templates`
$ lineage attest loop/tutor --state purpose='sums for pupils'
aaaaaaaaaaaa…
2> stated already of generation tutor bbbbbbbb: purpose
2> no built-in template asks for purpose; see `lineage report --templates`
$ lineage show loop/tutor
generation 2 of tutor (HEAD -> loop/tutor)
id        bbbbbbbbbbbb…
git       dddddddddddd…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>

    generation 2 of tutor

edges
  role      commit    what                     share  evidence
  follows   eeeeeeee  generation tutor                observed
  includes  ffffffff  config tutor                    observed
  includes  gggggggg  dataset tutor-mixed             observed
  includes  hhhhhhhh  model tutor                     observed
  includes  iiiiiiii  dataset tutor-synthetic         observed

metrics
  name        value  interval      n  better  definition
  distinct_2   0.19              900          v1
  perplexity   88.4            4,000  lower   v1

params
  name        value
  generation  2

stated
  field    by           event
  contact  Ada Example  cccccccc
    @ada
  purpose  Ada Example  aaaaaaaa
    sums for pupils
  risks    Ada Example  aaaaaaaa
    Wrong sums. Rare ones most.

events
  time              event      by           message
  2026-01-02 03:04  statement  Ada Example  contact: asked by phone
  2026-01-02 03:04  statement  Ada Example  purpose, risks
$ lineage attest loop/tutor --state contact= --format json
{
  "schema_version": 1,
  "event": "jjjjjjjjjjjj…",
  "subject": "bbbbbbbbbbbb…",
  "stated": {
    "contact": null
  },
  "created": true
}
2> stated of generation tutor bbbbbbbb: contact withdrawn
""")


def test_a_release_is_shown_where_commits_are_shown(
    loop: Any, run: Run, transcript: Transcript
) -> None:
    """By show with its times, by log beside names and in chips, by a revset."""
    first = loop.made[0][1]
    run("attest", first, "--release", "production")
    assert transcript(
        "attest 'loop/tutor^includes(model)' --release production -m 'v2 {x}'",
        "attest loop/tutor --release eu/test",
        "attest loop/tutor --release eu/test",
        "log loop/tutor -n 1",
        "log released()",
        "log released(prod*)",
        f"show {first}",
        "attest loop/tutor --retire eu/test --format json",
        "attest loop/tutor --retire eu/test",
        "log released(eu/*)",
    ) == snapshot("""\
$ lineage attest 'loop/tutor^includes(model)' --release production -m 'v2 {x}'
aaaaaaaaaaaa…
2> live in production: model tutor bbbbbbbb
$ lineage attest loop/tutor --release eu/test
cccccccccccc…
2> live in eu/test: generation tutor dddddddd
$ lineage attest loop/tutor --release eu/test
cccccccccccc…
2> live already in eu/test: generation tutor dddddddd
$ lineage log loop/tutor -n 1
●  dddddddd generation 2 of tutor (HEAD -> loop/tutor, live: eu/test)
│  Ada Example, just now
~  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
   ← model bbbbbbbb live: production · mixed eeeeeeee · synthetic ffffffff 50 %
     gutenberg gggggggg 50 % · config hhhhhhhh
$ lineage log released()
● dddddddd generation 2 of tutor (HEAD -> loop/tutor, live: eu/test)
  Ada Example, just now
  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁

◆ bbbbbbbb model tutor generation 2 (live: production)     Ada Example, just now
$ lineage log released(prod*)
◆ bbbbbbbb model tutor generation 2 (live: production)     Ada Example, just now
$ lineage show iiiiiiiiiiii…
model tutor
id        iiiiiiiiiiii…
git       jjjjjjjjjjjj…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>
payload   2 files, 1.01 kB
from      model

edges
  role           commit    what               share  evidence
  configured_by  hhhhhhhh  config tutor              observed
  trained_on     gggggggg  dataset gutenberg         observed

releases
  environment  since             until             by           event
  production   2026-01-02 03:04  2026-01-02 03:04  Ada Example  kkkkkkkk

events
  time              event    by           message
  2026-01-02 03:04  release  Ada Example  live in production

files
  path         size  sha256
  config.json  14 B  llllllllllll
  weights.bin  1 kB  mmmmmmmmmmmm
$ lineage attest loop/tutor --retire eu/test --format json
{
  "schema_version": 1,
  "event": "nnnnnnnnnnnn…",
  "subject": "dddddddddddd…",
  "environment": "eu/test",
  "live": false,
  "created": true
}
2> no more live in eu/test: generation tutor dddddddd
$ lineage attest loop/tutor --retire eu/test
2> error: dddddddddddd is not live in eu/test
2> hint: nothing is live there
exit 5
$ lineage log released(eu/*)
2> no such commit
""")


def test_what_is_released_while_tainted_is_noted(loop: Any, run: Run) -> None:
    """It is recorded all the same: the warning is for who did it."""
    run("taint", loop.human, "--reason", "consent withdrawn")
    done = run("attest", loop.made[1][1], "--release", "production")
    assert done.exit_code == 0
    assert "! tainted by dataset gutenberg" in done.stderr
    assert "consent withdrawn" in done.stderr


def test_what_cannot_be_said_is_refused(loop: Any, transcript: Transcript) -> None:
    """Each error says what to do; nothing is recorded."""
    loop.write("empty.txt", "\n")
    loop.write("long.txt", "x" * 70000)
    tip = loop.registry.events_log.tip()
    assert transcript(
        "attest loop/tutor --state purpose",
        "attest loop/tutor --state Purpose=x",
        "attest loop/tutor --state a=x --state a=y",
        "attest loop/tutor --state a=@nowhere.txt",
        "attest loop/tutor --state a=@empty.txt",
        "attest loop/tutor --state a=@long.txt",
        "attest loop/tutor --state a=",
        "attest loop/tutor --state a=x --release production",
        "attest loop/tutor --release -x",
        "attest loop/tutor --retire production",
        "attest loop/tutor --retire ''",
    ) == snapshot("""\
$ lineage attest loop/tutor --state purpose
2> error: 'purpose' is not a field and a text
2> hint: write it as --state FIELD=TEXT or FIELD=@FILE
exit 2
$ lineage attest loop/tutor --state Purpose=x
2> error: 'Purpose' is not the name of a field
2> hint: small letters, digits, _ . and -, at most 64: intended_purpose
exit 2
$ lineage attest loop/tutor --state a=x --state a=y
2> error: the field a is given twice
exit 2
$ lineage attest loop/tutor --state a=@nowhere.txt
2> error: nowhere.txt cannot be read: No such file or directory
2> hint: write @@ where a text begins with an @
exit 2
$ lineage attest loop/tutor --state a=@empty.txt
2> error: empty.txt is empty
2> hint: `FIELD=` takes a statement back
exit 2
$ lineage attest loop/tutor --state a=@long.txt
2> error: the text of a is longer than 64 KiB
exit 2
$ lineage attest loop/tutor --state a=
2> error: nobody stated a of aaaaaaaaaaaa
2> hint: `lineage show` lists what is stated
exit 2
$ lineage attest loop/tutor --state a=x --release production
2> error: one kind of thing is said at a time
2> hint: metrics, --state, --release or --retire, a command each
exit 2
$ lineage attest loop/tutor --release -x
2> error: the environment '-x' starts with -
2> hint: any printable text without .. @{ ~ ^ : and not starting with -
exit 2
$ lineage attest loop/tutor --retire production
2> error: aaaaaaaaaaaa is not live in production
2> hint: nothing is live there
exit 5
$ lineage attest loop/tutor --retire ''
2> error: --retire is empty
2> hint: give it a value, or leave it out
exit 2
""")
    assert loop.registry.events_log.tip() == tip


@pytest.mark.parametrize(
    ("said", "answer"),
    [(("--state", "a=x"), "--state FIELD="), (("--release", "p"), "--retire ENV")],
)
def test_undo_says_how_to_take_back_what_was_said(
    loop: Any, run: Run, said: tuple[str, ...], answer: str
) -> None:
    """Nothing is removed: the event that answers it is named."""
    event = run("attest", loop.made[0][0], *said).stdout.strip()
    done = run("undo", event)
    assert (done.exit_code, answer in done.stderr) == (4, True)


def test_a_report_as_of_a_day_tells_what_was_live_then(loop: Any, run: Run) -> None:
    """Before the next release the one before is live; after it, until when it was."""
    first, second = loop.made[0][1], loop.made[1][1]
    then = run("attest", first, "--release", "production").stdout.strip()
    now = run("attest", second, "--release", "production").stdout.strip()
    told = ("report", "released()", "--format", "json")

    def releases(*options: str) -> list[tuple[str, str | None]]:
        found = run(*told, *options).json()
        assert found["as_of"]["event"] == (then if options else now)
        return [(one["subject"], one["ended"]) for one in found["releases"]]

    assert releases("--at", then) == [(first, None)]
    assert releases() == [(first, now), (second, None)]
