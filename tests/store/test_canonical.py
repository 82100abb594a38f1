"""Canonical JSON: the bytes that every id is made of."""

from __future__ import annotations

import json
import math
import struct
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lineage.errors import UsageError, VerificationError
from lineage.store.canonical import (
    SAFE_INTEGER,
    Json,
    canonical,
    digest,
    normalise,
    parse,
    pretty,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, TEXT)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner),
    max_leaves=12,
)

# RFC 8785, appendix B: IEEE 754 bits and what they are written as
RFC_NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


def ecmascript(number: float) -> str:
    """Write a number as ECMA-262 says, Number::toString, from its shortest digits."""
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    if not text:
        return "0"
    assert isinstance(exponent, int)
    point = len(digits) + exponent
    if len(text) <= point <= 21:
        body = text.ljust(point, "0")
    elif 0 < point <= 21:
        body = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        fraction = f".{text[1:]}" if text[1:] else ""
        body = f"{text[0]}{fraction}e{point - 1:+d}"
    return "-" * sign + body


@pytest.mark.parametrize(("bits", "written"), RFC_NUMBERS.items())
def test_numbers_of_the_rfc(bits: str, written: str) -> None:
    """Every sample number of RFC 8785 is written as it says."""
    [number] = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical(number) == written.encode()


@given(NUMBERS)
@example(-0.0)
@example(1e21)
@example(1e-7)
@example(2.0**53)
@example(5e-324)
def test_floats_are_the_shortest_that_come_back(number: float) -> None:
    """A float is written as ECMAScript writes it, and read back it is the same."""
    written = canonical(number)

    assert written == ecmascript(number).encode()
    assert parse(written, "it") == number


def test_sample_object_of_the_rfc() -> None:
    """The sample of RFC 8785, section 3.2.2, has the bytes that section 3.2.4 shows."""
    sample = json.loads(
        r"""{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 1e-27],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]}"""
    )

    assert canonical(sample) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,'
        b'1e-27],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_by_utf_16_units() -> None:
    """The key order is that of RFC 8785, where surrogate pairs sort before U+FB33."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    sorted_keys = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]

    assert list(json.loads(canonical(dict.fromkeys(keys)))) == sorted_keys


@given(st.dictionaries(TEXT, SCALARS.map(normalise), min_size=2))
def test_key_order_does_not_matter(mapping: dict[str, Any]) -> None:
    """The same members in another order are the same bytes, in UTF-16 order."""
    written = canonical(mapping)
    backwards = dict(reversed(mapping.items()))
    keys = list(json.loads(written))

    assert canonical(backwards) == written
    assert keys == sorted(mapping, key=lambda key: key.encode("utf-16-be"))


@given(VALUES)
def test_what_is_written_comes_back(value: Any) -> None:
    """Any value, once normalised, survives writing and reading, to the same bytes."""
    plain = normalise(value)
    back = parse(canonical(plain), "it")

    assert back == plain
    assert canonical(back) == canonical(plain)


@given(st.integers())
@example(SAFE_INTEGER)
@example(-SAFE_INTEGER)
@example(SAFE_INTEGER + 1)
@example(-SAFE_INTEGER - 1)
def test_integers_that_readers_round_become_text(integer: int) -> None:
    """Integers up to 2**53 - 1 stay; beyond, the digits are kept as a string."""
    kept = abs(integer) <= 2**53 - 1

    assert normalise(integer) == (integer if kept else str(integer))


@given(st.floats(min_value=2.0**53, max_value=1e21, exclude_max=True))
def test_large_floats_come_back_as_floats(number: float) -> None:
    """A float that is written without point or exponent is no integer when read."""
    written = canonical(number)

    assert written.isdigit()
    assert isinstance(parse(written, "it"), float)
    assert canonical(parse(written, "it")) == written


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_without_json_form_are_refused(number: float) -> None:
    """NaN and infinities are refused, and the message says where they stand."""
    with pytest.raises(UsageError, match=r"params\.loss\[1\] is (nan|inf|-inf)"):
        normalise({"loss": [1, number]}, "params")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": {1: 2}}, r"it\.a has the key 1, which is not a string"),
        ({"a": "\ud800"}, r"it\.a is not valid Unicode"),
        ({"\udfff": 1}, "it is not valid Unicode"),
        ([b"bytes"], r"it\[0\] is a bytes"),
        ({"a": {2, 3}}, r"it\.a is a set"),
    ],
)
def test_what_json_does_not_have_is_refused(value: object, words: str) -> None:
    """Keys, text and types outside JSON are refused with their place."""
    with pytest.raises(UsageError, match=words):
        normalise(value, "it")


def test_endless_nesting_is_refused() -> None:
    """A value that contains itself is refused in one sentence."""
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(UsageError, match="params is nested too deeply"):
        normalise(endless, "params")


def test_tuples_and_mappings_are_plain_data() -> None:
    """What looks like a list or an object to Python is one in the manifest."""
    value: Mapping[str, Any] = MappingProxyType({"betas": (0.9, 0.95)})

    assert canonical(normalise(value)) == b'{"betas":[0.9,0.95]}'


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{ "a": 1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":1,"a":1}',
        b'{"a":9007199254740993}',
        b'{"a":"\\u0041"}',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
    ],
)
def test_other_encodings_of_the_same_data_are_refused(data: bytes) -> None:
    """Only the one canonical encoding is read."""
    with pytest.raises(VerificationError, match="the manifest is "):
        parse(data, "the manifest")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"NaN", b"-Infinity", b"1e999", b"1" * 5000, b'"\\ud800"', b"\xff\xfe"],
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    """Broken bytes are a VerificationError, never a traceback."""
    with pytest.raises(VerificationError, match="the manifest is malformed"):
        parse(data, "the manifest")


def test_deep_nesting_is_refused() -> None:
    """A file made of brackets is refused instead of exhausting the stack."""
    with pytest.raises(VerificationError, match="malformed"):
        parse(b"[" * 100_000, "the manifest")


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_pretty_is_the_same_json(value: dict[str, Any]) -> None:
    """Laid out over lines, a value is still the same JSON in the same key order."""
    plain = normalise(value)
    read = json.loads(pretty(plain), parse_int=_as_canonical)

    assert canonical(read) == canonical(plain)
    assert list(read) == list(json.loads(canonical(plain)))


def _as_canonical(digits: str) -> float:
    value = int(digits)
    return value if abs(value) <= SAFE_INTEGER else float(value)


def test_pretty_puts_members_on_lines_of_their_own() -> None:
    """Objects open up, lists and empty objects stay on one line."""
    value: Json = {"b": {"y": [1, {"z": 2}], "x": {}}, "a": 1e-7}

    assert pretty(value) == (
        '{\n  "a": 1e-7,\n  "b": {\n    "x": {},\n    "y": [1,{"z":2}]\n  }\n}'
    )


@given(st.characters(exclude_categories=["Cs"]))
@example("\x7f")
@example("\u0085")
@example("\u2028")
@example("\ufeff")
@example("\uffff")
def test_pretty_is_yaml_that_dvc_reads(character: str) -> None:
    """DVC's YAML reader finds every character where params.yaml has it."""
    from dvc.utils.serialize import loads_yaml

    assume(character != "\0")
    value: Json = {f"k{character}k": f"v{character}v"}

    assert loads_yaml(pretty(value)) == value


@given(NUMBERS)
@example(1e-7)
@example(1e21)
def test_pretty_numbers_are_numbers_to_dvc(number: float) -> None:
    """DVC's YAML reader takes exponents without a point for the numbers they are."""
    from dvc.utils.serialize import loads_yaml

    assert float(loads_yaml(pretty({"x": number}))["x"]) == number


def test_digest_is_sha256() -> None:
    """The digest is what sha256sum prints."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    assert digest(b"") == empty


def test_an_integer_beyond_what_python_writes_is_refused() -> None:
    """Hexadecimal digits in a file can spell one."""
    with pytest.raises(UsageError, match="it is an integer of too many digits"):
        normalise(16**5000, "it")


@given(
    value=st.dictionaries(
        st.text(),
        st.recursive(
            st.integers(-SAFE_INTEGER, SAFE_INTEGER)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text()
            | st.none()
            | st.booleans(),
            st.lists,
        ),
    )
)
def test_the_quick_way_is_that_of_the_rfc(value: dict[str, Any]) -> None:
    """Whatever encodes it, the bytes are those of a plain RFC 8785 encoder."""
    assert canonical(value) == rfc8785.dumps(value)
