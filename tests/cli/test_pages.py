"""The pages that describe the command line say what it does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from inline_snapshot import external_file

from lineage.cli.command import EXITS
from lineage.cli.main import program

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
WIDTH = 80

HEAD = """\
# Commands

What `lineage COMMAND --help` says, for every command.
[json.md](json.md) has the JSON shapes.

Commands and options complete in the shell, and so do branches and tags:

    eval "$(_LINEAGE_COMPLETE=bash_source lineage)"      # in ~/.bashrc
    eval "$(_LINEAGE_COMPLETE=zsh_source lineage)"       # in ~/.zshrc
    _LINEAGE_COMPLETE=fish_source lineage | source       # in ~/.config/fish/config.fish
"""


def helps(
    command: click.Command, path: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Give the help of a command and of all commands below it."""
    command._help_option = None  # another test's may be kept there
    context = command.make_context(
        path,
        [],
        parent,
        resilient_parsing=True,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.commands:
            inner = command.get_command(context, name)
            assert inner is not None
            yield from helps(inner, name, context)


def page() -> str:
    sections = [HEAD]
    for path, text in helps(program, "lineage"):
        body = "\n".join(f"    {line}".rstrip() for line in text.splitlines())
        sections.append(f"## {path}\n\n{body}\n")
    return "\n".join(sections)


def test_commands_page_is_current() -> None:
    """docs/commands.md is the help; `pytest --inline-snapshot=fix` writes it anew."""
    assert page() == external_file(DOCS / "commands.md", format=".txt")


def test_examples_in_help_exist() -> None:
    """Examples in help use commands and options that there are."""
    for path, text in helps(program, "lineage"):
        for words in re.findall(r"^  lineage (\S+)", text, re.MULTILINE):
            assert words in program.commands or words.startswith("-"), path


def test_every_exit_code_in_help_is_one_of_ours() -> None:
    """No command's help invents an exit code."""
    for path, text in helps(program, "lineage"):
        listed = text.partition("Exit codes:\n")[2]
        codes = {int(code) for code in re.findall(r"^  (\d+) ", listed, re.MULTILINE)}
        assert codes <= set(EXITS), path


def test_json_page_names_every_command_with_json() -> None:
    """A command that speaks JSON has a section in docs/json.md."""
    text = (DOCS / "json.md").read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    named = {name for title in titles for name in title.split(" and ")}
    told = {
        path.removeprefix("lineage ")
        for path, help_ in helps(program, "lineage")
        if "docs/json.md" in help_
    }

    assert {name for name in told if not {name, name.split()[0]} & named} == set()
    assert len(titles) == len(set(titles))
