"""Which records of two sides are the same: counted by duckdb, exactly.

First the documents as they are written: those that both sides have as often are done
with. What is left is compared by value, top-level column by column (`forms`). Where two
documents differ in nothing but objects or lists they are rewritten in canonical JSON.

Documents as written are told apart by duckdb's hash of 64 bits. Those that share one
are compared: byte by byte in the runs of lines that two files share (`aligning`), else
by the MD5 of a random text and themselves. Should two differ, all are told apart by
that MD5: who does not know the random text cannot make two that collide.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lineage.diff.records.aligning import Runs
from lineage.diff.records.engine import Engine, quoted
from lineage.diff.records.forms import (
    CANONICAL,
    extract,
    form,
    key_of,
    pointer,
    pointers,
    rewritten,
)

OLD, NEW = 0, 1
WIDEST = 200  # columns that are compared one by one
_HASH = "hash(doc)"
_FEW = 50_000  # documents of a side; up to here statistics are of all
_MANY = 20_000  # documents that differ; fewer are compared as a whole
_TELLING = 0.75  # of some documents have a value of their own
_SHOWN = 50_000  # of a side, of those that no other can be the same as
_PLAIN = re.compile(r"[\w-]+", re.ASCII)  # a name that is written in one way
_COUNTED = "a BIGINT, b BIGINT, first_a BIGINT, first_b BIGINT"
_LOOKED = 2000  # documents that say which column tells most apart
TEXTS = (  # of the documents, as they are now
    "(SELECT d.* REPLACE (coalesce(c.doc, d.doc) AS doc)"
    " FROM documents AS d LEFT JOIN canonical AS c USING (k))"
)
_DUPLICATES = 100  # that are kept to be shown


class CollidedError(Exception):
    """Two documents have one hash."""


class Taken(NamedTuple):
    """A file that was read: its rows in `lines` are those from `start` up to `end`."""

    side: int
    file: int
    relation: str
    start: int
    end: int


class Matching:
    """The documents of two sides and how often each is there.

    Tables: `lines` has a row per record in the order of reading (`rowid`), `counts` a
    row per document as written, `documents` the text of those that are on one side
    more often and of those that statistics are of, `ids` by value what is left.

    Args:
        engine: a fresh database.
        key: columns that say which record a document is.
        strong: tell documents apart by MD5.
    """

    def __init__(
        self, engine: Engine, key: Sequence[str] = (), *, strong: bool = False
    ) -> None:
        self.engine = engine
        self._strong = strong
        self._keyed = bool(key)
        self._salt = quoted(os.urandom(16).hex())
        self._named = key_of(key, self._salt) if key else "NULL::UHUGEINT"
        self.taken: list[Taken] = []
        self.names: list[str] = []
        self.sampled: tuple[int, int] | None = None
        self._k = self._md5("doc") if strong else _HASH
        self._kind = "UHUGEINT" if strong else "UBIGINT"
        engine.run(
            "CREATE TABLE lines"
            f" (side UTINYINT, file INTEGER, k {self._kind}, key UHUGEINT)"
        )

    def take(self, side: int, file: int, relation: str) -> None:
        """Add the documents of a relation, the file `file` of a side.

        Raises:
            duckdb.Error: when they cannot be read, or one is not an object.
        """
        before = self._total()
        self.engine.run(
            f"INSERT INTO lines SELECT {side}, {file}, {self._k}, {self._named}"
            f" FROM ({relation}) WHERE CASE WHEN starts_with(doc, '{{')"
            " THEN true ELSE error('no object') END"
        )
        self.taken.append(Taken(side, file, relation, before, self._total()))

    def drop(self, file: int) -> None:
        """Take a file out again, on both sides."""
        self.engine.run(
            "CREATE TABLE kept AS FROM lines WHERE file <> ? ORDER BY rowid", [file]
        )
        self.engine.run("DROP TABLE lines")
        self.engine.run("ALTER TABLE kept RENAME TO lines")
        taken, self.taken, end = self.taken, [], 0
        for each in taken:
            if each.file != file:
                start, end = end, end + each.end - each.start
                self.taken.append(each._replace(start=start, end=end))

    def _total(self) -> int:
        return int(self.engine.one("SELECT count(*) FROM lines")[0])

    def _md5(self, text: str) -> str:
        return f"md5_number({self._salt} || {text})"

    def count(self, runs: Mapping[int, Runs]) -> bool:
        """Count each document; whether any is on one side more often.

        Args:
            runs: by file, the lines that both sides share one after the other.

        Raises:
            CollidedError: when different ones were taken for the same.
        """
        self.engine.run(
            "CREATE TABLE counts AS SELECT k,"
            " count(*) FILTER (side = 0) AS a, count(*) FILTER (side = 1) AS b,"
            " min(rowid) FILTER (side = 0) AS first_a,"
            " min(rowid) FILTER (side = 1) AS first_b,"
            " min(file) FILTER (side = 0) AS file_a,"
            " min(file) FILTER (side = 1) AS file_b FROM lines GROUP BY k"
        )
        if not self._strong:
            self._check(runs)
        return bool(self.engine.one("SELECT bool_or(a <> b) FROM counts")[0])

    def _check(self, runs: Mapping[int, Runs]) -> None:
        """See that documents of one hash are one."""
        self._suspect(runs)
        if not self.engine.one("SELECT count(*) FROM suspects")[0]:
            return
        each = (
            f"SELECT {self._k} AS k, {self._md5('doc')} AS m FROM ({taken.relation})"
            f" WHERE {self._k} IN (FROM suspects)"
            for taken in self.taken
        )
        collided = self.engine.one(
            "SELECT bool_or(low <> high) FROM (SELECT min(m) AS low, max(m) AS high"
            f" FROM ({' UNION ALL '.join(each)}) GROUP BY k)"
        )
        if collided[0]:
            raise CollidedError

    def _suspect(self, runs: Mapping[int, Runs]) -> None:
        """List the hashes of several records.

        Those of two lines of one run are left out: they were compared already.
        """
        places = {(t.side, t.file): t for t in self.taken}
        starts = {place: taken.start for place, taken in places.items()}
        sizes = {place: taken.end - taken.start for place, taken in places.items()}
        known = [
            file
            for file, found in runs.items()
            if found.lines == (sizes.get((OLD, file)), sizes.get((NEW, file)))
        ]
        self.engine.run(f"CREATE TABLE suspects (k {self._kind})")
        rest = "a + b > 1"
        for file in known:
            here = f"a = 1 AND b = 1 AND file_a = {file} AND file_b = {file}"
            rest += f" AND NOT ({here})"
            k, first_a, first_b = self.engine.arrays(
                f"SELECT k, first_a, first_b FROM counts WHERE {here}"
            )
            a, b = (starts[side, file] for side in (OLD, NEW))
            other = ~runs[file].pair(first_a - a, first_b - b)
            if other.any():
                self.engine.add("suspects", k[other])
        self.engine.run(f"INSERT INTO suspects SELECT k FROM counts WHERE {rest}")

    def match(self) -> None:
        """Match by value what is not the same as it is written."""
        self._gather()
        self.engine.run(f"CREATE TABLE canonical (k {self._kind}, doc VARCHAR)")
        if self._learn_names() and not self._wide:
            self.rewrite("len(json_keys(doc)) <> len(list_distinct(json_keys(doc)))")
        if self._wide:
            self.rewrite("true")
        self._print(whole=False)
        self.rewrite(
            "k IN (SELECT k FROM prints WHERE nested"
            " QUALIFY count(*) OVER (PARTITION BY id) > 1)"
        )
        if self._nested():
            self._print(whole=True)
        self.engine.run(
            "CREATE TABLE ids AS SELECT id, sum(a)::BIGINT AS a, sum(b)::BIGINT AS b,"
            " min(first_a) AS first_a, min(first_b) AS first_b,"
            " arg_min(k, first_a) AS k_a, arg_min(k, first_b) AS k_b"
            " FROM prints GROUP BY id UNION ALL"
            " SELECT g::UHUGEINT, a, b, first_a, first_b,"
            " if(a > 0, k, NULL), if(b > 0, k, NULL) FROM alone"
        )

    def _learn_names(self) -> bool:
        """Whether a document has a column twice."""
        rows = self.engine.rows(
            "SELECT DISTINCT unnest(keys) AS name, len(keys) > len(list_distinct(keys))"
            " FROM (SELECT DISTINCT json_keys(doc) AS keys FROM documents) ORDER BY 1"
        )
        self.names = sorted({name for name, _ in rows})
        return any(twice for _, twice in rows)

    def _nested(self) -> bool:
        return bool(
            self.engine.one("SELECT coalesce(bool_or(nested), false) FROM prints")[0]
        )

    @property
    def _wide(self) -> bool:
        return len(self.names) > WIDEST

    def _gather(self) -> None:
        """Read again, and keep the documents that are looked at."""
        records = self.engine.rows(
            "SELECT count(*) FILTER (side = 0), count(*) FILTER (side = 1) FROM lines"
        )[0]
        share = min(1.0, _FEW / max(records))
        every = 2**128 - 1 if self._strong else 2**64 - 1
        bound = every if share == 1 else int(share * 2**32) * (every // 2**32)
        self.engine.run(
            "CREATE TABLE chosen AS SELECT k, a <> b AS differs,"
            f" k <= {bound} AS sampled, a, b, first_a, first_b FROM counts"
            f" WHERE differs OR sampled OR k IN (SELECT k FROM counts WHERE b > 1"
            f" ORDER BY b DESC, first_b LIMIT {_DUPLICATES})"
        )
        if share < 1:
            found = self.engine.one(
                f"SELECT sum(a), sum(b) FROM counts WHERE k <= {bound}"
            )
            self.sampled = int(found[0] or 0), int(found[1] or 0)
        self._set_apart()
        make = "CREATE TABLE documents AS"
        for side in (OLD, NEW):
            where = "a > 0" if side == OLD else "a = 0"
            self.engine.run(
                f"{make} SELECT doc, chosen.* FROM ({self._texts(side)})"
                f" JOIN (FROM chosen WHERE {where}) AS chosen USING (k)"
            )
            make = "INSERT INTO documents"
        (several,) = self.engine.one(
            "SELECT coalesce(bool_or(a > 1 OR a = 0 AND b > 1), false) FROM chosen"
        )
        if several:
            self.engine.run(
                "DELETE FROM documents WHERE rowid NOT IN"
                " (SELECT min(rowid) FROM documents GROUP BY k)"
            )

    def rewrite(self, where: str) -> None:
        """Put documents that differ in canonical JSON."""
        wanted = (
            f"SELECT k, doc FROM documents WHERE differs AND NOT {CANONICAL}"
            f" AND k NOT IN (SELECT k FROM canonical) AND ({where})"
        )
        for batch in self.engine.batches(wanted):
            keys, texts = zip(*batch, strict=True)
            columns = [[str(k) for k in keys], [*map(rewritten, texts)]]
            self.engine.insert("canonical", columns)

    def _set_apart(self) -> None:
        """Fill `alone`: records of which one column has a value that no other has.

        That value's hash is `g`. A record that has a column twice has none, and may be
        the same as any other by its last value: beside one nobody is alone. `others`
        are all that may be the same as another. Without a key the text of most that
        are alone is not looked at again.
        """
        self.engine.run(f"CREATE TABLE alone (k {self._kind}, g UBIGINT, {_COUNTED})")
        (many,) = self.engine.one(
            "SELECT count(*) > ? FROM chosen WHERE differs", [_MANY]
        )
        name = self._telling() if many else None
        if name:
            self._tell(name)
        self.engine.run(
            "CREATE TABLE others AS SELECT k FROM chosen"
            " WHERE differs AND k NOT IN (SELECT k FROM alone)"
        )
        if name and not self._keyed:
            first = (
                f"(SELECT k FROM alone WHERE {side} > 0 ORDER BY first_{side}"
                f" LIMIT {_SHOWN})"
                for side in "ab"
            )
            self.engine.run(
                "DELETE FROM chosen WHERE NOT sampled AND k IN (SELECT k FROM alone)"
                f" AND k NOT IN ({' UNION ALL '.join(first)})"
            )

    def _tell(self, name: str) -> None:
        value = f"json_extract(doc, {pointer(name)})::VARCHAR"
        several = quoted(f'%"{name}"%"{name}"%')  # _ is any character: no harm
        twice = (
            f"CASE WHEN contains(doc, '\\u') OR doc LIKE {several}"
            " THEN len(json_keys(doc)) <> len(list_distinct(json_keys(doc)))"
            " ELSE false END"
        )
        told = form("v", CANONICAL, "false")
        self.engine.run(
            f"CREATE TABLE told AS SELECT k, if({twice}, NULL, hash({told})) AS g,"
            f" a, b, first_a, first_b FROM (SELECT *, {value} AS v FROM"
            f" ({self._texts()}) JOIN (FROM chosen WHERE differs) USING (k))"
        )
        self.engine.run(
            "INSERT INTO alone FROM told WHERE g IN"
            " (SELECT g FROM told GROUP BY g HAVING count(*) = 1)"
            " AND NOT EXISTS (FROM told WHERE g IS NULL)"
        )

    def _texts(self, side: int | None = None) -> str:
        """All documents as they are written, or those of a side, and their hashes."""
        relations = " UNION ALL ".join(
            t.relation for t in self.taken if side is None or t.side == side
        )
        none = "SELECT NULL::VARCHAR AS doc WHERE false"
        return f"SELECT doc, {self._k} AS k FROM ({relations or none})"

    def _telling(self) -> str | None:
        """The column with the most different values among some documents.

        None where a quarter of them has a value that another has.
        """
        some = " UNION ALL ".join(
            f"(SELECT doc FROM ({self._texts(side)}) JOIN (FROM chosen WHERE differs)"
            f" USING (k) LIMIT {_LOOKED})"
            for side in (OLD, NEW)
        )
        self.engine.run(f"CREATE TABLE few AS {some}")
        rows = self.engine.rows("SELECT DISTINCT unnest(json_keys(doc)) FROM few")
        names = sorted(name for (name,) in rows if _PLAIN.fullmatch(name))[:WIDEST]
        if not names:
            return None
        counts = (
            f"count(DISTINCT {form(f'v[{i}]', 'true', 'false')})"
            for i in range(1, len(names) + 1)
        )
        row = self.engine.one(
            f"SELECT {', '.join(counts)} FROM"
            f" (SELECT {extract(pointers(names))} AS v FROM few)"
        )
        (total,) = self.engine.one("SELECT count(*) FROM few")
        best: tuple[int, str] = max(zip(row, names, strict=True))
        return best[1] if best[0] >= _TELLING * total else None

    def _print(self, *, whole: bool) -> None:
        """The form of each document that only its value decides.

        Unless `whole`, an object or a list is only told to be one.
        """
        form_, nested = "doc", "false"
        if not self._wide:
            each = [f"v[{i}]" for i in range(1, len(self.names) + 1)]
            forms = ", ".join(form(v, "written", f"{whole} AND written") for v in each)
            form_ = f"concat_ws(chr(31), {forms})" if forms else "''"
            nested = " OR ".join(f"{v}[1] IN ('{{', '[')" for v in each) or "false"
        values = "[]::VARCHAR[]" if self._wide else extract(pointers(self.names))
        self.engine.run(
            "CREATE OR REPLACE TABLE prints AS SELECT k, a, b, first_a, first_b,"
            f" {self._md5(form_)} AS id, coalesce({nested}, false) AS nested"
            f" FROM (SELECT *, {CANONICAL} AS written, {values} AS v"
            f" FROM {TEXTS} WHERE differs AND k IN (FROM others))"
        )
