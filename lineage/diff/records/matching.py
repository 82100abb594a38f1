"""Which records of two sides are the same: counted by duckdb, exactly.

First the documents as they are written: those that both sides have as often are done
with. What is left is compared by value, top-level column by column. Text, numbers,
booleans and nulls have one form each; an object or a list has it once it is rewritten
in canonical JSON, which is done where two documents differ in nothing else. A document
in canonical JSON, where large integers are text, has a blank at its end to say so.

Documents are told apart by the MD5 of a random text and themselves: who does not know
that text cannot make two that collide.
"""

import json
import os
from collections.abc import Sequence
from typing import NamedTuple

from lineage.diff.records.engine import Engine, quoted
from lineage.records.values import canonical_record
from lineage.store.canonical import SAFE_INTEGER

OLD, NEW = 0, 1
WIDEST = 200  # columns that are compared one by one
_FEW = 50_000  # documents of a side; up to here statistics are of all
_EVERY = 2**64 - 1
_NULL = "'null'"
CANONICAL = "ends_with(doc, ' ')"  # whether a document is
TEXTS = (  # of the documents, as they are now
    "(SELECT k, coalesce(c.doc, d.doc) AS doc, differs, sampled"
    " FROM documents AS d LEFT JOIN canonical AS c USING (k))"
)
_DUPLICATES = 100  # that are kept to be shown


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
    """

    def __init__(self, engine: Engine, key: Sequence[str] = ()) -> None:
        self.engine = engine
        self._salt = quoted(os.urandom(16).hex())
        self._named = key_of(key, self._salt) if key else "NULL::UHUGEINT"
        self.taken: list[Taken] = []
        self.names: list[str] = []
        self.sampled: tuple[int, int] | None = None
        engine.run(
            "CREATE TABLE lines"
            " (side UTINYINT, file INTEGER, k UHUGEINT, h UBIGINT, key UHUGEINT)"
        )

    def take(self, side: int, file: int, relation: str) -> None:
        """Add the documents of a relation, the file `file` of a side.

        Raises:
            duckdb.Error: when they cannot be read, or one is not an object.
        """
        before = self._total()
        self.engine.run(
            f"INSERT INTO lines SELECT {side}, {file}, {self._hash('doc')}, hash(doc),"
            f" {self._named} FROM ({relation}) WHERE CASE WHEN starts_with(doc, '{{')"
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

    def _hash(self, text: str) -> str:
        return f"md5_number({self._salt} || {text})"

    def count(self) -> bool:
        """Count each document; whether any is on one side more often."""
        self.engine.run(
            "CREATE TABLE counts AS SELECT k, any_value(h) AS h,"
            " count(*) FILTER (side = 0) AS a, count(*) FILTER (side = 1) AS b,"
            " min(rowid) FILTER (side = 0) AS first_a,"
            " min(rowid) FILTER (side = 1) AS first_b,"
            " min(file) FILTER (side = 0) AS file_a,"
            " min(file) FILTER (side = 1) AS file_b FROM lines GROUP BY k"
        )
        return bool(self.engine.one("SELECT bool_or(a <> b) FROM counts")[0])

    def match(self) -> None:
        """Match by value what is not the same as it is written."""
        self._gather()
        self.engine.run("CREATE TABLE canonical (k UHUGEINT, doc VARCHAR)")
        names = self.engine.rows(
            "SELECT DISTINCT unnest(json_keys(doc)) AS name FROM documents ORDER BY 1"
        )
        self.names = [name for (name,) in names]
        paths = pointers(self.names)
        self.rewrite(
            "true"
            if self._wide
            else "len(json_keys(doc)) <> len(list_distinct(json_keys(doc)))"
        )
        self._print(paths, whole=False)
        self.rewrite(
            "k IN (SELECT k FROM prints WHERE nested"
            " QUALIFY count(*) OVER (PARTITION BY id) > 1)"
        )
        if self._nested():
            self._print(paths, whole=True)
        self.engine.run(
            "CREATE TABLE ids AS SELECT id, sum(a)::BIGINT AS a, sum(b)::BIGINT AS b,"
            " min(first_a) AS first_a, min(first_b) AS first_b,"
            " arg_min(k, first_a) AS k_a, arg_min(k, first_b) AS k_b"
            " FROM prints JOIN counts USING (k) GROUP BY id"
        )

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
        bound = min(_EVERY, int(share * _EVERY))
        self.engine.run(
            "CREATE TABLE chosen AS"
            f" SELECT k, h, a, a <> b AS differs, h <= {bound} AS sampled FROM counts"
            f" WHERE differs OR sampled OR k IN (SELECT k FROM counts WHERE b > 1"
            f" ORDER BY b DESC, first_b LIMIT {_DUPLICATES})"
        )
        if share < 1:
            found = self.engine.one(
                f"SELECT sum(a), sum(b) FROM counts WHERE h <= {bound}"
            )
            self.sampled = int(found[0] or 0), int(found[1] or 0)
        for side in (OLD, NEW):
            relations = " UNION ALL ".join(
                t.relation for t in self.taken if t.side == side
            )
            where = "a > 0" if side == OLD else "a = 0"
            select = (
                f"SELECT {self._hash('doc')} AS k, doc FROM"
                f" ({relations or 'SELECT NULL::VARCHAR AS doc WHERE false'})"
                f" WHERE hash(doc) IN (SELECT h FROM chosen WHERE {where})"
            )
            make = (
                "CREATE TABLE documents AS" if side == OLD else "INSERT INTO documents"
            )
            self.engine.run(
                f"{make} SELECT k, doc, differs, sampled FROM ({select}) JOIN"
                f" (SELECT * FROM chosen WHERE {where}) USING (k)"
            )
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
            columns = [[str(k) for k in keys], [*map(_canonical, texts)]]
            self.engine.insert("canonical", columns)

    def _print(self, paths: str, *, whole: bool) -> None:
        """The form of each document that only its value decides.

        Unless `whole`, an object or a list is only told to be one.
        """
        form_, nested = "doc", "false"
        if not self._wide:
            each = [f"v[{i}]" for i in range(1, len(self.names) + 1)]
            forms = ", ".join(form(v, "written", f"{whole} AND written") for v in each)
            form_ = f"concat_ws(chr(31), {forms})" if forms else "''"
            nested = " OR ".join(f"{v}[1] IN ('{{', '[')" for v in each) or "false"
        values = "[]::VARCHAR[]" if self._wide else extract(paths)
        self.engine.run(
            "CREATE OR REPLACE TABLE prints AS"
            f" SELECT k, {self._hash(form_)} AS id, coalesce({nested}, false) AS nested"
            f" FROM (SELECT k, doc, {CANONICAL} AS written, {values} AS v"
            f" FROM {TEXTS} WHERE differs)"
        )


def extract(paths: str) -> str:
    """The values at the paths, as text; NULL where there is none."""
    return f"json_extract(doc, {paths})::VARCHAR[]"


def pointers(names: Sequence[str]) -> str:
    """Top-level columns as paths."""
    return "[" + ", ".join(map(pointer, names)) + "]::VARCHAR[]"


def form(value: str, written: str, whole: str = "true") -> str:
    """A value of a document so that equal ones are equal text, and no others.

    Args:
        value: an expression of it as JSON.
        written: whether its document is in canonical JSON.
        whole: whether an object or a list is taken as it is; else only told to be one.
    """
    nested = f"CASE WHEN {whole} THEN {value} ELSE {value}[1] END"
    return (
        f"CASE WHEN {value} IS NULL THEN '' WHEN {value}[1] IN ('\"', 't', 'f', 'n')"
        f" THEN {value} WHEN {value}[1] IN ('{{', '[') THEN {nested}"
        f" ELSE {_number(value, written)} END"
    )


def _number(value: str, written: str) -> str:
    """A number as RFC 8785 tells them apart; large integers are text there."""
    double = f"TRY_CAST({value} AS DOUBLE)"
    return (
        f"CASE WHEN length({value}) < 16 AND isfinite({double})"
        f" THEN ({double} + 0)::VARCHAR"
        f" WHEN NOT {written} AND regexp_full_match({value}, '-?[0-9]{{16,}}')"
        f" AND (length({value}) > 17"
        f" OR abs(TRY_CAST({value} AS HUGEINT)) > {SAFE_INTEGER})"
        f" THEN '\"' || {value} || '\"'"
        f" WHEN isnan({double}) THEN '\"NaN\"'"
        f" WHEN isinf({double}) THEN '\"' || if({double} < 0, '-', '') || 'Infinity\"'"
        f" ELSE coalesce(({double} + 0)::VARCHAR, {value}) END"
    )


def key_of(key: Sequence[str], salt: str) -> str:
    """What says which record a document is; NULL where a column is missing or null."""
    values = [f"(json_extract(doc, {pointer(name)})::VARCHAR)" for name in key]
    whole = " AND ".join(f"{value} <> {_NULL}" for value in values)
    forms = (form(value, CANONICAL) for value in values)
    return (
        f"CASE WHEN {whole} THEN md5_number({salt} ||"
        f" concat_ws(chr(31), {', '.join(forms)})) END"
    )


def pointer(name: str) -> str:
    """A top-level column as a JSON pointer (RFC 6901)."""
    return quoted("/" + name.replace("~", "~0").replace("/", "~1"))


def _canonical(document: str) -> str:
    return marked(canonical_record(json.loads(document)))


def marked(document: bytes) -> str:
    """A document in canonical JSON, with the blank that says so."""
    return f"{document.decode()} "
