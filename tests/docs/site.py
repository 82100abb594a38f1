"""The documentation as a site: `make docs` writes it to build/site.

The pages are those of docs/, as a forge shows them. What they link to elsewhere in the
checkout comes along as a page of its own, and so do the list of the decisions and the
changes that are not released yet.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CONFIG = ".mkdocs.yml"
_CODE_OR_LINK = re.compile(
    r"^ *(`{3,}|~{3,}).*?^ *\1 *$|(`+)[^`]+\2|(?<=\]\()(?![a-z]+:)(?P<link>[^)\s#]+)",
    re.MULTILINE | re.DOTALL,
)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_DECISIONS = "# Decisions\n\nWhat was decided, why, and what was not taken.\n"
_LANGUAGES = {".py": "python", ".sh": "sh", ".json": "json", ".yaml": "yaml"}


class BuildError(Exception):
    """The site cannot be built as it should be; the message says why."""


class Source:
    """What the site is made from: the folder `docs` below `folder`, and its nav."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.docs = root, folder / "docs"
        self.shown: dict[Path, Path] = {}  # files outside docs/, and their pages
        self.along: list[Any] = []  # those that no entry of the navigation names

    def lay_out(self) -> list[Any]:
        """Write every page; give the navigation, with what came along."""
        shutil.copytree(self.root / "docs", self.docs)
        nav = [self._entry(item) for item in _parts(self.root)[1]]
        told = set(self.shown)
        for page in sorted((self.root / "docs").rglob("*.md")):
            self._write(page, page.relative_to(self.root / "docs"))
        done: set[Path] = set()
        while new := sorted(set(self.shown) - done):
            for file in new:
                self._write(file, self.shown[file])
            done |= set(new)
        self._add_changes()
        for name in _pages(nav):
            if not (self.docs / name).is_file():
                raise BuildError(f"{CONFIG}: there is no page {name}")
        self.along += [
            {_name(self.root, f): str(self.shown[f])} for f in sorted(done - told)
        ]
        return nav

    def _entry(self, item: Any) -> Any:
        """One entry of the navigation, with `../`, `adr` and `along` made pages."""
        if isinstance(item, str):
            return self._page(item)
        [(title, inner)] = item.items()
        if inner in ("adr", "along"):
            return {title: self._decisions() if inner == "adr" else self.along}
        if isinstance(inner, str):
            return {title: self._page(inner)}
        return {title: [self._entry(each) for each in inner]}

    def _page(self, name: str) -> str:
        if not name.startswith("../"):
            return name
        return str(self._show((self.root / "docs" / name).resolve()))

    def _show(self, file: Path) -> Path:
        """The page of a file of the checkout."""
        parts = file.relative_to(self.root).parts  # a dot would hide the page
        place = Path("files", *(part.lstrip(".") for part in parts))
        page = place if place.suffix == ".md" else place.with_name(f"{place.name}.md")
        return self.shown.setdefault(file, page)

    def _write(self, file: Path, page: Path) -> None:
        """A page with what it links to where it is on the site."""
        text = file.read_text(encoding="utf-8")
        if file.suffix != ".md":
            language = _LANGUAGES.get(file.suffix, "text")
            text = f"# {_name(self.root, file)}\n\n``````{language}\n{text}\n``````\n"
        else:
            text = _CODE_OR_LINK.sub(
                lambda m: self._target(file, page, m["link"]) if m["link"] else m[0],
                text,
            )
        target = self.docs / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def _target(self, file: Path, page: Path, link: str) -> str:
        """A link of a file as it is from the file's page."""
        goal = Path(os.path.normpath(file.parent / link))
        docs = self.root / "docs"
        if goal.is_relative_to(docs):
            place = goal.relative_to(docs)
        elif goal.is_file():
            place = self._show(goal)
        else:
            raise BuildError(f"{file.relative_to(self.root)}: {link} is no file")
        return os.path.relpath(place, page.parent)

    def _decisions(self) -> list[Any]:
        """The list of the decisions as a page, and each of them."""
        pages = sorted((self.root / "docs" / "adr").glob("[0-9]*.md"))
        titles = {f.name: _title(f) for f in pages}
        rows = "\n".join(
            f"| {title.partition('. ')[0]} | [{title.partition('. ')[2]}]({name}) |"
            for name, title in titles.items()
        )
        text = f"{_DECISIONS}\n| | |\n|---|---|\n{rows}\n"
        (self.docs / "adr" / "index.md").write_text(text, encoding="utf-8")
        return ["adr/index.md", *({t: f"adr/{n}"} for n, t in titles.items())]

    def _add_changes(self) -> None:
        """The fragments of what is not released yet, as towncrier will put them."""
        draft = [sys.executable, "-m", "towncrier", "build", "--draft"]
        ran = subprocess.run(
            [*draft, "--version", "Not yet released", "--date", "since the beginning"],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=True,
        )
        page = self.docs / "changelog.md"
        page.write_text(f"{page.read_text(encoding='utf-8')}\n{ran.stdout}")


def build(root: Path, folder: Path) -> Path:
    """Build the site of a checkout below a folder; a warning is an error."""
    shutil.rmtree(folder / "docs", ignore_errors=True)
    shutil.rmtree(folder / "site", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    nav = Source(root, folder).lay_out()
    config = _parts(root)[0]
    told = yaml.safe_dump({"nav": nav}, allow_unicode=True, sort_keys=False)
    (folder / "mkdocs.yml").write_text(f"{config}\n{told}", encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "-f", "mkdocs.yml"],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        said = _COLOUR.sub("", ran.stdout + ran.stderr)
        raise BuildError(said.partition("Traceback")[0])
    return folder / "site"


def _pages(nav: Any) -> Iterator[str]:
    """The pages that a navigation names."""
    if isinstance(nav, str):
        yield nav
    else:
        for inner in nav.values() if isinstance(nav, dict) else nav:
            yield from _pages(inner)


def _parts(root: Path) -> tuple[str, list[Any]]:
    """The configuration: what is Zensical's as it is, and the navigation."""
    text, nav, entries = (root / CONFIG).read_text(encoding="utf-8").partition("\nnav:")
    return text, yaml.safe_load(nav + entries)["nav"]


def _name(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


if __name__ == "__main__":
    try:
        print(build(ROOT, ROOT / "build") / "index.html")  # noqa: T201
    except BuildError as error:
        sys.exit(str(error))
