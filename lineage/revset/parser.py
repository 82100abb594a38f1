"""From text to tree, by recursive descent.

The grammar is in docs/revisions.md: a method below reads one rule of it. A ``~``
right behind a commit is a step, elsewhere an operator.
"""

import re
from collections.abc import Callable

from lineage.errors import UsageError
from lineage.revisions import Along, Back, Revision, Step
from lineage.revset.functions import (
    BOUNDS,
    COUNT,
    FUNCTIONS,
    KIND,
    METRIC,
    ONE,
    PARAM,
    ROLE,
    SET,
    usage,
)
from lineage.revset.scanner import DEEPEST, Scanner
from lineage.revset.syntax import (
    QUOTES,
    Argument,
    Bounds,
    Call,
    Complement,
    Meet,
    Node,
    Range,
    Stepped,
    Union,
)
from lineage.search import Condition, Misplaced, metric_condition, param_condition
from lineage.store.objects import KINDS, ROLES

ANY_ROLE = "*"

_DIGITS = re.compile(r"[0-9]*")
_LETTERS = re.compile(r"\w*")
_MOMENT = re.compile(r"[^}]*")
_BOUNDS = re.compile(r"([0-9]{1,9})?(\s*\.\.\s*)?([0-9]{1,9})?")
_OPERAND = "a branch, a tag, an id or a function"
_GLUED = "write `a ~ b`, with a space before ~, for what is in a and not in b"
_GIT_NOT = "what git writes ^A B is A..B here, or B ~ ancestors(A)"


def parse(text: str) -> Node:
    """The tree of a revset.

    Raises:
        UsageError: when `text` is none; its `place` is where it goes wrong.
    """
    return _Parser(text).whole()


class _Parser:
    """Reads one text; each method starts and ends behind white space or a mark."""

    def __init__(self, text: str) -> None:
        self._in = Scanner(text)
        self._readers: dict[str, Callable[[], Argument]] = {
            SET: self._union,
            ONE: self._union,
            ROLE: lambda: self._one_of((*ROLES, ANY_ROLE), ROLE),
            KIND: lambda: self._one_of(KINDS, KIND),
            COUNT: self._count,
            BOUNDS: self._bounds,
            METRIC: lambda: self._condition(metric_condition),
            PARAM: lambda: self._condition(param_condition),
        }

    def whole(self) -> Node:
        try:
            self._in.text.encode()
        except UnicodeEncodeError as error:  # bytes of a command line that are no text
            expected = "a character that prints"
            raise self._in.fault(expected, error.start, error.end) from None
        node = self._union()
        if not self._in.ended():
            raise self._in.fault("an operator | & ~ or ..", hint=self._about_more())
        return node

    def _about_more(self) -> str:
        read = self._in
        if read.sees(":"):
            return "no name has a : in it"
        return _GLUED if "~" in read.text[: read.at].rstrip()[-11:] else ""

    def _union(self) -> Node:
        self._deeper()
        terms = [self._meet()]
        while self._in.take("|"):
            terms.append(self._meet())
        self._in.depth -= 1
        return Union(tuple(terms)) if len(terms) > 1 else terms[0]

    def _deeper(self) -> None:
        self._in.depth += 1
        if self._in.depth > DEEPEST:
            raise self._in.fault(f"at most {DEEPEST} levels")

    def _meet(self) -> Node:
        first = self._term()
        terms: list[Node] = [first]
        without: list[Node] = []
        while mark := self._in.take("&", "~"):
            (terms if mark == "&" else without).append(self._term())
        if len(terms) == 1 and not without:
            return first
        return Meet(tuple(terms), tuple(without))

    def _term(self) -> Node:
        self._in.space()
        if not self._in.take("~"):
            return self._range()
        self._deeper()
        of = self._term()
        self._in.depth -= 1
        return Complement(of)

    def _range(self) -> Node:
        since = None if self._in.sees("..") else self._stepped()
        dots = self._in.take("...", "..")
        if not dots:
            assert since is not None
            return since
        self._in.space()
        open_ = self._in.ended() or self._in.sees("|", "&", "~", ")", ",")
        if open_ and since is None:
            raise self._in.fault(_OPERAND, hint=f"before or after {dots}")
        to = None if open_ else self._stepped()
        if self._in.sees(".."):
            end = self._in.at + len("..")
            raise self._in.fault("one range", end=end, hint="use parentheses")
        head = Revision("HEAD")
        return Range(since or head, to or head, both=dots == "...")

    def _stepped(self) -> Node:
        start = self._in.at
        node = self._primary()
        steps = []
        while mark := self._in.take("~", "^"):
            steps.append(self._back() if mark == "~" else self._along())
        place = self._in.place(start)
        self._in.space()
        if isinstance(node, Revision):
            return Revision(node.name, node.moment, (*node.steps, *steps), place)
        if isinstance(node, Stepped):
            return Stepped(node.of, (*node.steps, *steps))
        return Stepped(node, tuple(steps)) if steps else node

    def _back(self) -> Step:
        start = self._in.at
        digits = self._in.match(_DIGITS)
        if len(digits) > 9:
            raise self._in.fault("at most nine digits", start, self._in.at)
        if self._in.match(_LETTERS):
            expected = "a number, or nothing, after ~"
            raise self._in.fault(expected, start, self._in.at, hint=_GLUED)
        return Back(int(digits or 1))

    def _along(self) -> Step:
        role = self._in_list(ROLES, ROLE)
        if not self._in.take("("):
            return Along(role)
        kind = self._in_list(KINDS, KIND)
        self._close()
        return Along(role, kind)

    def _primary(self) -> Node:
        read = self._in
        if read.take("("):
            node = self._union()
            self._close()
            return node
        start, is_quoted = read.at, read.sees(*QUOTES)
        name = "HEAD" if read.sees("@{") else read.word()
        if not (name or is_quoted):
            raise read.fault(_OPERAND, hint=_GIT_NOT if read.sees("^") else "")
        after = read.at
        read.space()
        if read.sees("(") and not is_quoted:
            return self._call(name, start)
        if not read.sees("@{"):
            read.at = after
        return Revision(name, self._moment())

    def _moment(self) -> str | None:
        start = self._in.at
        if not self._in.take("@{"):
            return None
        moment = self._in.match(_MOMENT)
        if not self._in.take("}"):
            raise self._in.fault("a date and } after @{", start, self._in.at)
        return moment.strip()

    def _close(self) -> None:
        self._in.space()
        if not self._in.take(")"):
            raise self._in.fault("a )")

    def _call(self, name: str, start: int) -> Call:
        place = self._in.place(start)
        if name not in FUNCTIONS:
            raise self._unknown(name, start)
        self._in.take("(")
        arguments = self._arguments(name)
        return Call(name, arguments, place)

    def _unknown(self, name: str, start: int) -> UsageError:
        from difflib import get_close_matches

        near = get_close_matches(name, FUNCTIONS, n=1)
        known = "functions: " + ", ".join(FUNCTIONS)
        hint = f"did you mean {near[0]}? " if near else f"{known}; "
        hint += "a name with parentheses is written in quotes"
        end = start + len(name)
        return self._in.fault(
            f"a function, which {name!r} is not", start, end, hint=hint
        )

    def _arguments(self, name: str) -> tuple[Argument, ...]:
        """The arguments of a function, and the parenthesis that closes them."""
        read, function = self._in, FUNCTIONS[name]
        found: list[Argument] = []
        read.space()
        while not read.sees(")") or len(found) < len(function.needed):
            what = function.takes(len(found))
            if found:
                self._comma(name, len(found))
            if what is None or read.ended() or read.sees(")", ","):
                raise read.fault(what or "a )", hint=f"write {usage(name)}")
            found.append(self._readers.get(what, self._text)())
            read.space()
        read.take(")")
        return tuple(found)

    def _comma(self, name: str, number: int) -> None:
        """Go past the comma before the argument of that number."""
        function = FUNCTIONS[name]
        what = function.takes(number)
        if what is None or not self._in.take(","):
            optional = (
                f"a , and {what}" if number < len(function.needed) else "a , or )"
            )
            expected = optional if what else "a )"
            raise self._in.fault(expected, hint=f"write {usage(name)}")
        self._in.space()

    def _text(self) -> str:
        return self._in.quoted() if self._in.sees(*QUOTES) else self._in.raw()

    def _one_of(self, known: tuple[str, ...], what: str) -> str:
        self._in.space()
        return self._in_list(known, what)

    def _in_list(self, known: tuple[str, ...], what: str) -> str:
        start = self._in.at
        word = self._in.take(ANY_ROLE) or self._in.match(_LETTERS)
        if word in known:
            return word
        end = max(self._in.at, start + 1)
        raise self._in.fault(what, start, end, hint="one of: " + ", ".join(known))

    def _count(self) -> int:
        start = self._in.at
        text = self._in.raw()
        if re.fullmatch("[0-9]{1,9}", text):
            return int(text)
        hint = f"write {usage('latest')}"
        raise self._in.fault("a number", start, self._in.at, hint=hint)

    def _bounds(self) -> Bounds:
        start = self._in.at
        found = _BOUNDS.fullmatch(self._in.raw())
        if found is None or not any(found.group(1, 3)):
            raise self._in.fault("a number, or 3..5, 3.. or ..5", start, self._in.at)
        low, high = (int(end) if end else None for end in found.group(1, 3))
        return Bounds(low, high) if found[2] else Bounds(low, low)

    def _condition(self, reader: Callable[[str], Condition]) -> Condition:
        start = self._in.at
        text = self._in.raw(quotes=True)
        try:
            return reader(text)
        except Misplaced as error:
            at = start + error.at
            end = max(self._in.at, at + 1)
            hint = "write NAME OP VALUE, as in perplexity < 30"
            raise self._in.fault(error.expected, at, end, hint=hint) from None
