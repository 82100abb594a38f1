"""What a text means: a revision one commit, any other text a set of them.

A revision is read by `lineage.revisions`. Any other text is a revset, an expression
that means a set: `lineage.revset` reads those, and is not imported for a revision.
"""

from lineage.errors import NotFound
from lineage.repository import Repository
from lineage.revisions import Reading, named, newest_first, only


def read(registry: Repository, text: str) -> Reading:
    """The commits that `text`, a revision or a revset, means.

    A text that is the name of a tag or branch means that, whatever is in it.

    Raises:
        NotFound: when a name in it is no commit's.
        Ambiguous: when one could be several; they are listed.
        UsageError: when it is not written as a revset is; `place` says where.
    """
    plain = named(registry, text.strip())
    if plain is not None:
        return Reading([plain], is_revision=True)
    from lineage.revset import evaluate, parse

    return evaluate(registry, parse(text))


def resolve(registry: Repository, text: str) -> str:
    """The full id of the one commit that `text` means.

    Raises:
        NotFound: when it means none.
        Ambiguous: when it means several; some are listed.
        UsageError: when it is not written as a revset is.
    """
    ids = read(registry, text).ids
    if not ids:
        raise NotFound(f"no commit is in {text!r}", hint="`lineage log` lists commits")
    return only(registry, ids, f"{text!r} means {len(ids):,} commits")


def select(registry: Repository, *texts: str) -> list[str]:
    """The ids of all commits that one of `texts` means, newest first."""
    readings = [read(registry, text).ids for text in texts]
    if len(readings) == 1:
        return readings[0]
    return newest_first(registry, {id_ for ids in readings for id_ in ids})
