"""Values of documents as SQL: one text for each value, whatever way it is written.

Text, numbers, booleans and nulls have one form each; an object or a list has it in
canonical JSON alone. A document in canonical JSON, where large integers are text, has
a blank at its end to say so.
"""

import json
from collections.abc import Sequence
from typing import Any

from lineage.diff.records.engine import quoted
from lineage.records.values import canonical_record
from lineage.store.canonical import SAFE_INTEGER

CANONICAL = "ends_with(doc, ' ')"  # whether a document is
_NULL = "'null'"
_DIGITS = 4300  # that Python makes a number of


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
    plain = f"{value} < '#' OR {value} >= 'a' AND {value} < '{{'"  # "text", true, null
    return (
        f"CASE WHEN {value} IS NULL THEN '' WHEN {plain} THEN {value}"
        f" WHEN {value}[1] IN ('{{', '[') THEN {nested}"
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


def rewritten(document: str) -> str:
    """A document in canonical JSON."""
    return marked(canonical_record(loaded(document)))


def loaded(document: str) -> Any:
    """A document's value; an integer of more digits than Python reads is text."""
    return json.loads(document, parse_int=_integer)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS else digits


def marked(document: bytes) -> str:
    """A document in canonical JSON, with the blank that says so."""
    return f"{document.decode()} "
