"""Where shared records lie: in another file, or in another order.

Only records that are written the same on both sides are looked at.
"""

from bisect import bisect
from itertools import groupby
from operator import itemgetter

from lineage.diff.records.engine import Engine

_PLACED = (
    "(SELECT file_a AS file, first_a AS a, first_b AS b FROM counts"
    " WHERE counts.a = 1 AND counts.b = 1 AND file_a = file_b)"
)


def moved(engine: Engine) -> int:
    """How many shared records lie in another file now.

    Where both sides have one file nothing moves: at most it has another name.
    """
    files = engine.one(
        "SELECT count(DISTINCT file) FILTER (side = 0),"
        " count(DISTINCT file) FILTER (side = 1) FROM lines"
    )
    if max(files) <= 1:
        return 0
    (found,) = engine.one(
        "SELECT coalesce(sum(least(a, b) - stayed), 0)::BIGINT FROM ("
        " SELECT sum(a) AS a, sum(b) AS b, sum(least(a, b)) AS stayed FROM ("
        "  SELECT k, count(*) FILTER (side = 0) AS a, count(*) FILTER (side = 1) AS b"
        "  FROM lines GROUP BY k, file) GROUP BY k)"
    )
    return int(found)


def reordered(engine: Engine) -> int:
    """The fewest records that would have to move for the order to be the old one.

    That is all but a longest increasing subsequence of their new places (Schensted
    1961), in each file, of the records that are once on both sides.
    """
    (broken,) = engine.one(
        "SELECT coalesce(bool_or(b < before), false) FROM (SELECT b,"
        f" lag(b) OVER (PARTITION BY file ORDER BY a) AS before FROM {_PLACED})"
    )
    if not broken:
        return 0
    ordered = f"SELECT file, b FROM {_PLACED} ORDER BY file, a"
    rows = (row for batch in engine.batches(ordered) for row in batch)
    count = 0
    for _, places in groupby(rows, key=itemgetter(0)):
        ends: list[int] = []  # the least end of an increasing subsequence, by length
        for _, place in places:
            at = bisect(ends, place)
            ends[at : at + 1] = [place]
            count += 1
        count -= len(ends)
    return count
