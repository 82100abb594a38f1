"""Command lines of `lineage` in a page, held against the real command line.

Nothing is run: names of commands, names of options and their choices have to be
there. Words in capitals, and those with `…`, stand for what a reader puts in.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import click
from markdown_it import MarkdownIt

from lineage.cli.main import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

_PROMPTED = re.compile(r"^(?:\w*\$ |.* - run: )(.*\blineage .*)$")
_BARE = re.compile(r"^(?:\w+=\S* )*lineage .*$")
_CONTINUED = re.compile(r"\\\n(> )?")
_ASSIGNMENT = re.compile(r"\w+=.*")
_OPERATORS = {"|", "||", "&&", ";", "&", "(", ")", "<", ">", ">>", ">/"}
_STANDS_FOR = re.compile(r".*…|[A-Z]+([=:/|-][A-Z]+)*")


def command_lines(page: str) -> Iterator[tuple[int, str]]:
    """Give what looks like a command line of `lineage`, with its line in the page."""
    for token in MarkdownIt().enable("table").parse(page):
        first = token.map[0] + 1 if token.map else 0
        if token.type == "inline":
            yield from ((first, line) for line in _inline(token))
        elif token.type in {"fence", "code_block"}:
            first += token.type == "fence"
            for number, line in enumerate(_typed(token.content), first):
                if line:
                    yield number, line


def _inline(token: Token) -> Iterator[str]:
    for child in token.children or []:
        if child.type == "code_inline" and _BARE.match(child.content):
            yield child.content


def _typed(block: str) -> Iterator[str]:
    """Give what is typed in each line of a block, or nothing.

    Where a block has prompts all other lines are output.
    """
    block = _CONTINUED.sub(" ", block)
    prompts = any(line.startswith("$ ") for line in block.splitlines())
    for line in block.splitlines():
        if typed := _PROMPTED.match(line):
            yield typed[1]
        else:
            yield line if not prompts and _BARE.match(line) else ""


def unknown(line: str) -> str:
    """Say what the command line does not know of a line; nothing if it knows all."""
    try:
        for words in _commands(line):
            _parse(program, words)
    except click.BadOptionUsage:  # an option is mentioned without what it takes
        return ""
    except click.UsageError as error:
        return error.format_message()
    return ""


def _commands(line: str) -> Iterator[list[str]]:
    """Give the words of each command of `lineage` in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _OPERATORS:
            words.append(word)
            continue
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words.pop(0)
        if words and words[0] == "lineage":
            yield words[1:]
        words = []


def _parse(
    command: click.Command, words: list[str], parent: click.Context | None = None
) -> None:
    """Look up names of commands and options, and choices.

    Raises:
        click.UsageError: there is no such thing.
    """
    context = click.Context(command, parent, info_name=command.name)
    values, rest, _ = command.make_parser(context).parse_args(list(words))
    for option in command.get_params(context):
        given = values.get(option.name or "")
        named = isinstance(given, str) and not _STANDS_FOR.fullmatch(given)
        if named and isinstance(option.type, click.Choice):
            option.type.convert(given, option, context)
    if isinstance(command, click.Group) and rest and not _STANDS_FOR.fullmatch(rest[0]):
        inner = command.get_command(context, rest[0])
        if inner is None:
            context.fail(f"no such command {rest[0]!r}")
        _parse(inner, rest[1:], context)
