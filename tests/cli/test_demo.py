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
from inline_snapshot import snapshot

import lineage
from lineage.cli.demo.curves import drawn, summary
from lineage.cli.demo.folder import room
from lineage.cli.terminal import Terminal
from lineage.errors import LineageError
from lineage.keys import current
from lineage.loop.demo import Curve
from lineage.store.disk import locked
from lineage.verify import verify
from tests.demo import COMMAND, other_text, without
from tests.docs.shapes import align
from tests.dvc import dvc
from tests.tools import WHAT_AN_AUDITOR_HAS, has, needs_what_an_auditor_has

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage import Registry
    from tests.demo import Demo

    Run = Callable[..., Any]

BIN = Path(sys.executable).parent
VERIFIED = (
    ("$ sh verify.sh report.zip --signers signers", "nothing was found")
    if has(*WHAT_AN_AUDITOR_HAS)
    else ("$ lineage verify report.zip --signers signers", " 0 failed")
)


@pytest.fixture(scope="module")
def own(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's registry, as opening one writes what is derived."""
    copied: dict[int, str] = {}

    def copy(source: str, target: str) -> None:
        """Copy a file; what is one file under two names stays one."""
        inode = Path(source).stat().st_ino
        if inode in copied:
            os.link(copied[inode], target)
        else:
            copied[inode] = shutil.copy2(source, target)

    folder = tmp_path_factory.mktemp("own") / "look"
    shutil.copytree(demo.folder, folder, symlinks=True, copy_function=copy)
    return folder


@pytest.fixture
def registry(own: Path) -> Iterator[Registry]:
    """What the demo recorded."""
    with lineage.open(own) as registry:
        yield registry


def test_every_command_is_shown_with_its_output(demo: Demo) -> None:
    """The commands come in order, and so do the facts that they are shown for."""
    folder, text = demo.folder, demo.text
    milestones = [
        f"$ cd {folder}",
        "$ lineage init",
        "$ lineage key generate --no-passphrase",
        "SHA256:",
        "> --output model/bigram=bigram -- python3 bigram.py",
        "model bigram recorded as",
        "$ lineage loop run seed.yaml",
        "$ lineage branch loop/replace loop/seed",
        "replace 3/3",
        "Per generation",
        "perplexity on held-out human text: lower is better",
        "multiplied by",
        "$ lineage loop run planted.yaml",
        f"was stopped: contamination: {'' if other_text() else 189}",
        " of 800 records",
        "(exit code 3)",
        "$ lineage review approve loop/override@rejected",
        "approved by Ada Example, though a gate failed: the seller",
        "$ lineage loop run override.yaml",
        "override 3/3",
        "$ lineage log loop/next loop/planted@rejected",
        "gate failed: contamination",
        "$ lineage diff loop/accumulate loop/override",
        "unknown 0 % → 25 %",
        "records  dataset/override-mixed: 800 added",
        "more lines",
        "tensors model/override: most moved",
        "$ lineage taint ",
        "it reached 9 commits",
        "the same files are in dataset planted-synthetic",
        "$ lineage impact ",
        "800, 20 %  800, 20 %",
        "$ lineage status --tainted",
        "branch  production",
        "$ lineage review list --all",
        "override: the seller is a partner of ours",
        "$ lineage undo",
        "branch production is back at",
        "$ lineage report loop/next --template eu-annex-iv -o report.html",
        "in a browser:",
        str(folder / "report.html"),
        "$ lineage report loop/next --format bundle -o report.zip",
        *VERIFIED,
        "$ python3 flip.py .dvc/cache/files/md5/",
        "$ lineage verify",
        "model.safetensors  does not have its recorded SHA-256",
        "(exit code 3)",
        "$ lineage verify --repair --from backup",
        "all as recorded",
        f"$ cd {folder}",
    ]
    places: list[int] = []
    for milestone in milestones:
        places.append(text.find(milestone, places[-1] if places else 0))
        assert places[-1] >= 0, f"{milestone!r} is not in {text[places[-2] :]}"


@needs_what_an_auditor_has
def test_the_readme_tells_it(demo: Demo) -> None:
    """The README shows this output, cut; another Python has other texts in it."""
    page = Path(__file__).parents[2] / "README.md"
    story = page.read_text(encoding="utf-8").split("$ lineage demo --fast\n")[1]
    said, printed = story.split("```")[0].splitlines(), demo.text.splitlines()
    if other_text():
        said, printed = (
            [re.sub(r"[\d▁-█]", "0", x) for x in y] for y in (said, printed)
        )
    wrong = [pair for pair in align(said, printed) if not pair.same]
    assert not wrong, "\n".join(map(str, wrong))


def test_the_report_tells_whom_it_owes_to(demo: Demo) -> None:
    """What was let through in one loop is told of the loop that went on from it."""
    assert "no override" not in (page := (demo.folder / "report.html").read_text())
    assert "1 override" in page
    assert "1 of 4 generations decided on" in page


def test_it_fits_80_columns(demo: Demo) -> None:
    """Nothing is wider than a plain terminal but paths, and sentences of commands."""
    folder, text = demo.folder, demo.text
    wide = [line for line in text.splitlines() if len(line) > 80]
    sentence = re.compile(
        r"(error:|note:|the same files |ok |NOT CHECKED|repaired:"
        r"|[0-9a-f]{12} approved)"
    )

    assert [x for x in wide if str(folder) not in x and not sentence.match(x)] == []


def test_whose_it_runs_as_stays_out_of_it(registry: Registry, demo: Demo) -> None:
    """No key, setting or name of the person is used, and nothing comes into the home.

    Every event since the first key is signed, by Ada or by the runner.
    """
    whose = {file.name for file in demo.home.rglob("*") if file.is_file()}
    events = [event for _, event in registry.events_log.iterate()]

    assert whose == {"config", ".gitconfig"}
    assert {event.actor["name"] for event in events[:-1]} == {"Ada Example"}
    assert {key.name for key in current(registry).keys.values()} == {
        "Ada Example",
        "runner",
    }


def test_both_loops_start_from_one_generation_0(registry: Registry) -> None:
    """Replace and accumulate are branches of the same seed, three generations on."""
    for strategy in ("replace", "accumulate"):
        config = registry.resolve(f"loop/{strategy}^includes(config)")

        assert registry.resolve(f"loop/{strategy}~3") == registry.resolve("loop/seed")
        assert registry.load(config).params["mixing"]["strategy"] == strategy


def test_what_was_bought_is_stopped_here_and_trains_there(registry: Registry) -> None:
    """One branch stays where it was; the other has the failed gate and a model."""
    stopped = registry.load(registry.resolve("loop/planted@rejected"))
    passed = registry.load(registry.resolve("loop/override"))
    before = registry.resolve("loop/accumulate~1")
    verdicts = [
        {gate["id"]: gate["verdict"] for gate in commit.gates or ()}
        for commit in (stopped, passed)
    ]

    assert verdicts == [{"check_record": "pass", "contamination": "fail"}] * 2
    assert registry.resolve("loop/planted") == before == passed.ids("follows")[0]
    assert registry.resolve("loop/override^includes(model)")
    assert registry.resolve("production") == registry.resolve("loop/accumulate")


def test_the_loops_drift_and_the_exam_was_seen(registry: Registry) -> None:
    """What the story says of its numbers is in them."""
    replaced, kept, bought = (
        [
            registry.load(registry.resolve(f"loop/{name}~{back}")).metrics
            for back in range(3, -1, -1)
        ]
        for name in ("replace", "accumulate", "override")
    )
    perplexities = [[each["perplexity"].value for each in x] for x in (replaced, kept)]

    assert perplexities == [sorted(each) for each in perplexities]
    assert perplexities[0][-1] > 1.5 * perplexities[1][-1]
    assert bought[-1]["perplexity"].value < kept[0]["perplexity"].value


def test_what_it_leaves_is_sound(
    registry: Registry, sound: Callable[[Registry], None]
) -> None:
    """The flipped bit is repaired, and nothing is left over."""
    sound(registry)


@pytest.fixture
def copy(demo: Demo, tmp_path: Path) -> Path:
    """A copy of the demo's registry, to do things to."""
    return Path(shutil.copytree(demo.folder, tmp_path / "copy", symlinks=True))


def test_what_it_tells_to_type_next_works(demo: Demo, copy: Path) -> None:
    """Each command of the last list, typed one after the other in one shell."""
    lines = [line for line in demo.text.splitlines() if line.startswith("  $ ")]
    commands = [re.split(r"\s{2,}", line[4:])[0] for line in lines]
    assert len(commands) > 5
    text = "\n".join(commands).replace(str(demo.folder), str(copy))
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
    plain(copy, "get", ".", "model", "--rev", gits[1], "-o", "out")
    weights = registry.files(registry.resolve("loop/accumulate^includes(model)"))
    for entry in weights:
        data = (copy / "out" / entry.path).read_bytes()
        assert sha256(data).hexdigest() == entry.sha256
    metrics = json.loads(plain(copy, "metrics", "diff", *turns, "--json"))
    params = json.loads(plain(copy, "params", "diff", *gits, "--json"))
    events = said(copy, "git", "log", "--format=%s", "refs/lineage/events")

    assert "perplexity" in metrics["metrics.json"]
    assert params["params.yaml"]["generation"] == {"old": 2, "new": 3, "diff": 1}
    assert "commit loop/accumulate: generation 3 of accumulate" in events
    said(copy, "git", "fsck", "--strict", "--no-dangling")


def test_no_garbage_collection_takes_anything(copy: Path) -> None:
    """`git gc --prune=now` and `dvc gc` in every local form, then `lineage verify`."""
    said(copy, "git", "gc", "--quiet", "--prune=now")
    for form in ("-w", "-a", "-T", "-A", "--all-experiments"):
        plain(copy, "gc", "--force", form)
        with lineage.open(copy) as registry:
            found = verify(registry)
        assert (found.problems, found.checked > 30) == ([], True), form


def plain(folder: Path, *words: str) -> str:
    """What `dvc` prints, which has to succeed."""
    home = {**os.environ, "HOME": str(folder.parent)}  # dulwich wants a real folder
    done = dvc("--cd", folder, *words, env=home)
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(folder: Path, *command: str) -> str:
    """What a command prints that has to succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
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
    (tmp_path / "mine" / "demo.txt").write_text("what to show on Friday")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "demo.txt").write_text("Made by `lineage demo`")
    mine, forced = run("demo", "mine"), run("demo", "--force", "mine")
    old = run("demo", "old")

    assert (mine.exit_code, forced.exit_code, old.exit_code) == (2, 2, 2)
    assert "mine is not empty" in mine.stderr
    assert "mine is not empty" in forced.stderr
    assert "old has an earlier demo" in old.stderr
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "the only copy"


def test_what_cannot_be_a_folder_is_said_so(tmp_path: Path, run: Run) -> None:
    """A file, a link and a place below a file are refused, and stay."""
    (tmp_path / "thesis.txt").write_text("the only copy")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("thesis.txt", "link"):
        done = run("demo", "--fast", "--force", name)
        assert done.exit_code == 2
        assert f"{name} is no folder" in done.stderr
    below = run("demo", "--fast", "thesis.txt/demo")
    assert (below.exit_code, "thesis.txt is no folder" in below.stderr) == (2, True)
    assert (tmp_path / "thesis.txt").read_text() == "the only copy"


def test_a_demo_that_runs_is_not_replaced(tmp_path: Path, run: Run) -> None:
    """With --force neither, and nothing of it is touched."""
    mark = tmp_path / "look" / "demo.txt"
    mark.parent.mkdir()
    (tmp_path / "look" / "seed.yaml").write_text("in use")
    with locked(mark):
        mark.write_text("Made by `lineage demo`")
        done = run("demo", "--fast", "--force", "look")
    assert (done.exit_code, "a demo runs in look" in done.stderr) == (1, True)
    assert (tmp_path / "look" / "seed.yaml").read_text() == "in use"


def test_a_folder_is_emptied_with_its_mark_left_in_it(tmp_path: Path) -> None:
    """The folder that one stands in can be named, and a kill leaves ours as ours."""
    (tmp_path / "demo.txt").write_text("Made by `lineage demo`")
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "weights").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "backup")
    with room(tmp_path, force=True):
        assert [path.name for path in tmp_path.iterdir()] == ["demo.txt"]


def test_a_loop_that_fails_ends_the_others(repo: Registry) -> None:
    """Loops side by side fail together, and what they said is heard."""
    from lineage.cli.demo.together import together
    from lineage.cli.terminal import Terminal

    del repo
    commands = [["loop", "run", "gone.yaml"], ["status"]]
    with pytest.raises(LineageError, match="ended with exit code 1"):
        together(Terminal(), commands)


_CHAPTERS = """
import contextlib
from pathlib import Path

from lineage.cli.demo.screen import apart
from lineage.cli.demo.story import Story
from lineage.cli.terminal import Terminal
from lineage.loop.demo import Size

size = Size(seeds=(0,), generations=1, records=40, steps=2, held_out=20)
story = Story(Terminal(), Path(), size)
with apart(story.terminal, Path(".config").absolute()):
    story.registry()
    story.generation_0()
    story.two_loops()
"""


def test_the_chapters_that_train_run_with_torch(tmp_path: Path) -> None:
    """Loops side by side, with models of torch: far smaller, by the same code."""
    done = subprocess.run(
        [sys.executable, "-c", _CHAPTERS], cwd=tmp_path, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert "$ lineage loop run accumulate*.yaml >/dev/null &" in done.stdout
    assert "accumulate 1/1    perplexity" in done.stdout
    assert "perplexity on held-out human text" in done.stdout


def test_loops_of_several_seeds_show_their_spread() -> None:
    """Per generation the mean, and below it the lowest and the highest."""
    found = [
        Curve("replace", "perplexity", [[90.0, 92.0], [100.0, 140.0]]),
        Curve("accumulate", "perplexity", [[90.0, 92.0], [95.0, 105.0]]),
    ]

    assert list(drawn(Terminal(), found)) == snapshot(
        [
            "Per generation: the mean of 2 seeds, the lowest and the highest below.",
            "",
            "perplexity on held-out human text: lower is better",
            "              generation 0        1",
            "  replace               91      120",
            "                     90-92  100-140",
            "  accumulate            91      100",
            "                     90-92   95-105",
            "",
            "distinct_2 of the data written for it: neither side is better",
        ]
    )
    assert summary(found) == snapshot(
        "Perplexity was multiplied by 1.32 with replace and by 1.10 with accumulate. "
        "Keeping all data slows the drift; it does not end it."
    )


@pytest.mark.parametrize(
    ("name", "words", "extra"),
    [("torch", [], "loop"), ("duckdb", ["--fast"], "diff")],
)
def test_it_says_what_to_install(
    tmp_path: Path, name: str, words: list[str], extra: str
) -> None:
    """Without an extra nothing is made, and the command for it is given."""
    done = subprocess.run(
        [*COMMAND, *words, "new"], env=without(name, folder=tmp_path),
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert f"error: the demo needs {name}" in done.stderr
    assert f"pip install 'lineage-vcs[{extra}]'" in done.stderr
    assert not (tmp_path / "new").exists()
