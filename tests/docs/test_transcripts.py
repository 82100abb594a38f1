"""The runner of the pages: a page that says what does not happen fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.shapes import alike
from tests.docs.transcripts import run_page

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
# Words

<!-- run: setup mkdir words; export WORD=hush -->

'''python title="count.py"
import sys

print(len(sys.stdin.read().split()), "words")
'''

'''console
$ cd words
$ pwd
/home/ada/words
$ echo one two > two.txt; cat two.txt | python ../count.py
2 words

$ cat <<END
> $WORD, and
> end
> END
hush, and
…
$ seq 20
1
…
9
…
20
$ ls nowhere
ls: …: No such file or directory
(exit code 2)
'''

<!-- file: greet/ing.py -->

'''python
WORD = "hello"
'''

'''python
from greet.ing import WORD

print(WORD)
'''

'''text
hello
'''

<!-- run: skip, there is no such program -->

'''console
$ no-such-program
'''

1. In a list, after all of that:

   <!-- run: new -->

   '''console
   $ ls
   $ git init -q && git commit -q --allow-empty -m one && git log --format='%H %an, %ai'
   0123abcd0123abcd0123abcd0123abcd0123abcd Ada Example, 2020-01-01 10:00:00 +0000
   $ git log --format=%s --end-of-options 0123abcd0123
   one
   '''
"""

WRONG = {
    "output that is not": ("$ echo a\nb", "- b\n+ a"),
    "output that is missing": ("$ echo a\na\nb", "  a\n- b"),
    "output that is not told of": ("$ echo a; echo b\na", "  a\n+ b"),
    "an exit code": ("$ false", "+ (exit code 1)"),
    "a better exit code": ("$ (exit 3)\n(exit code 1)", "+ (exit code 3)"),
    "an order": ("$ seq 3\n3\n…\n1", "- 3\n  …\n- 1"),
    "one id for two things": (
        "$ echo 0123abcd 4567abcd\n89abcdef 89abcdef",
        "89abcde was 0123abc before, and is 4567abc here",
    ),
    "a command that is not": ("$ lineage comit", "+ error: no such command 'comit'"),
}

LINES = [
    ("id            path", "id      path", True),
    ("3fa9c1d0 model, 2 files", "77aa00ff model, 2 files", True),
    ("3fa9c1d0 model, 2 files", "77aa00ff model, 3 files", False),
    ("1 file, 27.7 MB, at 4 MB/s", "1 file, 1,007 B, at 12.5 kB/s", True),
    ("took 9.7 s", "took 1 min 3 s", True),
    ("took 9.7 s", "took 9.7", False),
    ("perplexity 124.5", "perplexity 124.6", False),
    ("Ada Example, just now", "Ada Example, 3 seconds ago", True),
    ("at 2026-11-03", "at 2027-01-01T10:00:00Z", True),
    ("of Python 3.11.7", "of Python 3.13.0", True),
    ("on http://127.0.0.1:8800/", "on http://127.0.0.1:9/", True),
    ("3fa9… of tutor", "77aa00ff01234567 of tutor", True),
    ("a …b", "a and b", True),
]


def written(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text.replace("'''", "```"), encoding="utf-8")
    return page


def test_a_page_that_is_true_passes(tmp_path: Path) -> None:
    """Files, one shell for all blocks, `…`, exit codes, ids and dates by shape."""
    run_page(written(tmp_path, GOOD), tmp_path / "run")


def test_what_does_not_happen_is_named(tmp_path: Path) -> None:
    """Each difference is shown with its page, its line and its command."""
    text = "".join(f"'''console\n{said}\n'''\n\n" for said, _ in WRONG.values())
    with pytest.raises(AssertionError) as failed:
        run_page(written(tmp_path, text), tmp_path / "run")
    problems = str(failed.value).strip().split("\n\n")
    assert len(problems) == len(WRONG)
    for problem, (said, difference) in zip(problems, WRONG.values(), strict=True):
        assert said.split("\n")[0] in problem
        assert difference in problem
    assert problems[1].startswith("page.md:7: $ echo a\n")


@pytest.mark.parametrize(
    "text", ["'''python\nimport nothing\n'''", "'''yaml\na: [\n'''"]
)
def test_examples_that_do_not_work_fail(tmp_path: Path, text: str) -> None:
    """Python has to run, YAML to be YAML."""
    with pytest.raises(Exception, match=r"ModuleNotFoundError|a flow node"):
        run_page(written(tmp_path, text), tmp_path / "run")


@pytest.mark.parametrize("mark", ["skip", "sikp, no network", "setup"])
def test_a_mark_that_means_nothing_fails(tmp_path: Path, mark: str) -> None:
    """What is not run says why."""
    with pytest.raises(ValueError, match=mark):
        run_page(written(tmp_path, f"<!-- run: {mark} -->\n"), tmp_path / "run")


def test_a_setup_that_fails_is_a_problem(tmp_path: Path) -> None:
    """What no reader sees has to work, too."""
    with pytest.raises(AssertionError, match=r"page\.md:1: cat nothing"):
        run_page(written(tmp_path, "<!-- run: setup cat nothing -->\n"), tmp_path / "r")


def test_updating_writes_what_happened(tmp_path: Path) -> None:
    """Output is put right, `…` stays where it was put, and then the page is true."""
    page = written(tmp_path, GOOD.replace("2 words", "3 words").replace("\n1\n", "\n"))
    run_page(page, tmp_path / "first", update=True)
    text = page.read_text(encoding="utf-8")
    assert "\n2 words\n\n$ cat" in text
    assert "$ seq 20\n…\n9\n…\n20\n" in text
    assert "$ ls nowhere\nls: …: No such" in text
    assert "0123abcd" not in text
    run_page(page, tmp_path / "second")
    run_page(page, tmp_path / "third", update=True)
    assert page.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(("said", "printed", "same"), LINES)
def test_lines_are_compared_by_shape(said: str, printed: str, *, same: bool) -> None:
    """What changes from run to run is masked, and nothing else."""
    assert alike(said, printed) is same
