"""`lineage check`: what matters keeps to the policy, or the exit code says no."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from inline_snapshot import snapshot

import lineage

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]

pytestmark = pytest.mark.usefixtures("own_config")  # keys are made

HOOKS = Path(__file__).parents[3] / ".pre-commit-hooks.yaml"


@pytest.fixture
def policy(repo: Registry) -> Callable[..., None]:
    """Write the policy of the registry."""

    def policy(**rules: Any) -> None:
        path = repo.root / ".lineage" / "policy.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(rules), encoding="utf-8")

    return policy


@pytest.fixture
def chats(repo: Registry) -> Registry:
    """A dataset, and a model that was trained on it."""
    (repo.root / "chats.txt").write_text("Hello.\n", encoding="utf-8")
    (repo.root / "weights.bin").write_bytes(b"1234")
    data = repo.commit("dataset", "chats", repo.root / "chats.txt")
    edge = lineage.Edge("trained_on", data.id)
    repo.commit("model", "tutor", repo.root / "weights.bin", edges=[edge])
    return repo


@pytest.mark.usefixtures("chats")
def test_a_taint_breaks_the_policy_of_all_that_it_reached(
    transcript: Transcript,
) -> None:
    """Tips, tags and what is live are named with the reason; lifting it mends all."""
    assert transcript(
        "check",
        "tag v1 model/tutor",
        "attest model/tutor --release production",
        "-q taint dataset/chats --reason 'consent withdrawn'",
        "check",
        "check model/tutor --format jsonl",
        "check dataset/nothing",
        "-q taint --lift dataset/chats --reason 'consent renewed'",
        "check",
    ) == snapshot("""\
$ lineage check
2> 2 commits checked: the default policy is kept
$ lineage tag v1 model/tutor
2> v1 is aaaaaaaaaaaa
$ lineage attest model/tutor --release production
bbbbbbbbbbbb…
2> live in production: model tutor aaaaaaaa
$ lineage -q taint dataset/chats --reason 'consent withdrawn'
cccccccccccc…
$ lineage check
untainted
  commit    what           names
  aaaaaaaa  model tutor    model/tutor, tag: v1, live: production
    tainted, as dataset chats dddddddd is: consent withdrawn
  dddddddd  dataset chats  dataset/chats
    tainted: consent withdrawn
2> 2 commits checked: 2 violations of the default policy
exit 3
$ lineage check model/tutor --format jsonl
{"schema_version": 1, "rule": "untainted", "id": "aaaaaaaaaaaa…", "git": "eeeeeeeeeeee…", "kind": "model", "name": "tutor", "branches": ["model/tutor"], "tags": ["v1"], "live": ["production"], "why": "tainted, as dataset chats dddddddd is: consent withdrawn", "event": "cccccccccccc…"}
2> 1 commit checked: 1 violation of the default policy
exit 3
$ lineage check dataset/nothing
2> error: no branch, tag or commit is called 'dataset/nothing'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage -q taint --lift dataset/chats --reason 'consent renewed'
ffffffffffff…
$ lineage check
2> 2 commits checked: the default policy is kept
""")  # noqa: E501


def test_rules_are_switched_off_and_narrowed(
    chats: Registry, policy: Callable[..., None], run: Run
) -> None:
    """A rule that is false says nothing, one with a revset speaks of those commits."""
    chats.attest("taint", subject=chats.resolve("dataset/chats"), data={"reason": "x"})
    policy(untainted=False)
    assert run("check").exit_code == 0
    policy(untainted="kind(model)")
    done = run("check", "--format", "json")
    assert done.exit_code == 3
    assert [one["name"] for one in done.json()["violations"]] == ["tutor"]
    assert done.json()["policy"] == ".lineage/policy.yaml"
    policy(commits="none()")
    assert run("check").stderr.startswith("0 commits checked")


def test_the_past_is_checked_as_it_was(chats: Registry, run: Run) -> None:
    """With --at a taint that came later does not count."""
    before = next(chats.events())[0]
    run("taint", "dataset/chats", "--reason", "leaked")
    assert run("check").exit_code == 3
    assert run("check", "--at", before).exit_code == 0


@pytest.mark.usefixtures("chats")
def test_unsigned_commits_are_found_down_to_the_oldest(
    transcript: Transcript, policy: Callable[..., None], run: Run
) -> None:
    """Once there are keys each commit is signed, and so is what it came from."""
    assert run("check").exit_code == 0
    run("key", "generate", "--no-passphrase")
    policy(commits="model/tutor", reviewed=False)
    run("commit", "config", "--name", "new", "--param", "a=1")
    run("config", "signing.required", "false")
    run("config", "--unset", "signing.key")
    run("commit", "config", "--name", "unsigned", "--param", "b=1")
    run("config", "--unset", "signing.required")

    said = transcript("check", "check config/new", "check config/unsigned")
    assert said == snapshot("""\
$ lineage check
signed
  commit    what           names
  aaaaaaaa  model tutor    model/tutor
    the event bbbbbbbb that recorded it is not signed: there were no keys
  cccccccc  dataset chats  dataset/chats
    the event dddddddd that recorded it is not signed: there were no keys
2> 1 commit checked: 2 violations of .lineage/policy.yaml
exit 3
$ lineage check config/new
2> 1 commit checked: .lineage/policy.yaml is kept
$ lineage check config/unsigned
signed
  commit    what             names
  eeeeeeee  config unsigned  config/unsigned
    the event ffffffff that recorded it is not signed
2> 1 commit checked: 1 violation of .lineage/policy.yaml
exit 3
""")
    policy(commits="model/tutor | config/new", signed="kind(config)")
    assert run("check").exit_code == 0
    policy(commits="model/tutor", signed=False)
    assert run("check").exit_code == 0


@pytest.fixture
def reviewed(toy: Any, run: Run) -> Registry:
    """A loop that asks for a review of each generation, at its first one."""
    toy.configure(num_generations=2, review={"every": 1})
    assert run("loop", "run").exit_code == 10
    registry: Registry = toy.registry
    return registry


def test_what_is_released_has_been_approved(
    reviewed: Registry, run: Run, policy: Callable[..., None]
) -> None:
    """A generation, and a model of one, waits, is approved, and is looked at anew."""
    model = reviewed.resolve("loop/toy^includes(model)")
    assert run("check").exit_code == 0
    run("attest", model, "--release", "production")
    [found] = run("check", "--format", "json").json()["violations"]
    assert (found["id"], found["rule"]) == (model, "reviewed")
    assert found["why"].startswith("generation 1 of toy waits for review: every")
    assert found["live"] == ["production"]
    run("review", "approve", "--note", "reads well")
    assert run("check").exit_code == 0
    run("loop", "run")
    policy(reviewed=True)
    tip = reviewed.resolve("loop/toy")
    [found] = run("check", "loop/toy", "--format", "json").json()["violations"]
    assert found["id"] == tip
    run("tag", "v2", "loop/toy")
    run("review", "reject", "--note", "dull")
    [found] = run("check", "v2", "--format", "json").json()["violations"]
    assert found["why"] == "was rejected by Ada Example: dull"
    assert run("check", "loop/toy~1").exit_code == 0


def test_a_loop_beyond_its_budget_breaks_the_policy(
    repo: Registry, run: Run, policy: Callable[..., None], transcript: Transcript
) -> None:
    """Policy or loop.yaml say how far it may go unseen; false lets it go."""
    limits = {"generations_without_review": 2, "tokens": None}
    for number in range(3):
        config = repo.commit("config", "toy", params={"budgets": limits})
        repo.commit(
            "generation",
            "toy",
            edges=[lineage.Edge("includes", config.id)],
            params={"generation": number},
            circumstances={"loop": "toy"},
        )
    [own] = run("check", "loop/toy", "--format", "json").json()["violations"]
    assert own["why"] == "3 of 2 generations without review are spent unseen"
    policy(budgets={"generations_without_review": 3})
    assert run("check").exit_code == 0
    policy(budgets={"generations_without_review": 2})
    assert transcript("check") == snapshot("""\
$ lineage check
budgets
  commit    what                 names
  aaaaaaaa  generation 2 of toy  loop/toy
    3 of 2 generations without review are spent unseen
2> 2 commits checked: 1 violation of .lineage/policy.yaml
exit 3
""")
    policy(budgets=False)
    assert run("check").exit_code == 0


def test_a_policy_that_is_none_is_an_error(
    chats: Registry, policy: Callable[..., None], transcript: Transcript
) -> None:
    """What is wrong in it is named, and nothing passes by accident."""
    policy(tainted=True)
    said = transcript("check")
    policy(commits="kind(modle)")
    said += transcript("check")
    policy(reviewed="nobody")
    said += transcript("check")
    policy(budgets={"tokens": 0})
    said += transcript("check", "check --policy nowhere.yaml")
    del chats

    assert said == snapshot("""\
$ lineage check
2> error: /test/repo/.lineage/policy.yaml: tainted: unknown; did you mean untainted?
2> hint: `lineage check --help` names the rules
exit 2
$ lineage check
2> error: commits of the policy: the revset is wrong at character 6: expected a kind
2>   kind(modle)
2>        ^^^^^
2> hint: one of: config, dataset, model, generation
exit 2
$ lineage check
2> error: reviewed of the policy: no branch, tag or commit is called 'nobody'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 2
$ lineage check
2> error: /test/repo/.lineage/policy.yaml: budgets.limit.tokens: must be greater than 0, not 0
2> hint: `lineage check --help` names the rules
exit 2
$ lineage check --policy nowhere.yaml
2> error: nowhere.yaml cannot be read: No such file or directory
exit 1
""")  # noqa: E501


def test_damage_is_no_mistake_in_the_policy(chats: Registry, run: Run) -> None:
    """What cannot be read is told as it is, by whatever rule it was met."""
    asked = ("rev-parse", "refs/lineage/events:view/heads")
    tree = chats.git.run(*asked).decode().strip()
    (chats.git.common / "objects" / tree[:2] / tree[2:]).unlink()

    done = run("check")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: the tree {tree} is missing or damaged\n")


@pytest.mark.usefixtures("chats")
def test_git_commit_is_refused_by_the_hook(repo: Registry, run: Run) -> None:
    """What .pre-commit-hooks.yaml starts holds up a commit of git until all is well."""
    [hook] = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    program, *words = shlex.split(hook["entry"])
    assert program == "lineage"
    script = repo.root / ".git" / "hooks" / "pre-commit"
    command = shlex.join([sys.executable, "-m", "lineage", *words])
    script.write_text(f"#!/bin/sh\nexec {command}\n", encoding="utf-8")
    script.chmod(0o755)

    def commit() -> subprocess.CompletedProcess[str]:
        words = ["git", "commit", "--allow-empty", "-m", "work"]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    run("taint", "dataset/chats", "--reason", "leaked")
    refused = commit()
    assert refused.returncode != 0
    assert "2 violations of the default policy" in refused.stderr
    run("taint", "--lift", "dataset/chats", "--reason", "it was not")
    assert commit().returncode == 0


def test_a_checkout_of_ci_is_checked(
    chats: Registry, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain clone of the code knows the registry by one git fetch, without bytes."""
    run("taint", "dataset/chats", "--reason", "leaked")
    code = tmp_path / "code"
    for words in (
        ["git", "clone", "-q", str(chats.root), str(code)],
        [
            "git",
            "-C",
            str(code),
            "fetch",
            "-q",
            "origin",
            "refs/lineage/*:refs/lineage/*",
        ],
    ):
        subprocess.run(words, check=True)
    monkeypatch.chdir(code)

    assert run("check", "model/tutor").exit_code == 3
