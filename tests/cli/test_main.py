# ruff: noqa: E501 - transcripts are as wide as they are
"""The command line as a whole: help, global options, errors, exit codes, streams."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.cli.main import SECTIONS, program

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]

LINEAGE = [sys.executable, "-m", "lineage"]


def on_a_terminal(*args: str, **env: str) -> str:
    """What `lineage ARGS` shows on a terminal of 80 columns."""
    master, slave = pty.openpty()
    variables = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **env}
    process = subprocess.Popen(
        [*LINEAGE, *args], stdin=slave, stdout=slave, stderr=slave, env=variables
    )
    os.close(slave)
    shown = b""
    with suppress(OSError):  # Linux says so at the end
        while data := os.read(master, 65536):
            shown += data
    process.wait()
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


def test_help_lists_every_command_in_its_section(run: Run) -> None:
    """Each command has a place and a sentence that fits on its line."""
    shown = run("--help")

    assert shown.exit_code == 0
    for words in (
        "Record:\n  init ", "Look:\n  log ", "Name:\n  branch ", "Bytes:\n  get ",
        "Exit codes:\n  0    done", "  10   waiting for review",
    ):  # fmt: skip
        assert words in shown.stdout
    commands = shown.stdout.partition("Record:")[2].partition("Exit codes:")[0]
    assert "..." not in commands
    for name, sentence in chain(*(group.items() for group in SECTIONS.values())):
        command = program.commands.get(name)
        assert command is not None
        assert command.get_short_help_str(66) == sentence
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_words_that_are_nearly_right(transcript: Transcript) -> None:
    """A usage error is a sentence, a suggestion, and exit code 2."""
    assert transcript(
        "lgo",
        "log --ful",
        "log --format xml",
        "log -n many",
        "--color pink log",
        "-C nowhere log",
        "commit",
    ) == snapshot("""\
$ lineage lgo
2> error: no such command 'lgo'
2> hint: did you mean log?
exit 2
$ lineage log --ful
2> error: no such option '--ful'
2> hint: did you mean --all or --full or --until?
exit 2
$ lineage log --format xml
2> error: invalid value for '--format': 'xml' is not one of 'human', 'json', 'jsonl', 'csv', 'md'
2> hint: see `lineage log --help`
exit 2
$ lineage log -n many
2> error: invalid value for '-n': 'many' is no whole number
2> hint: see `lineage log --help`
exit 2
$ lineage --color pink log
2> error: invalid value for '--color': 'pink' is not one of 'auto', 'always', 'never'
2> hint: see `lineage --help`
exit 2
$ lineage -C nowhere log
2> error: invalid value for '-C': Directory 'nowhere' does not exist
2> hint: see `lineage --help`
exit 2
$ lineage commit
2> error: missing argument 'KIND'
2> hint: see `lineage commit --help`
exit 2
""")


def test_without_a_command(run: Run) -> None:
    """Help is shown, and it is a usage error."""
    done = run()

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: lineage [OPTIONS] COMMAND")


def test_outside_of_any_registry(transcript: Transcript, tmp_path: Path) -> None:
    """Not a repository, and a repository that is no registry."""
    subprocess.run(["git", "init", "-q", tmp_path / "plain"], check=True)

    assert transcript("log", "status", "-C plain log") == snapshot("""\
$ lineage log
2> error: /test is not inside a lineage registry
2> hint: run `lineage init` in the folder that should become one
exit 5
$ lineage status
2> error: /test is not inside a lineage registry
2> hint: run `lineage init` in the folder that should become one
exit 5
$ lineage -C plain log
2> error: /test/plain is not a lineage registry
2> hint: `lineage init` makes it one, `lineage clone URL` brings one that is shared
exit 5
""")


def test_c_works_as_if_started_there(
    repo: Registry, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths after -C DIR are relative to DIR, and we are back afterwards."""
    (repo.root / "a.txt").write_text("a", encoding="utf-8")
    monkeypatch.chdir(repo.root.parent)

    assert run("-C", "repo", "commit", "dataset", "a.txt", "--name", "a").exit_code == 0
    assert Path.cwd() == repo.root.parent


def test_quiet_and_verbose(repo: Registry, run: Run) -> None:
    """-q leaves data and errors, -v adds where an error came from."""
    repo.commit("config", "c", params={"n": 1})

    assert run("-q", "verify").stderr == ""
    assert run("-q", "show", "nope").stderr.startswith("error: ")
    assert "Traceback" not in run("show", "nope").stderr
    assert "in _revision\n" in run("-v", "show", "nope").stderr


@pytest.mark.parametrize(
    ("options", "env", "colored"),
    [
        ((), {"NO_COLOR": ""}, True),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"NO_COLOR": "", "TERM": "dumb"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"NO_COLOR": ""}, False),
        ((), {"NO_COLOR": "1", "LINEAGE_COLOR": "always"}, True),
    ],
)
def test_colours_on_a_terminal(
    repo: Registry, options: tuple[str, ...], env: dict[str, str], *, colored: bool
) -> None:
    """A terminal gets colours unless NO_COLOR says no; --color has the last word."""
    repo.commit("config", "c", params={"n": 1})
    shown = on_a_terminal("--no-pager", *options, "log", **env)

    assert ("\x1b[33m" in shown) == colored


def test_no_colours_in_a_pipe(repo: Registry, run: Run) -> None:
    """Output that is piped has colours only when they are asked for."""
    repo.commit("config", "c", params={"n": 1})

    assert "\x1b" not in run("log").stdout
    assert "\x1b[33m" in run("--color", "always", "log").stdout


def test_the_pager(repo: Registry) -> None:
    """On a terminal log goes through the pager, which may be told not to."""
    repo.commit("config", "c", params={"n": 1})
    pager = {"PAGER": "sed s/^/paged:/"}

    assert on_a_terminal("log", **pager).startswith("paged:□  ")
    assert on_a_terminal("--no-pager", "log", **pager).startswith("□  ")
    assert on_a_terminal("log", PAGER="cat").startswith("□  ")
    assert on_a_terminal("log", PAGER="no-such-pager").startswith("□  ")
    own = on_a_terminal("log", LINEAGE_PAGER="sed s/^/own:/", **pager)
    assert own.startswith("own:□  ")


def test_a_pager_that_is_left_early(repo: Registry) -> None:
    """Leaving the pager before the end is no error."""
    repo.commit("config", "c", params={f"p{i}": i for i in range(9999)})
    for number in range(2000):
        repo.root.joinpath(f"{number}.txt").touch()
    repo.commit(
        "dataset", "d", repo.root / "0.txt", params={f"p{i}": i for i in range(9999)}
    )

    assert on_a_terminal("show", PAGER="head -n 1").count("\n") == 1


def test_a_reader_that_goes_away(repo: Registry) -> None:
    """`| head -1` ends us quietly, with the code that a shell reports for git."""
    repo.commit("config", "c", params={f"p{i}": "x" * 100 for i in range(5000)})
    with subprocess.Popen(
        [*LINEAGE, "show"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (141, b"")


def test_a_stdout_that_cannot_be_written(repo: Registry) -> None:
    """Output that was lost, on a full disk say, is an error and never silence."""
    repo.commit("config", "c", params={"n": 1})
    with Path(os.devnull).open(encoding="utf-8") as unwritable:
        done = subprocess.run(
            [*LINEAGE, "log"],
            stdout=unwritable, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr == "error: Bad file descriptor\n"


def test_interrupted(repo: Registry) -> None:
    """^C ends a command with 130 and without a traceback."""
    os.mkfifo(repo.root / "slow.json")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job may ignore it
    with subprocess.Popen(
        [*LINEAGE, "commit", "config", "--name", "c", "--params", "slow.json"],
        stderr=subprocess.PIPE,
    ) as process:
        with (repo.root / "slow.json").open("wb"):  # opens once the command reads it
            time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            process.wait()
        assert process.stderr is not None
        said = process.stderr.read()

    assert (process.returncode, said.strip()) == (130, b"")


def test_output_is_utf8_whatever_the_locale_says(repo: Registry) -> None:
    """Names and drawings come out whole in a Latin-1 locale."""
    repo.commit("config", "größe", params={"n": 1})
    done = subprocess.run(
        [*LINEAGE, "log"], capture_output=True, check=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip

    assert "□".encode() in done.stdout
    assert "größe".encode() in done.stdout


def test_words_that_are_not_unicode(repo: Registry) -> None:
    """Undecodable arguments are refused in a sentence."""
    before = repo.events_log.tip()
    for args in ((b"show", b"\xff"), (b"commit", b"config", b"--name", b"\xff"),
                 (b"commit", b"dataset", b"\xff", b"--name", b"a")):  # fmt: skip
        done = subprocess.run([*LINEAGE, *args], capture_output=True, check=False)
        assert done.returncode in (1, 2)
        assert done.stderr.startswith(b"error: ")
        assert b"Traceback" not in done.stderr

    assert repo.events_log.tip() == before


def test_names_cannot_move_the_cursor(repo: Registry, run: Run) -> None:
    """Control characters in what others wrote are not sent to the terminal."""
    repo.commit("config", "c", params={"\x1b[2J": "\x1b[2J"}, message="\x1b[2Jhello")

    assert "\x1b" not in run("log").stdout + run("show").stdout + run("events").stdout
    tried, undone, redone = run("undo", "--dry-run"), run("undo"), run("redo")
    assert "\x1b" not in tried.stdout + undone.stderr + redone.stderr
    assert "[2Jhello" in tried.stdout
    assert "[2Jhello" in undone.stderr


def test_the_shell_completes_revisions(repo: Registry, tmp_path: Path) -> None:
    """Branches and tags are offered where a revision is due; elsewhere nothing is."""
    repo.commit("config", "c", params={"n": 1})
    env = {
        **os.environ,
        "_LINEAGE_COMPLETE": "bash_complete",
        "COMP_WORDS": "lineage show con",
        "COMP_CWORD": "2",
    }
    ask = [sys.executable, "-c", "from lineage.cli.main import main; main()"]
    inside = subprocess.run(ask, env=env, capture_output=True, text=True, check=False)
    outside = subprocess.run(
        ask, env=env, capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert inside.stdout == "plain,config/c\n"
    assert (outside.stdout.strip(), outside.stderr) == ("", "")


SLOW = (
    "alembic", "duckdb", "dvc", "git", "jinja2", "numpy", "pyarrow", "pydantic",
    "safetensors", "sqlalchemy", "sqlmodel", "tokenizers", "torch", "transformers",
    "yaml",
)  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "commit dataset new.txt --name new --param lr=2e-3 --metric loss=1",
        "log --all",
        "log --kind model --format jsonl",
        "show",
        "diff --only metrics",
        "status",
        "branch",
        "log --metric perplexity --plot a.html",
    ],
)
def test_nothing_slow_is_imported(command: str, loop: Any) -> None:
    """Everyday commands wait for no large library."""
    loop.write("new.txt", "new")
    imported = _imported_by(command)

    assert "lineage.cli.main" in imported
    assert not {name.split(".")[0] for name in imported}.intersection(SLOW)


def test_help_reads_no_more_than_the_commands() -> None:
    """Help and completion wait for nothing below the command line."""
    below = {name for name in _imported_by("--help") if name.startswith("lineage.")}

    assert {name for name in below if not name.startswith("lineage.cli")} == {
        "lineage.errors",
        "lineage.wording",
    }


@pytest.mark.usefixtures("loop")
def test_a_filter_asks_the_index() -> None:
    """The index is imported by filters on values, and only by them."""
    assert "lineage.store.index" in _imported_by("log --metric perplexity>1")
    assert "lineage.store.index" not in _imported_by("log --kind model")


def _imported_by(command: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lineage", *command.split()],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {line.split("|")[-1].strip() for line in done.stderr.splitlines()}


@pytest.mark.usefixtures("repo")
def test_an_error_cuts_a_name_that_nobody_reads(run: Run) -> None:
    """Of a name of thousands of characters an error shows how it begins and ends."""
    name = f"begin{'y' * 5000}end"
    for words in (["show", name], ["init", name], ["loop", name], ["log", "-n", name]):
        said = run(*words).stderr

        assert "begin" in said
        assert "yend" in said
        assert max(map(len, said.splitlines())) < 600


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("log -n -1", "'-n': -1 is less than 0"),
        ("log -n 1.5", "'-n': '1.5' is no whole number"),
        ("serve --port 70000", "'--port': 70000 is not from 0 to 65535"),
        ("run --seed x -- true", "'--seed': 'x' is no whole number"),
        ("bisect a --good b --bad c --above x", "'--above': 'x' is no number"),
        ("clone nosuch a.txt", "a.txt is no folder"),
    ],
)
def test_numbers_and_places_out_of_range(
    words: str, sentence: str, run: Run, repo: Registry
) -> None:
    """What is wrong with them is said in words for people, and the exit code is 2."""
    (repo.root / "a.txt").write_text("", encoding="utf-8")
    done = run(*words.split())

    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["log", "--since="], "--since"),
        (["log", "--name", ""], "--name"),
        (["log", "--metric", "loss > 1", "--metric="], "--metric"),
        (["verify", "--anchor="], "--anchor"),
        (["token", "create", "ada", "--expires="], "--expires"),
        (["webhook", "add", "https://x.example/", "--event="], "--event"),
        (["check", "--policy="], "--policy"),
        (["commit", "dataset", "", "--name", "all"], "PATH"),
        (["import", "hf", ""], "PATH|REPO"),
        (["import", "mlflow", ""], "URI"),
        (["clone", ""], "URL"),
        (["loop", "run", "a.yaml", ""], "FILE"),
        (["init", ""], "DIR"),
    ],
    ids=" ".join,
)
def test_an_empty_value_is_refused(
    repo: Registry, run: Run, words: list[str], what: str
) -> None:
    """A script's variable that is not set is no wish for less, nor this folder."""
    before = sorted(repo.root.rglob("*"))

    done = run(*words)

    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {what} is empty\nhint: give it a value")
    assert sorted(repo.root.rglob("*")) == before


@pytest.mark.usefixtures("repo")
def test_words_of_another_command_and_notes_may_be_empty(run: Run) -> None:
    """What `run` starts gets its words as they are, and a message may say nothing."""
    script = "import sys; open('out', 'w').write(repr(sys.argv[1:]))"
    words = ["--output", "dataset/o=out", "--", sys.executable, "-c", script, ""]
    assert run("run", "--name", "z", *words).exit_code == 0
    assert Path("out").read_text("utf-8") == "['']"
    assert run("tag", "v1", "-m", "").exit_code == 0
