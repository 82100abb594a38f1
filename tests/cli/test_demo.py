"""`lineage demo`: the whole way, smaller than what people see, by the same code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import LineageError
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage.registry import Registry

    Run = Callable[..., Any]

BIN = Path(sys.executable).parent
DVC = str(BIN / "dvc")
COMMAND = [sys.executable, "-m", "lineage", "demo"]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the small demo once; give its folder and what a person would see."""
    folder = tmp_path_factory.mktemp("demo") / "look"
    command = [*COMMAND, "--quick", os.fspath(folder)]
    done = subprocess.run(
        command, env={**os.environ, "COLUMNS": "80"}, cwd=folder.parent, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return folder, done.stdout


@pytest.fixture
def registry(seen: tuple[Path, str]) -> Iterator[Registry]:
    """What the demo recorded."""
    with lineage.open(seen[0]) as registry:
        yield registry


def test_every_command_is_shown_with_its_output(seen: tuple[Path, str]) -> None:
    """The commands come in order, and so do the facts that they are shown for."""
    folder, text = seen
    milestones = [
        f"$ lineage init {folder}",
        "$ lineage loop run seed.yaml",
        "$ lineage branch loop/replace loop/seed",
        "replace 2/2",
        "Per generation",
        "perplexity on held-out human text: lower is better",
        "$ lineage loop run planted.yaml",
        "was stopped: check_record: ",
        "(exit code 3)",
        "$ lineage log loop/replace loop/accumulate",
        "$ lineage diff loop/accumulate loop/replace",
        "$ lineage trace loop/accumulate",
        "machine-written",
        "$ lineage blame loop/accumulate 17",
        "written by",
        "$ lineage attest loop/accumulate --release demo",
        "$ lineage report loop/accumulate --template eu-annex-iv",
        "in a browser:",
        str(folder / "report.html"),
        "$ lineage report loop/accumulate --format bundle",
        "$ lineage verify report.zip",
        "17 checks: 10 passed, 0 failed",
        "$ lineage verify forged.zip",
        "do not rely on this bundle",
        "$ lineage verify",
        "does not have its recorded SHA-256",
        "(exit code 3)",
        "$ lineage verify",
        "all as recorded",
        f"$ cd {folder}",
    ]
    places: list[int] = []
    for milestone in milestones:
        places.append(text.find(milestone, places[-1] if places else 0))
        assert places[-1] >= 0, f"{milestone!r} is not in {text[places[-2] :]}"


def test_it_fits_80_columns(seen: tuple[Path, str]) -> None:
    """Nothing but paths and sentences of errors is wider than a plain terminal."""
    folder, text = seen
    wide = [line for line in text.splitlines() if len(line) > 80]

    assert [x for x in wide if str(folder) not in x and not x.startswith("error")] == []


def test_both_loops_start_from_one_generation_0(registry: Registry) -> None:
    """Replace and accumulate are branches of the same seed, two generations on."""
    for strategy in ("replace", "accumulate"):
        config = registry.resolve(f"loop/{strategy}^includes(config)")

        assert registry.resolve(f"loop/{strategy}~2") == registry.resolve("loop/seed")
        assert registry.load(config).params["mixing"]["strategy"] == strategy


def test_the_planted_dataset_is_kept_aside(registry: Registry) -> None:
    """The stopped generation has the gate's verdict; the branch stays where it was."""
    stopped = registry.load(registry.resolve("loop/planted@rejected"))
    assert stopped.gates
    [gate] = stopped.gates

    assert (gate["id"], gate["verdict"]) == ("check_record", "fail")
    assert gate["n"] > gate["rejected"] > gate["n"] / 2
    assert registry.resolve("loop/planted") == registry.resolve("loop/seed")


def test_what_it_leaves_is_sound(
    registry: Registry, sound: Callable[[Registry], None]
) -> None:
    """The flipped bit is flipped back, and nothing is left over."""
    sound(registry)


@pytest.fixture
def copy(seen: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the demo's registry, to do things to."""
    return Path(shutil.copytree(seen[0], tmp_path / "copy", symlinks=True))


def test_what_it_tells_to_type_next_works(seen: tuple[Path, str], copy: Path) -> None:
    """Each command of the last list, typed one after the other in one shell."""
    lines = [line for line in seen[1].splitlines() if line.startswith("  $ ")]
    commands = [re.split(r"\s{2,}", line[4:])[0] for line in lines]
    assert len(commands) > 5
    text = "\n".join(commands).replace(str(seen[0]), str(copy))
    done = subprocess.run(
        ["bash", "-ec", text.replace("FILE", str(copy / "python-docs.txt"))],
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PAGER": "cat"},
        cwd=copy, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (copy / "model" / "model.safetensors").is_file()
    assert (copy.parent / "mine" / "loop.yaml").is_file()


def test_plain_git_and_dvc_read_it(copy: Path, registry: Registry) -> None:
    """Bytes, metrics and params come out of the demo's registry without lineage."""
    gits = [
        registry.entry(f"loop/accumulate{turn}^includes(model)").git
        for turn in ("~1", "")
    ]
    turns = [registry.entry(f"loop/accumulate{turn}").git for turn in ("~1", "")]
    said(copy, DVC, "get", ".", "model", "--rev", gits[1], "-o", "out")
    weights = registry.files(registry.resolve("loop/accumulate^includes(model)"))
    for entry in weights:
        data = (copy / "out" / entry.path).read_bytes()
        assert sha256(data).hexdigest() == entry.sha256
    metrics = json.loads(said(copy, DVC, "metrics", "diff", *turns, "--json"))
    params = json.loads(said(copy, DVC, "params", "diff", *gits, "--json"))
    events = said(copy, "git", "log", "--format=%s", "refs/lineage/events")

    assert "perplexity" in metrics["metrics.json"]
    assert params["params.yaml"]["generation"] == {"old": 1, "new": 2, "diff": 1}
    assert "commit loop/accumulate: generation 2 of accumulate" in events
    said(copy, "git", "fsck", "--strict", "--no-dangling")


def test_no_garbage_collection_takes_anything(copy: Path) -> None:
    """`git gc --prune=now` and `dvc gc` in every local form, then `lineage verify`."""
    said(copy, "git", "gc", "--quiet", "--prune=now")
    for form in ("-w", "-a", "-T", "-A", "--all-experiments"):
        said(copy, DVC, "gc", "--force", form)
        with lineage.open(copy) as registry:
            found = verify(registry)
        assert (found.problems, found.checked > 30) == ([], True), form


def said(folder: Path, *command: str) -> str:
    """What a command prints that has to succeed."""
    home = {**os.environ, "HOME": str(folder.parent)}  # dulwich wants a real folder
    done = subprocess.run(
        command,
        cwd=folder,
        env=home,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_folder_is_replaced_only_when_asked_and_a_demo_made_it(
    tmp_path: Path, run: Run
) -> None:
    """Whoever has something in the folder keeps it."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("the only copy")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "demo.txt").write_text("Made by `lineage demo`")
    mine, forced = run("demo", "mine"), run("demo", "--force", "mine")
    old = run("demo", "old")

    assert (mine.exit_code, forced.exit_code, old.exit_code) == (2, 2, 2)
    assert "mine is not empty" in mine.stderr
    assert "mine is not empty" in forced.stderr
    assert "old has an earlier demo" in old.stderr
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "the only copy"


def test_a_loop_that_fails_ends_the_others(repo: Registry) -> None:
    """Loops side by side fail together, and what they said is heard."""
    from lineage.cli.terminal import Terminal
    from lineage.cli.together import together

    del repo
    commands = [["loop", "run", "gone.yaml"], ["status"]]
    with pytest.raises(LineageError, match="ended with exit code 1"):
        together(Terminal(), commands)


def test_it_says_what_to_install(tmp_path: Path) -> None:
    """Without the extra `loop` nothing is made, and the command for it is given."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    absent = "import sys\nsys.modules['torch'] = None\n"
    (hidden / "sitecustomize.py").write_text(absent)
    done = subprocess.run(
        [*COMMAND, "new"], env={**os.environ, "PYTHONPATH": os.fspath(hidden)},
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "torch" in done.stderr
    assert "pip install 'lineage-vcs[loop]'" in done.stderr
    assert not (tmp_path / "new").exists()
