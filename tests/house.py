"""The house in figures: `python tests/house.py [FOLDER]`, of any checkout.

Of each room its files, lines, functions and the median of their lengths; then the
largest modules, a circle of imports where there is one, and the pairs of modules that
have eight lines in common.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)
ROOMS = ("cli", "lineage", "store")
RUN = 8  # lines; what imports, comments and closing brackets share is no repetition
_LARGEST = 8


class Module:
    """One file of a room, read and parsed."""

    def __init__(self, root: Path, path: Path) -> None:
        self.name = str(path.relative_to(root))
        parts = path.relative_to(root).with_suffix("").parts
        inside = parts if parts[0] == "lineage" else ("lineage", *parts)
        self.dotted = ".".join(inside).removesuffix(".__init__")
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.nodes = list(ast.walk(ast.parse("\n".join(self.lines))))

    def _all(self, *kinds: type[Node]) -> Iterator[Node]:
        return (node for node in self.nodes if isinstance(node, kinds))

    @cached_property
    def functions(self) -> list[int]:
        """The length of each function, its docstring included."""
        found = self._all(ast.FunctionDef, ast.AsyncFunctionDef)
        return [(node.end_lineno or 0) - node.lineno + 1 for node in found]

    def texts(self) -> Iterator[str]:
        """Every string that the program uses: no docstring."""
        said = {id(node.value) for node in self._all(ast.Expr)}
        for node in self._all(ast.Constant):
            if isinstance(node.value, str) and id(node) not in said:
                yield node.value

    def hints(self) -> Iterator[str]:
        """Every string in what an error says to do next."""
        said = [node.value for node in self._all(ast.keyword) if node.arg == "hint"]
        said += [
            made.value
            for made in self._all(ast.Assign)
            if "hint" in [getattr(target, "id", "") for target in made.targets]
        ]
        for node in (node for hint in said for node in ast.walk(hint)):
            if isinstance(node, ast.Constant):
                yield str(node.value)

    def imports(self) -> Iterator[tuple[str, str]]:
        """The module and the name of every ``from … import …``."""
        for node in self._all(ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)

    def packages(self) -> Iterator[str]:
        """The top of each import, at any depth."""
        yield from (source.split(".")[0] for source, _ in self.imports() if source)
        for node in self._all(ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)

    def uses(self) -> Iterator[str]:
        """What is asked of names: ``json.dumps``, ``os.environ``."""
        for node in self._all(ast.Attribute):
            if isinstance(node.value, ast.Name):
                yield f"{node.value.id}.{node.attr}"

    def runs(self) -> Iterator[tuple[str, ...]]:
        """All runs of lines that say something."""
        passed = {
            line
            for node in self._all(ast.Import, ast.ImportFrom)
            for line in range(node.lineno, (node.end_lineno or 0) + 1)
        }
        told = [
            text
            for number, line in enumerate(self.lines, 1)
            if number not in passed
            and any(map(str.isalnum, text := line.strip()))
            and not text.startswith("#")
        ]
        yield from (tuple(told[i : i + RUN]) for i in range(len(told) - RUN + 1))


def house(root: Path) -> list[Module]:
    """All modules of a checkout; links to other rooms are not entered."""
    found = (p for room in ROOMS for p in sorted((root / room).rglob("*.py")))
    return [Module(root, path) for path in found]


def circle(modules: list[Module]) -> list[str]:
    """Modules that import one another, be it in a function or for types alone."""
    known = {module.dotted for module in modules}
    asked = {
        module.dotted: {
            f"{source}.{name}" if f"{source}.{name}" in known else source
            for source, name in module.imports()
        }
        - {module.dotted}
        for module in modules
    }
    try:
        TopologicalSorter(asked).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def repeated(modules: list[Module]) -> list[tuple[str, str]]:
    """The pairs of modules that share a run of lines."""
    places = defaultdict[tuple[str, ...], set[str]](set)
    for module in modules:
        for run in module.runs():
            places[run].add(module.name)
    shared = (sorted(names) for names in places.values() if len(names) > 1)
    return sorted({pair for names in shared for pair in combinations(names, 2)})


def told(modules: list[Module]) -> Iterator[str]:
    """The figures, a line each."""
    yield f"{'room':9}{'files':>6}{'lines':>8}{'functions':>11}{'median':>8}"
    for room in (*ROOMS, ""):
        inside = [m for m in modules if m.name.startswith(f"{room}/" if room else "")]
        lengths = [length for module in inside for length in module.functions]
        lines = sum(len(module.lines) for module in inside)
        yield (
            f"{room or 'all':9}{len(inside):6,}{lines:8,}{len(lengths):11,}"
            f"{median(lengths):8g}"
        )
    yield "largest modules"
    for module in sorted(modules, key=lambda m: -len(m.lines))[:_LARGEST]:
        yield f"{len(module.lines):6} {module.name}"
    yield f"circle of imports: {' <- '.join(circle(modules)) or 'none'}"
    pairs = repeated(modules)
    yield f"pairs of modules with {RUN} lines in common: {len(pairs)}"
    yield from (f"       {first} ~ {second}" for first, second in pairs)


if __name__ == "__main__":
    for line in told(house(Path((sys.argv[1:] or ["."])[0]))):
        sys.stdout.write(f"{line}\n")
