"""Personal data: found where they are, and not where numbers only look alike."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lineage.loop.gates.pii_patterns import FINDERS, luhn

if TYPE_CHECKING:
    from tests.lineage.loop.gates.conftest import Bench

FOUND = {
    "email": [
        "Write to ada.lovelace+x@analytical.co.uk.",
        "<bob@mail.ru>",
        "a_b@b.io,",
    ],
    "phone": [
        "call +49 30 12345678",
        "+1 (212) 555-0187 now",
        "(212) 555-0187",
        "212-555-0187",
        "212.555.0187",
        "+442079460958",
        "1-800-356-9377",
    ],
    "iban": [
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432 is it",
        "to FR1420041010050500013M02606.",
        "NO93 8601 1117 947 today",
        "NO93 8601 1117 947 TODAY",
    ],
    "credit_card": [
        "4111 1111 1111 1111",
        "5555555555554444",
        "3782 822463 10005",
        "6011-1111-1111-1117",
        "2223003122003222",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
    ],
    "ip": [
        "from 93.184.216.34:80",
        "http://93.184.216.34/x",
        "2a00:1450:4001:81b::200e",
        "[2606:2800:220:1:248:1893:25c8:1946]",
    ],
    "us_ssn": ["ssn 219-45-1234."],
}
NOT_FOUND = {
    "email": [
        "@app.route('/')",
        "user@localhost",
        "ada@example.com",
        "foo@sub.example.org",
        "git@github.com:numpy/numpy",
        "x@y",
        "A@B.T",
    ],
    "phone": [
        "2024-01-02",
        "978-3-16-148410-0",
        "0-306-40615-2",
        "+0100",
        "2024-01-01T00:00:00+00:00",
        "123-456-7890",
        "3.14159265358979",
        "212-555-01871",
        "x+12345678901",
        "2147483647",
        "555-0187",
    ],
    "iban": [
        "DE89 3704 0044 0532 0130 01",
        "GB82WEST1234569876543",
        "AB12CDEFGHIJKLMNOPQRST",
        "ISO13616",
        "XDE89370400440532013000",
        "DE893704004405320130001",
    ],
    "credit_card": [
        "4111 1111 1111 1112",
        "978-3-16-148410-0",
        "9783161484100",
        "1234567890123452",
        "20240131123045",
        "d4111111111111111",
        "0x4111111111111111",
        "4111111111111111.5",
        "4111 11111111 1111",
        "4111 1111-1111 1111",
    ],
    "ip": [
        "1.2.3.4",
        "8.8.8.8",
        "version 10.20.30.40",
        "v93.184.216.34",
        "numpy==12.34.56.78",
        "127.0.0.1",
        "192.168.1.17",
        "192.0.2.17",
        "3.11.0.256",
        "93.184.216.034",
        "10.0.19041.1",
        "12:30:45",
        "std::abs",
        "aa:bb:cc:dd:ee:ff",
        "2001:db8::17",
        "a::b",
        "2023:10:11 12:00",
    ],
    "us_ssn": [
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-1234",
        "123-45-0000",
        "2024-01-02",
        "978-3-16-148410-0",
        "1-123-45-6789",
        "123-45-67890",
    ],
}


@pytest.mark.parametrize("kind", FINDERS)
def test_each_kind_is_found(kind: str) -> None:
    """Once, whatever stands around it."""
    for text in FOUND[kind]:
        for around in (text, f"({text})", f"see: {text}\n"):
            assert len(list(FINDERS[kind](around))) == 1, around


@pytest.mark.parametrize("kind", FINDERS)
def test_look_alikes_are_not(kind: str) -> None:
    """ISBNs, dates, versions, hex, wrong check digits, addresses for examples."""
    for text in NOT_FOUND[kind]:
        assert not list(FINDERS[kind](text)), text


def test_source_code_has_none_but_emails() -> None:
    """In real modules there are hardly any numbers that look like people's."""
    folder = Path(sysconfig.get_path("stdlib"))
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("[a-p]*.py"))]
    assert sum(map(len, texts)) > 2_000_000
    for kind, most in {"phone": 1, "iban": 0, "credit_card": 0, "us_ssn": 0}.items():
        assert sum(len(list(FINDERS[kind](text))) for text in texts) <= most


def test_luhn_sees_one_wrong_digit_and_neighbours_that_changed_places() -> None:
    """What the check digit is for (09 and 90 excepted)."""
    number = "4111111111111111"
    assert luhn(number)
    for place in range(16):
        for digit in set("0123456789") - {number[place]}:
            assert not luhn(number[:place] + digit + number[place + 1 :])
    assert luhn("79927398713")
    assert not luhn("79927389713")


def test_records_are_dropped_and_never_quoted(bench: Bench) -> None:
    """The verdict counts by kind and has ids, and nothing of what was found."""
    records = ["Nothing."] * 38 + [
        "Ada, ada@analytical.co.uk, 219-45-1234",
        "bob@mail.ru or 4111 1111 1111 1111 or eve@mail.ru",
    ]
    result = bench({"type": "pii"}, records)
    assert result.rejected == {
        38: "has an email address and a social security number",
        39: "has an email address and a card number",
    }
    assert result.passed
    assert result.sentence == (
        "2 of 40 records have personal data in them (3 email addresses, 1 card number, "
        "1 social security number); at most 5 % may"
    )
    assert result.details["kinds"]["email"] == {
        "found": 3,
        "in": 2,
        "records": ["r38", "r39"],
    }
    said = json.dumps(result.to_json()) + str(result.rejected)
    for part in ("ada", "mail.ru", "4111", "1234"):
        assert part not in said.casefold().replace("data", "")
    assert bench({"type": "pii", "kinds": ["iban"]}, records).rejected == {}
    assert not bench({"type": "pii", "action": "stop"}, records).passed
