"""`lineage review`: what waits, what there is to see, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.fixture
def waiting(toy: Any, run: Run) -> Any:
    """The loop `toy`, held at data that failed a gate."""
    toy.gated("review")
    assert run("loop", "run").exit_code == 10
    return toy


def test_a_failed_gate_waits(waiting: Any, transcript: Transcript) -> None:
    """The list says why; the packet has gates, measures and records."""
    del waiting

    assert transcript("review list", "review show -n 3") == snapshot("""\
$ lineage review list
loop  generation  waits    commit        since     why
toy            2  dataset  aaaaaaaaaaaa  just now  check_record: 0 of 40 record…
2> next: lineage review show toy  what there is to see
$ lineage review show -n 3
aaaaaaaaaaaa generation 2 of toy
waits for review, asked for just now:
  check_record: 0 of 40 records pass checks.py; at least 100 % must; most often: it is bad

gates
  gate          verdict  value  if not
  check_record  fail         0  review
    0 of 40 records pass checks.py; at least 100 % must; most often: it is bad

measures
                        now  before   change   first
  compression_ratio    6.12   6.357  -0.2369   6.357
  distinct_1         0.1833  0.1833           0.1833
  distinct_2          0.415   0.415            0.415
  duplicate_rate          0       0                0
  generated              40      40               40
  kept                   40      40               40
  rejected                0       0                0
  tail_coverage           1       1                1
  unigram_entropy     3.444   3.444            3.444
  unigram_js              1       1                1

3 of 40 records, in random order
  g2-9  kept, flagged by check_record: it is bad
    record 9 of 2 is bad
  g2-32  kept, flagged by check_record: it is bad
    record 32 of 2 is bad
  g2-22  kept, flagged by check_record: it is bad
    record 22 of 2 is bad
2> next: lineage review label aaaaaaaaaaaa g2-9 --right  or --wrong
2>       lineage review approve aaaaaaaaaaaa             lets the loop go on
2>       lineage review reject aaaaaaaaaaaa --note WHY   keeps it aside
""")  # noqa: E501


def test_a_due_review_of_a_generation(toy: Any, transcript: Transcript) -> None:
    """Every second generation waits; approved, the loop goes on to the next."""
    toy.configure(num_generations=3, review={"every": 2})

    assert transcript(
        "loop run", "review approve --note 'reads well'", "loop run", "review list"
    ) == snapshot("""\
$ lineage loop run
2> toy 0/3           perplexity 20  0.1 s
2> toy 1/3           perplexity 21  distinct_2 0.415  kept 40  0.1 s
2> toy 2/3           perplexity 22  distinct_2 0.415  kept 40  0.1 s
2> waiting: loop/toy waits for a review of generation 2, aaaaaaaaaaaa: every 2
2>   generations
2> next: lineage review show toy     what there is to see
2>       lineage review approve toy  or reject, with --note WHY
2>       lineage loop run loop.yaml  goes on, or back, as you decide
exit 10
$ lineage review approve --note 'reads well'
bbbbbbbbbbbb…
2> aaaaaaaaaaaa approved by Ada Example: reads well
2> next: lineage loop run FILE  the loop acts on it when it runs
$ lineage loop run
cccccccccccc…
2> toy 3/3           perplexity 23  distinct_2 0.415  kept 40  0.1 s
$ lineage review list
2> nothing waits for review
""")


def test_the_packet_as_json(waiting: Any, run: Run) -> None:
    """Programs get whole records, and metrics with their definitions."""
    packet = run("review", "show", "toy", "--format", "json").json()

    assert packet["subject"] == packet["waiting"]["subject"]
    assert packet["subject"] == packet["datasets"]["kept"]
    assert packet["decided"] is None
    assert packet["records"] == {"kept": 40, "dropped": 0}
    assert len(packet["samples"]) == 30
    for sample in packet["samples"]:
        assert sample["record"] == {"id": sample["id"], "text": sample["text"]}
        assert sample["flags"] == [{"gate": "check_record", "reason": "it is bad"}]
    assert packet["loss"].startswith("not available: ")
    [gate] = packet["gates"]
    assert (gate["id"], gate["verdict"]) == ("check_record", "fail")
    distinct = next(m for m in packet["measures"] if m["name"] == "distinct_2")
    first = waiting.registry.load(waiting.registry.resolve("loop/toy"))
    assert distinct["now"]["definition"] == "distinct_2"
    assert distinct["before"]["value"] == first.metrics["distinct_2"].value
    assert distinct["before"] == distinct["first"]


def test_records_are_drawn_by_the_seed(waiting: Any, run: Run) -> None:
    """Two reviewers see the same records; another seed, and -n, show others."""
    del waiting

    def ids(*words: str) -> list[str]:
        shown = run("review", "show", "--format", "json", *words).json()["samples"]
        return [record["id"] for record in shown]

    assert ids("-n", "5") == ids("-n", "5", "--seed", "0")
    assert ids("-n", "5") != ids("-n", "5", "--seed", "1")
    assert set(ids("-n", "5")) < set(ids("-n", "9"))
    assert len(ids()) == 30
    assert sorted(ids("-n", "99")) == sorted(f"g2-{n}" for n in range(40))


def test_records_that_are_not_what_was_recorded(waiting: Any, run: Run) -> None:
    """A reviewer is never shown bytes that nobody recorded."""
    registry = waiting.registry
    subject = run("review", "show", "--format", "json").json()["subject"]
    [entry, _] = registry.files(subject)
    path = registry.payloads.path(entry.md5)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"bad", b"fine", 1))
    done = run("review", "show")

    assert done.exit_code == 3
    assert "a.jsonl does not have its recorded SHA-256" in done.stderr


def test_an_override_needs_a_reason(waiting: Any, transcript: Transcript) -> None:
    """With one, the loop goes on, and the event says who did it and why."""
    seen = transcript("review approve", "review approve toy -m 'a false alarm'")
    event = next(event for _, event in waiting.registry.events())

    assert seen == snapshot("""\
$ lineage review approve
2> error: aaaaaaaaaaaa failed the gate check_record; to override that needs a reason
2> hint: give it with --note
exit 4
$ lineage review approve toy -m 'a false alarm'
bbbbbbbbbbbb…
2> aaaaaaaaaaaa approved by Ada Example, though a gate failed: a false alarm
2> next: lineage loop run FILE  the loop acts on it when it runs
""")
    request = next(
        e for _, e in waiting.registry.events() if e.type == "review_requested"
    )
    assert (event.type, event.actor["name"], dict(event.data)) == (
        "review",
        "Ada Example",
        {
            "loop": "toy",
            "verdict": "approve",
            "by": "Ada Example",
            "note": "a false alarm",
            "override": True,
            "failed": ["check_record"],
            "packet": request.data["packet"]["sha256"],
        },
    )
    assert transcript("loop run", "review list") == snapshot("""\
$ lineage loop run
aaaaaaaaaaaa…
2> toy 2/3           goes on after generate, check
2> toy 2/3           perplexity 22  distinct_2 0.415  kept 40  0.1 s
2> toy 3/3           perplexity 23  distinct_2 0.415  kept 40  0.1 s
$ lineage review list
2> nothing waits for review
""")


def test_more_than_a_budget_is_said_to_be_that(
    toy: Any, run: Run, transcript: Transcript
) -> None:
    """Approving it needs a reason too, and no gate has failed."""
    toy.configure(num_generations=2, budgets={"generations_without_review": 2})
    assert run("loop", "run").exit_code == 10

    said = transcript("review approve", "review approve toy -m 'looked at both'")
    assert said == snapshot("""\
$ lineage review approve
2> error: aaaaaaaaaaaa waits as generations_without_review of its loop are spent; to override that needs a reason
2> hint: give it with --note
exit 4
$ lineage review approve toy -m 'looked at both'
bbbbbbbbbbbb…
2> aaaaaaaaaaaa approved by Ada Example, though a budget was spent: looked at both
2> next: lineage loop run FILE  the loop acts on it when it runs
""")  # noqa: E501
    [found] = run("review", "list", "--all", "--format", "json").json()["reviews"]
    assert (found["failed"], found["override"]) == ([], True)
    assert found["budgets"] == {"generations_without_review": {"spent": 2, "limit": 2}}


def test_a_rejection(waiting: Any, transcript: Transcript) -> None:
    """The next run keeps what was rejected aside; the one after it tries again."""
    del waiting

    said = transcript("review reject -m nonsense", "loop run", "loop run")

    assert said == snapshot("""\
$ lineage review reject -m nonsense
aaaaaaaaaaaa…
2> bbbbbbbbbbbb rejected by Ada Example: nonsense
2> next: lineage loop run FILE  the loop acts on it when it runs
$ lineage loop run
2> error: generation 2 of loop/toy was stopped: rejected by Ada Example: nonsense
2> next: lineage show loop/toy@rejected  what was stopped
2>       lineage loop run loop.yaml      another try
exit 3
$ lineage loop run
cccccccccccc…
2> toy 2/3           perplexity 22  distinct_2 0.415  kept 40  0.1 s
2> toy 3/3           perplexity 23  distinct_2 0.415  kept 40  0.1 s
""")


def test_a_stopped_generation_can_be_let_pass(toy: Any, transcript: Transcript) -> None:
    """What a gate stopped waits for nobody, but a person can override the gate."""
    toy.gated("stop")
    transcript("loop run")

    assert transcript(
        "review approve loop/toy@rejected",
        "review approve loop/toy@rejected -m 'I know these records'",
        "loop run",
    ) == snapshot("""\
$ lineage review approve loop/toy@rejected
2> error: aaaaaaaaaaaa failed the gate check_record; to override that needs a reason
2> hint: give it with --note
exit 4
$ lineage review approve loop/toy@rejected -m 'I know these records'
bbbbbbbbbbbb…
2> aaaaaaaaaaaa approved by Ada Example, though a gate failed: I know these records
2> next: lineage loop run FILE  the loop acts on it when it runs
$ lineage loop run
cccccccccccc…
2> toy 2/3           goes on after generate, check
2> toy 2/3           perplexity 22  distinct_2 0.415  kept 40  0.1 s
2> toy 3/3           perplexity 23  distinct_2 0.415  kept 40  0.1 s
""")


REGRESSION = """
def evaluate(job):
    verdict = "fail" if job.generation == 2 else "pass"
    gate = {"id": "regression", "verdict": verdict, "sentence": "it got worse"}
    perplexity = {"value": 20 + job.generation, "definition": "made up"}
    return {"metrics": {"perplexity": perplexity}, "gates": [gate]}
"""


def test_a_model_that_got_worse_can_be_let_pass(
    toy: Any, transcript: Transcript
) -> None:
    """A gate of the user's stops after training; overridden, nothing runs again."""
    toy.write("mine.py", REGRESSION)
    steps = toy.steps("train", "train") | {"evaluate": "mine:evaluate"}
    toy.configure(num_generations=2, steps=steps)

    assert transcript(
        "loop run", "review approve loop/toy@rejected -m 'not by much'", "loop run"
    ) == snapshot("""\
$ lineage loop run
2> toy 0/2           perplexity 20  0.1 s
2> toy 1/2           perplexity 21  distinct_2 0.415  kept 40  0.1 s
2> error: generation 2 of loop/toy was stopped: regression: it got worse
2> next: lineage show loop/toy@rejected                       what was stopped
2>       lineage loop run loop.yaml                           another try
2>       lineage review approve loop/toy@rejected --note WHY  lets it pass
exit 3
$ lineage review approve loop/toy@rejected -m 'not by much'
aaaaaaaaaaaa…
2> bbbbbbbbbbbb approved by Ada Example, though a gate failed: not by much
2> next: lineage loop run FILE  the loop acts on it when it runs
$ lineage loop run
bbbbbbbbbbbb…
2> toy 2/2           perplexity 22  distinct_2 0.415  kept 40  0.1 s
""")


def test_a_verdict_is_given_once(waiting: Any, transcript: Transcript) -> None:
    """Neither the same verdict nor the other one is taken a second time."""
    subject = waiting.registry.target("runs/toy/2/synthetic").id
    transcript("review reject")

    assert transcript(
        f"review reject {subject}", f"review approve {subject} -m why"
    ) == snapshot("""\
$ lineage review reject aaaaaaaaaaaa…
2> error: aaaaaaaaaaaa was rejected before, by Ada Example
2> hint: a verdict is given once and stays
exit 2
$ lineage review approve aaaaaaaaaaaa… -m why
2> error: aaaaaaaaaaaa was rejected before, by Ada Example
2> hint: a verdict is given once and stays
exit 2
""")


def test_a_verdict_is_given_once_by_the_name_of_the_loop(
    waiting: Any, transcript: Transcript
) -> None:
    """The loop's name still means what was decided, and no note is no words."""
    del waiting

    assert transcript(
        "review reject toy", "review reject toy", "loop run", "loop status"
    ) == snapshot("""\
$ lineage review reject toy
aaaaaaaaaaaa…
2> bbbbbbbbbbbb rejected by Ada Example
2> next: lineage loop run FILE  the loop acts on it when it runs
$ lineage review reject toy
2> error: bbbbbbbbbbbb was rejected before, by Ada Example
2> hint: a verdict is given once and stays
exit 2
$ lineage loop run
2> error: generation 2 of loop/toy was stopped: rejected by Ada Example
2> next: lineage show loop/toy@rejected  what was stopped
2>       lineage loop run loop.yaml      another try
exit 3
$ lineage loop status
loop/toy  generation 1, stopped
  rejected by Ada Example
  generation  commit    perplexity  distinct_2  duplicate_rate  kept
           0  cccccccc          20           -               -     -
           1  dddddddd          21       0.415               0    40
  next: lineage show loop/toy@rejected
""")


def test_what_does_not_wait(toy: Any, transcript: Transcript) -> None:
    """A generation that passed, a model and an unknown name get no verdict."""
    toy.configure()
    transcript("loop run")

    assert transcript(
        "review list",
        "review approve",
        "review approve loop/toy",
        "review reject 'loop/toy^includes(model)'",
        "review approve nothing",
        "review show 'loop/toy^includes(model)'",
    ) == snapshot("""\
$ lineage review list
2> nothing waits for review
$ lineage review approve
2> error: nothing waits for review
2> hint: `lineage loop status` shows how far the loops are
exit 5
$ lineage review approve loop/toy
2> error: aaaaaaaaaaaa (generation toy) does not wait for review
2> hint: `lineage review list` shows what does
exit 2
$ lineage review reject 'loop/toy^includes(model)'
2> error: bbbbbbbbbbbb (model toy) does not wait for review
2> hint: `lineage review list` shows what does
exit 2
$ lineage review approve nothing
2> error: no branch, tag or commit is called 'nothing'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage review show 'loop/toy^includes(model)'
2> error: bbbbbbbbbbbb (model toy) is no generation of a loop
2> hint: `lineage review list` shows what waits
exit 2
""")


def test_several_that_wait(waiting: Any, run: Run) -> None:
    """Without a name nothing is decided when it could mean two."""
    waiting.gated("review", name="other")
    run("loop", "run")
    done = run("review", "approve", "-m", "fine")

    assert done.exit_code == 5
    assert "2 commits wait for review" in done.stderr
    assert len(run("review", "list", "--format", "json").json()["reviews"]) == 2
    assert run("review", "approve", "loop/other", "-m", "fine").exit_code == 0
    [left] = run("review", "list", "--format", "jsonl").jsonl()
    assert (left["loop"], left["on"], left["generation"]) == ("toy", "dataset", 2)


def test_what_was_decided_can_be_looked_at(waiting: Any, run: Run) -> None:
    """The packet of something decided says by whom, and how."""
    subject = waiting.registry.target("runs/toy/2/synthetic").id
    run("review", "reject", "-m", "nonsense")
    shown = run("review", "show", subject).stdout

    assert "rejected by Ada Example: nonsense (just now)" in shown


def test_a_reviewer_is_told_of_taints(waiting: Any, run: Run) -> None:
    """Beside gates and measures, and when the verdict is given, but not when blind."""
    subject = waiting.registry.target("runs/toy/2/synthetic").id
    run("taint", subject, "--reason", "the prompts were private")
    told = "! tainted: the prompts were private"

    assert told in run("review", "show").stdout
    assert told not in run("review", "show", "--blind").stdout
    assert told in run("review", "approve", "-m", "for a test").stderr


def test_nothing_waits_in_an_empty_registry(
    repo: Registry, transcript: Transcript
) -> None:
    """The list is empty and says so; show has nothing to show."""
    del repo

    assert transcript("review list", "review show") == snapshot("""\
$ lineage review list
2> nothing waits for review
$ lineage review show
2> error: nothing waits for review
2> hint: `lineage loop status` shows how far the loops are
exit 5
""")
