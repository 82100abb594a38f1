"""Revsets: expressions that mean sets of commits, as docs/revisions.md describes them.

``parser`` turns text into the tree that ``syntax`` defines, by means of ``scanner`` and
the table in ``functions``; ``evaluation`` asks the index, the walks and the names.
"""

from lineage.revset.evaluation import evaluate
from lineage.revset.parser import parse
from lineage.revset.syntax import written

__all__ = ["evaluate", "parse", "written"]
