"""Questions about refs and about which git commit came after which."""

from lineage.errors import StoreError
from lineage.store.git import GitRepository


def refs(git: GitRepository, *prefixes: str) -> dict[str, str]:
    """All refs below prefixes such as `names.ATTIC`, with their oids.

    Git takes bytes for a name that are no text: they come with surrogates.
    """
    listed = git.run("for-each-ref", "--format=%(refname) %(objectname)", *prefixes)
    lines = listed.decode(errors="surrogateescape").split("\n")[:-1]
    return {name: oid for name, _, oid in (line.partition(" ") for line in lines)}


def is_ancestor(git: GitRepository, before: str, after: str) -> bool:
    """Whether the git commit `after` is `before` or came after it; both may be lost."""
    try:
        git.run("merge-base", "--is-ancestor", before, after)
    except StoreError:
        return False
    return True


def merge_bases(git: GitRepository, one: str, other: str) -> list[str]:
    """The newest git commits that two came after, sorted; none where they never met."""
    try:
        return sorted(git.run("merge-base", "--all", one, other).decode().split())
    except StoreError:
        return []
