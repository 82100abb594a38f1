"""Settings in Python files, read and never run: assignments of literals.

Names of the module, attributes of classes (nested, too) and what ``__init__`` gives
``self``, as DVC reads its params files. Functions and imports are no settings.
"""

import ast
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def read(source: bytes, skipped: dict[str, str]) -> dict[str, Any]:
    """The literals of a module; `skipped` gets the source of others, by dotted path.

    Raises:
        ValueError: when it is no Python of this version.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes; nobody runs it
            tree = ast.parse(source)
    except (SyntaxError, MemoryError) as error:
        raise ValueError(_why(error)) from None
    return _settings(tree.body, "", skipped)


def _why(error: SyntaxError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "nested too deeply"
    return f"{error.msg}, line {error.lineno}" if error.lineno else error.msg


def _own(target: ast.expr) -> str:
    """``x`` of ``x``; empty for another target."""
    return target.id if isinstance(target, ast.Name) else ""


def _settings(
    body: Iterable[ast.stmt],
    prefix: str,
    skipped: dict[str, str],
    name: Callable[[ast.expr], str] = _own,
) -> dict[str, Any]:
    """What the statements assign; the last one of a name holds."""
    scope = _Scope(prefix, skipped)
    for statement in body:
        match statement:
            case ast.ClassDef():
                inner = f"{prefix}{statement.name}."
                settings = _settings(statement.body, inner, skipped)
                scope.found[statement.name] = settings
            case ast.FunctionDef(name="__init__") if prefix:
                scope.found |= _settings(statement.body, prefix, skipped, _of_self)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                pass
            case _:
                for target, value in _assigned(statement):
                    if key := name(target):
                        scope.put(key, value, statement)
                    elif isinstance(target, ast.Subscript) and name(target.value):
                        scope.put(name(target.value), None, statement)
    return scope.found


class _Scope:
    """The names of a module, class or ``__init__``, and what is said of each."""

    def __init__(self, prefix: str, skipped: dict[str, str]) -> None:
        self.found: dict[str, Any] = {}
        self._prefix = prefix
        self._skipped = skipped
        self._said: dict[str, str] = {}

    def put(self, name: str, value: ast.expr | None, by: ast.stmt) -> None:
        """Take in a statement; without a `value` it changes what was said before."""
        before = f"{self._said.get(name, '')}\n" if value is None else ""
        self._said[name] = before + ast.unparse(value or by)
        self._skipped.pop(self._prefix + name, None)
        self.found.pop(name, None)
        try:
            self.found[name] = _literal(value)
        except (ValueError, TypeError, RecursionError):
            self._skipped[self._prefix + name] = self._said[name]


def _assigned(
    statement: ast.stmt,
) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """What a statement sets, and to what; None where that depends on more."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)]):
            yield from ((target, None) for target in targets)
        case ast.Assign():
            yield from ((target, statement.value) for target in statement.targets)
        case ast.AnnAssign(value=ast.expr()):
            yield statement.target, statement.value
        case ast.AugAssign():
            yield statement.target, None
        case ast.If() | ast.For() | ast.While() | ast.With() | ast.Try():
            for node in ast.walk(statement):
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                    yield from ((target, None) for target, _ in _assigned(node))


def _of_self(target: ast.expr) -> str:
    """``x`` of ``self.x``; empty for another target."""
    match target:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
    return ""


def _literal(value: ast.expr | None) -> Any:
    """What an expression says, as JSON has it.

    Raises:
        ValueError: when it is no literal.
    """
    if value is None:
        raise ValueError
    return _json(ast.literal_eval(value))


def _json(value: Any) -> Any:
    """Tuples and sets as lists, sets in order; keys as text."""
    if isinstance(value, dict):
        return {_key(key): _json(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [_json(item) for item in sorted(value, key=repr)]
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value


def _key(key: Any) -> str:
    return json.dumps(key) if key is None or isinstance(key, bool) else str(key)
