"""Names and the git refs that carry them."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from typing import Protocol

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lineage.errors import UsageError
from lineage.store import names

PRINTABLE = st.characters(exclude_categories=["C", "Zl", "Zp"])
NAMES = st.text(PRINTABLE, min_size=1, max_size=40).filter(lambda n: not _refused(n))
ODD = [
    *("@", "a.lock", ".a", "a.", "a/b", "a//b", "/", "a b", "%", "%2F", "a%2Fb"),
    *(
        "*",
        "?",
        "[x]",
        "\\",
        "é",
        "\u0435",
        "数据",
        "😀",
        "HEAD",
        "refs/heads/x",
        "a" * 200,
    ),
    *("{", "}", "!", "#", "&", "|", "'", '"', "$HOME", "`id`", "<x>", "a.lock/b.lock"),
]


class Git(Protocol):
    """Run git and give its output by lines."""

    def __call__(self, *args: str, stdin: str = "") -> list[str]: ...


def _refused(name: str) -> bool:
    try:
        names.check(name)
    except UsageError:
        return True
    return False


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    """Run git in a repository of its own."""
    root = tmp_path_factory.mktemp("git")

    def git(*args: str, stdin: str = "") -> list[str]:
        done = subprocess.run(
            ["git", *args], cwd=root, input=stdin, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return done.stdout.splitlines()

    git("init", "--bare", ".")
    return git


@pytest.fixture(scope="module")
def commit(git: Git) -> str:
    """Make a commit for refs to point at."""
    [tree] = git("mktree")
    return git("commit-tree", "-m", "a commit", tree)[0]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_names(name: str) -> None:
    """Whatever prints and is no revision syntax is a name and comes back."""
    assert names.check(name) == name
    assert names.decode(names.encode(name)) == name


@given(NAMES)
def test_encoding_is_reversible(name: str) -> None:
    """Decoding gives back the very name, and its encoding is one path component."""
    encoded = names.encode(name)

    assert names.decode(encoded) == name
    assert "/" not in encoded
    assert encoded.isascii()


@given(NAMES, NAMES)
@example("a/b", "a%2Fb")
@example("a.", "a%2E")
@example("é", unicodedata.normalize("NFD", "é"))
def test_no_two_names_share_a_ref(first: str, second: str) -> None:
    """Different names never meet in one ref."""
    assume(first != second)

    assert names.ref(f"heads/{first}") != names.ref(f"heads/{second}")


@settings(max_examples=50)
@given(st.sets(NAMES, min_size=1, max_size=20))
@example(set(ODD))
def test_git_takes_all_names_side_by_side(
    git: Git, commit: str, chosen: set[str]
) -> None:
    """Real git keeps the refs of any names beside each other, in every space."""
    refs = sorted(names.ref(f"{s}/{n}") for s in names.SPACES for n in chosen)
    git("update-ref", "--stdin", stdin="".join(f"create {r} {commit}\n" for r in refs))
    kept = git("for-each-ref", "--format=%(refname)")
    git("update-ref", "--stdin", stdin="".join(f"delete {r}\n" for r in refs))

    assert sorted(kept) == refs
    assert git("check-ref-format", "--normalize", refs[0]) == [refs[0]]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        (" a", "spaces at an end"),
        ("a ", "spaces at an end"),
        ("a\nb", "do not print"),
        ("a\0b", "do not print"),
        ("a\u202eb", "do not print"),
        ("\ud800", "do not print"),
        ("-a", "starts with -"),
        ("a..b", "contains .., which revisions"),
        ("a@{1}", "contains @{, which revisions"),
        ("a~1", "contains ~, which revisions"),
        ("a^b", "contains ^, which revisions"),
        ("a:b", "contains :, which revisions"),
        ("a" * 201, "longer than 200 bytes"),
        ("HEAD", "means the branch that a command moved last"),
    ],
)
def test_what_is_no_name_is_refused_with_its_reason(name: str, why: str) -> None:
    """Each fault is named, with what a name may be as the hint."""
    with pytest.raises(UsageError, match=re.escape(why)) as caught:
        names.check(name, "branch")

    assert str(caught.value).startswith("the branch ")
    assert "printable" in caught.value.hint


def test_places_in_the_view() -> None:
    """A name's place is its space, a bucket by SHA-256, and the encoded name."""
    assert names.view_path("heads/model/tutor") == ("heads", "6d", "model%2Ftutor")
    assert names.ref("heads/model/tutor") == "refs/lineage/heads/model%2Ftutor"
