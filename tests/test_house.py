"""The house: rooms of small modules, and one place that knows each thing."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import pairwise
from statistics import median

import pytest

from tests import house

OURS = {"lineage", "steps"}  # steps.py: a file of a new loop
LONGEST, MIDDLE = 400, 10  # lines of a module, and of half of the functions
# They start people's own programs, which have a place and an environment.
OTHERS_WORK = {
    "lineage/loop/machines/torchrun.py",
    "lineage/loop/steps/processes.py",
    "lineage/loop/steps/users.py",
}


@pytest.fixture(scope="module")
def modules(request: pytest.FixtureRequest) -> list[house.Module]:
    return house.house(request.config.rootpath)


def saying(modules: list[house.Module], *parts: str) -> set[str]:
    """Give the modules that say one of these parts, but in words for people."""
    below = [module for module in modules if not module.name.startswith("cli/")]
    return {m.name for m in below for t in m.texts() if any(p in t for p in parts)}


def using(modules: list[house.Module], *names: str) -> set[str]:
    """Give the modules that use one of these: ``json.dumps``."""
    return {module.name for module in modules if {*names} & {*module.uses()}}


def test_modules_and_functions_are_small(modules: list[house.Module]) -> None:
    """No module is longer than 400 lines, half of the functions have ten or less."""
    lengths = [length for module in modules for length in module.functions]

    assert [m.name for m in modules if len(m.lines) > LONGEST] == []
    assert median(lengths) <= MIDDLE


def test_one_module_knows_git_refs(modules: list[house.Module]) -> None:
    """Nobody else spells a ref of ours, but an auditor's own reader."""
    known = saying(modules, "refs/lineage", "refs/tags/lineage", "refs/remotes/lineage")

    assert known == {"store/names.py", "lineage/bundle_check/imported.py"}


def test_one_module_knows_the_cache(modules: list[house.Module]) -> None:
    """Where DVC and we keep bytes is said once."""
    spelt = {
        module.name
        for module in modules
        for pair in pairwise(module.texts())
        if {*pair} == {"files", "md5"}
    }

    assert spelt == {"store/places.py"}
    assert saying(modules, "files/md5") == set()


def test_one_place_renders(modules: list[house.Module]) -> None:
    """One JSON, one CSV, one line that is written over, one place that exits."""
    cli = [module for module in modules if module.name.startswith("cli/")]

    assert using(cli, "json.dumps") == {"cli/text.py"}
    assert using(cli, "csv.writer", "csv.DictWriter") == {"cli/render.py"}
    assert {m.name for m in cli for t in m.texts() if "\x1b[" in t} == {"cli/live.py"}
    assert using(cli, "sys.exit") == {"cli/main.py"}


def test_no_hint_names_a_page(modules: list[house.Module]) -> None:
    """What to do next is said in words: an installed lineage has no docs."""
    pages = {m.name for m in modules for hint in m.hints() if "docs/" in hint}

    assert pages == set()


def test_shares_are_written_in_one_way(modules: list[house.Module]) -> None:
    """A share is "1 %" wherever it stands: no format puts the sign to the number."""
    close = re.compile(r":[.\d]*%\}|\}%")

    assert [m.name for m in modules if any(map(close.search, m.lines))] == []


def test_only_the_command_line_looks_around(modules: list[house.Module]) -> None:
    """The rooms below read no environment and no working directory of their own."""
    lineage = [module for module in modules if module.name.startswith("lineage/")]
    asked = using(lineage, "os.environ", "os.getenv", "os.getcwd", "Path.cwd")

    assert asked <= OTHERS_WORK


def test_imports_make_no_circle(modules: list[house.Module]) -> None:
    """No module leads back to itself, be it in a function or for types alone."""
    assert house.circle(modules) == []


def test_private_names_stay_at_home(modules: list[house.Module]) -> None:
    """No module takes from another of ours what begins with an underscore."""
    taken = {
        (module.name, source, name)
        for module in modules
        for source, name in module.imports()
        if source.startswith("lineage") and f".{source}.{name}".count("._")
    }

    assert taken == set()


def normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


def test_every_imported_package_is_declared(
    modules: list[house.Module], request: pytest.FixtureRequest
) -> None:
    """Nothing is imported that comes only by way of somebody else's dependencies."""
    project = request.config.rootpath / "pyproject.toml"
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = table["optional-dependencies"].items()
    optional = [line for extra, lines in extras if extra != "dev" for line in lines]
    requirements = table["dependencies"] + optional
    declared = {normal(re.split(r"[\[<>=]", line)[0]) for line in requirements}
    imported = {name for module in modules for name in module.packages()}
    owners = packages_distributions()

    assert {
        name
        for name in imported - set(sys.stdlib_module_names) - OURS
        if not declared & {normal(owner) for owner in (name, *owners.get(name, ()))}
    } == set()
