"""What personal data look like, by kind, with the check digits that they have.

Each finder yields the places of what it finds. What is nobody's is left out: domains
and addresses that are reserved for examples (RFC 2606, 5737, 3849) or for private
networks (RFC 1918), numbers whose check digits are wrong.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Span = tuple[int, int]

_EMAIL = re.compile(
    r"(?<![\w.+%-])[A-Za-z0-9_](?:[\w.+%-]{0,62}[\w+%-])?"
    r"@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w@]|\.\w|:[\w~/])",
    re.ASCII,
)
_RESERVED = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|local)$"
)
# +49 30 1234567, after E.164; (212) 555-0187 and 212-555-0187, after the North
# American plan, whose area and exchange codes start with 2 to 9.
_PHONE = re.compile(
    r"(?<![\w+.])\+[1-9](?:[ .\-/]?\(?\d\)?){7,14}(?![\w]|[.\-]\d)"
    r"|(?<![\w+.\-])(?:1[-. ])?(?:\([2-9]\d\d\) ?[2-9]\d\d[-. ]"
    r"|[2-9]\d\d-[2-9]\d\d-|[2-9]\d\d\.[2-9]\d\d\.)\d{4}(?![\w]|[.\-]\d)",
    re.ASCII,
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2})(\d{2}(?: ?[A-Z0-9]){11,30})", re.ASCII)
_CARD = re.compile(
    r"(?<![\w.\-])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}"
    r"|\d{4}([ -])\d{6}\2\d{4,5}|\d{13,19})"
    r"(?!\w|[.\-]\d)",
    re.ASCII,
)
_BRANDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}"  # Amex, Diners, JCB
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12,15}"  # Discover
)
_IP4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)", re.ASCII)
_VERSION = re.compile(
    r"(?:\bv|\bver|version|release|section|[=<>~^]=?)\.?\s*$", re.IGNORECASE
)
_IP6 = re.compile(
    r"(?<![\w:.])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34}(?![\w:])", re.ASCII
)
_SSN = re.compile(
    r"(?<![\w.\-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?!\w|[.\-]\d)", re.ASCII
)
_DOCUMENTATION = IPv6Network("2001:db8::/32")

# Length of an IBAN by country, after the ISO 13616 registry.
_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "PT ST",
        26: "IS TR",
        27: "FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
    }.items()
    for country in countries.split()
}


def emails(text: str) -> Iterator[Span]:
    """Addresses with a domain that can be somebody's; `git@host:path` is none."""
    for match in _EMAIL.finditer(text) if "@" in text else ():
        if not _RESERVED.search(match[1].lower()):
            yield match.span()


def phones(text: str) -> Iterator[Span]:
    """Numbers with + and a country, and North American ones as they are written."""
    return (match.span() for match in _PHONE.finditer(text))


def ibans(text: str) -> Iterator[Span]:
    """Account numbers of their country's length whose check digits are right.

    ISO 7064, MOD 97-10: the first four characters moved to the end, letters as 10 to
    35, the number leaves 1 when it is divided by 97.
    """
    for match in _IBAN.finditer(text):
        length = _LENGTHS.get(match[1], 0)
        end = _end_of(text, match.start(), length)
        if length and end:
            plain = text[match.start() : end].replace(" ", "")
            digits = "".join(str(int(c, 36)) for c in plain[4:] + plain[:4])
            if int(digits) % 97 == 1:
                yield match.start(), end


def _end_of(text: str, start: int, length: int) -> int:
    """Where so many characters end, spaces apart; 0 where a word goes on."""
    places = [
        n for n in range(start, min(start + 2 * length, len(text))) if text[n] != " "
    ][:length]
    if len(places) < length or not places:
        return 0
    end = places[-1] + 1
    return 0 if text[end : end + 1].isalnum() else end


def cards(text: str) -> Iterator[Span]:
    """Numbers with a card brand's beginning and length, and right check digits."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _BRANDS.fullmatch(digits) and luhn(digits):
            yield match.span()


def luhn(digits: str) -> bool:
    """Whether the check digit is right (Luhn 1960, US patent 2,950,048)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def addresses(text: str) -> Iterator[Span]:
    """Public IPv4 and IPv6 addresses; not what reads like a version or a section."""
    for match in _IP4.finditer(text):
        if _is_public4(match[0]) and not _VERSION.search(text[: match.start()][-12:]):
            yield match.span()
    for match in _IP6.finditer(text):
        if _is_public6(match[0].rstrip(":")):
            yield match.span()


def _is_public4(text: str) -> bool:
    """1.2.3.4 and 8.8.8.8 are versions, sections or well known."""
    parts = text.split(".")
    if max(map(len, parts)) == 1 or any(len(p) > 1 and p[0] == "0" for p in parts):
        return False
    try:
        return IPv4Address(text).is_global
    except AddressValueError:
        return False


def _is_public6(text: str) -> bool:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    return address.is_global and address not in _DOCUMENTATION


def social_security(text: str) -> Iterator[Span]:
    """US numbers in groups that were given out: no 000, 666 or 9xx, 00, 0000."""
    return (match.span() for match in _SSN.finditer(text))


FINDERS: dict[str, Callable[[str], Iterator[Span]]] = {
    "email": emails,
    "phone": phones,
    "iban": ibans,
    "credit_card": cards,
    "ip": addresses,
    "us_ssn": social_security,
}
