"""A step that fails is one clear sentence and an event, and nothing half-committed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import Conflict, LineageError, NotFound, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Toy = Any
    With = Callable[[str, Any], dict[str, Any]]

WRITE_ONE = '(job.output / "x.jsonl").write_text(\'{"text": "a b"}\\n\')\n    '
SPOIL = '(job.inputs["model"] / "words.json").write_text("{}")\n    '
UNSEEN = """import os
    path = job.inputs["model"] / "words.json"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(file.read()[::-1])
    os.truncate(path, before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    """
SHARE = 'return {"shares": {"web": {"records": [1, 1]}}}'
BROKEN = {
    "raises": (
        'raise RuntimeError("no luck\\nat all")',
        "raised RuntimeError: no luck",
    ),
    "exits": ("raise SystemExit(3)", "raised SystemExit: 3"),
    "writes_nothing": ("return None", "the generate step wrote no records"),
    "interrupts_itself": ("raise BaseException('me')", "raised BaseException: me"),
    "no_unicode": (
        WRITE_ONE.replace("a b", "\\\\ud800"),
        "generate step wrote what cannot be kept: record 1 of x.jsonl is no Unicode",
    ),
    "spoils_unseen": (UNSEEN + WRITE_ONE, "the generate step changed its input"),
    "no_text": (WRITE_ONE.replace('text":', 'a":'), "record 1 is not"),
    "spoils_input": (SPOIL + WRITE_ONE, "the generate step changed its input"),
    "says_nonsense": ('return {"metric": {}}', "is not a mapping of what a step can"),
    "says_a_list": ('return {"metrics": []}', "is not a mapping of what a step can"),
    "measures_nan": ('return {"metrics": {"x": float("nan")}}', "recorded: x is nan"),
    "measures_words": ('return {"metrics": {"x": "good"}}', "a metric is a number"),
    "says_objects": ('return {"circumstances": {"x": open}}', "cannot be recorded"),
    "says_no_verdict": ('return {"gates": [{"id": "g"}]}', "needs an id and a verdict"),
    "uses_twice": (
        WRITE_ONE + 'return {"uses": ["human", "human"]}',
        "names one of its inputs twice",
    ),
    "leaves_a_pipe": (
        "import os; os.mkfifo(job.output / 'a.jsonl')",
        "a.jsonl is no regular file",
    ),
    "shares_nothing": (WRITE_ONE + SHARE, "names web, which is no input of it"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_callable_is_one_sentence(
    toy: Toy, steps_with: With, case: str
) -> None:
    """What it did wrong is named; the loop's branch stays, what there is goes aside."""
    body, sentence = BROKEN[case]
    toy.write("broken.py", f"def generate(job):\n    {body}\n")
    with pytest.raises(LineageError) as caught:
        toy.run(steps=steps_with("generate", "broken:generate"))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(toy.branch()) == 1
    assert list(toy.registry.names("runs")) == []
    newest = next(iter(toy.registry.events()))[1]
    assert newest.type == "failed step"
    assert newest.subject == toy.branch("loop/toy@rejected")[0]
    failed = toy.registry.load(newest.subject)
    assert failed.params == {"generation": 1, "attempt": 0, "failed": "generate"}
    assert newest.data["seconds"] >= 0
    assert newest.data["step"] == "generate"
    assert sentence in newest.data["error"]


MEDDLE = """\
from pathlib import Path

import lineage
import steps


def {step}(job):
    with lineage.open(Path(__file__).parent) as registry:
        registry.commit("generation", "toy", params={{"by": "hand"}})
    return steps.{step}(job)
"""


@pytest.mark.parametrize(("step", "before"), [("evaluate", 0), ("train", 1)])
def test_what_a_person_commits_meanwhile_stays(
    toy: Toy, steps_with: With, step: str, before: int
) -> None:
    """The loop commits onto the tip that it knows, the first time onto no branch."""
    toy.write("meddle.py", MEDDLE.format(step=step))
    with pytest.raises(Conflict, match="moved the branch loop/toy meanwhile"):
        toy.run(steps=steps_with(step, f"meddle:{step}"))
    tip, *others = toy.branch()

    assert toy.registry.load(tip).params == {"by": "hand"}
    assert len(others) == before


@pytest.mark.parametrize("source", ["import sys; sys.exit(0)", "raise BaseException"])
def test_a_module_that_ends_python_is_one_sentence(
    toy: Toy, steps_with: With, source: str
) -> None:
    """It must not end the run as if all were well."""
    toy.write("ends.py", source)
    with pytest.raises(LineageError, match="the step ends cannot be imported: "):
        toy.run(steps=steps_with("train", "ends:train"))


NOISY = """
import os
import steps

print("imported")

def train(job):
    print("said by Python")
    os.write(1, b"written to 1\\n")
    os.chdir("/")
    if job.generation == 1:
        raise RuntimeError("no luck")
"""


def test_what_a_step_prints_is_quoted_when_it_fails(
    toy: Toy, steps_with: With, capfd: pytest.CaptureFixture[str]
) -> None:
    """Standard output stays clean, and the working directory is what it was."""
    toy.write("noisy.py", NOISY)
    toy.write("checks.py", "print('checked')\ndef check_record(record): print('one')\n")
    here = Path.cwd()
    with pytest.raises(LineageError) as caught:
        toy.run(
            steps=steps_with("train", "noisy:train"), gates=[{"type": "check_record"}]
        )
    assert caught.value.hint == "it said: said by Python | written to 1"
    assert capfd.readouterr() == ("", "checked\nimported\n")
    assert Path.cwd() == here


def test_a_failed_step_runs_again(toy: Toy, steps_with: With) -> None:
    """Steps before it are recalled, and its mended source is run."""
    toy.write("late.py", "def train(job):\n    raise ValueError\n")
    steps = steps_with("train", "late:train")
    with pytest.raises(LineageError, match="late:train raised ValueError"):
        toy.run(steps=steps, num_generations=1)
    toy.write("late.py", "from steps import train\n")
    toy.run(steps=steps, num_generations=1)
    assert toy.watch.recalled_ == ["1 generate", "1 check", "1 mix"]
    assert toy.watch.did == ["1 train", "1 evaluate"]


def test_a_changed_step_is_run_again(toy: Toy, steps_with: With) -> None:
    """A step's own source is part of what its result depends on."""
    toy.write("mine.py", "from steps import generate, train\n")
    toy.write("gone.py", "def train(job):\n    raise ValueError\n")
    steps = steps_with("generate", "mine:generate") | {"train": "gone:train"}
    with pytest.raises(LineageError, match="ValueError"):
        toy.run(steps=steps, num_generations=1)
    toy.write("gone.py", "from steps import train\n")
    toy.write("mine.py", "# another source\nfrom steps import generate, train\n")
    toy.run(steps=steps, num_generations=1)
    assert toy.watch.recalled_ == []


def test_a_step_can_wrap_a_built_in_one(toy: Toy, steps_with: With) -> None:
    """What the built-in step says can be handed on as it is."""
    toy.write(
        "wrap.py",
        "from lineage.loop.steps.check import check as built_in\n"
        "def check(job):\n    return built_in(job)\n",
    )
    usual = toy.run(num_generations=1).made[1].metrics
    wrapped = toy.run(
        name="wrapped", num_generations=1, steps=steps_with("check", "wrap:check")
    )
    assert wrapped.made[1].metrics == usual


def test_the_source_of_a_step_is_recorded(toy: Toy) -> None:
    """A part's commit says by hash which code made it."""
    toy.run(num_generations=1)
    codes = {
        event.data["step"]: toy.registry.load(event.subject).code
        for _, event in toy.registry.events()
        if event.type == "commit" and "step" in event.data
    }
    assert codes["train"]["callable"] == "steps:train"
    assert codes["check"]["step"] == "lineage.loop.steps.check"
    assert all(len(code["sha256"]) == 64 for code in codes.values())


def command(toy: Toy, body: str) -> dict[str, str]:
    """A generate step as a command that runs `body` with `job` at hand."""
    toy.write(
        "write.py", f"import json, sys\njob = json.load(open(sys.argv[1]))\n{body}"
    )
    return {"command": f"{sys.executable} write.py"}


WRITE = """
from pathlib import Path
words = json.loads(Path(job["inputs"]["model"], "words.json").read_text())
lines = [json.dumps({"text": f"{word} {job['seed']}"}) for word in words]
Path(job["output"], "w.jsonl").write_text("\\n".join(lines) + "\\n")
Path(job["result"]).write_text(json.dumps({"circumstances": {"tokens": 6}}))
print("done")
"""


def test_a_command_is_a_step(toy: Toy, steps_with: With) -> None:
    """It reads job.json, writes files, and may say more in result.json."""
    result = toy.run(
        num_generations=1, steps=steps_with("generate", command(toy, WRITE))
    )
    events = [e for _, e in toy.registry.events() if e.data.get("step") == "generate"]
    assert events[0].data["tokens"] == 6
    written = toy.registry.load(events[0].subject)
    assert list(written.code["files"]) == ["write.py"]
    assert result.made[1].metrics["generated"].value == 3


@pytest.mark.parametrize(
    ("body", "sentence", "hint"),
    [
        ("print('no disk'); sys.exit(7)", "exited with 7", "it said: no disk"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9", "nothing"),
        ("pass", "the generate step wrote no records", "output folder"),
        (
            "open(job['result'], 'w').write('{')",
            "wrote a result that is not JSON",
            "result.json",
        ),
    ],
)
def test_a_broken_command_is_one_sentence(
    toy: Toy, steps_with: With, body: str, sentence: str, hint: str
) -> None:
    """Its exit code and its last words are told."""
    with pytest.raises(LineageError) as caught:
        toy.run(steps=steps_with("generate", command(toy, body)))
    assert sentence in str(caught.value)
    assert hint in caught.value.hint
    assert len(toy.branch()) == 1


def test_a_missing_command_is_one_sentence(toy: Toy, steps_with: With) -> None:
    """A program that is not there is named."""
    with pytest.raises(LineageError, match="cannot run 'no-such-program'"):
        toy.run(steps=steps_with("generate", {"command": "no-such-program --fast"}))


@pytest.mark.parametrize(
    ("sections", "error", "sentence"),
    [
        ({"steps": {"train": "nowhere:train"}}, LineageError, "cannot be imported"),
        (
            {"steps": {"train": "steps:nothing"}},
            LineageError,
            "has no function nothing",
        ),
        ({"steps": {"mix": {"command": "'"}}}, UsageError, "cannot be read"),
        (
            {"model": {"model_name_or_path": "nothing"}},
            NotFound,
            "no branch, tag or commit is called 'nothing'",
        ),
        (
            {"model": {"model_name_or_path": "seed"}},
            UsageError,
            "model.model_name_or_path: ",
        ),
        (
            {
                "model": {
                    "config": {"model_type": "gpt2", "n_embd": 10, "n_head": 3},
                    "tokenizer": {"vocab_size": 300},
                }
            },
            UsageError,
            "model.config: ",
        ),
        (
            {
                "model": {
                    "config": {"model_type": "gpt2", "n_layer": "two"},
                    "tokenizer": {"vocab_size": 300},
                }
            },
            UsageError,
            "model.config: TypeError: Field 'n_layer' expected int, got str",
        ),
        (
            {
                "model": {
                    "config": {"model_type": "t5"},
                    "tokenizer": {"vocab_size": 300},
                }
            },
            UsageError,
            "model.config: transformers has no causal language model of its type",
        ),
        ({"dataset": {"train_file": "no.txt"}}, StoreError, "cannot be read"),
        ({"gates": [{"type": "check_record"}]}, StoreError, "checks.py"),
    ],
)
def test_what_is_not_there_is_named(
    toy: Toy, sections: dict[str, Any], error: type[LineageError], sentence: str
) -> None:
    """A file, module, function or model is one sentence; nothing is recorded."""
    steps = {"steps": {"evaluate": "steps:evaluate", "generate": "steps:generate"}}
    for name, replaced in sections.items():
        steps[name] = steps.get(name, {}) | replaced if name == "steps" else replaced
    with pytest.raises(error) as caught:
        toy.run(**steps)
    assert sentence in str(caught.value)
    assert toy.types() == ["init"]


def test_without_torch_model_steps_say_what_to_install(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The built-in model steps name the extra, before anything is committed."""
    for name in ("torch", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LineageError) as caught:
        toy.run(steps={})
    assert str(caught.value) == "the built-in model steps need torch"
    assert caught.value.hint == "install it: pip install 'lineage-vcs[loop]'"
