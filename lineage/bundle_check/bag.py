"""BagIt (RFC 8493): are the listed files here, as they are listed, and no others?"""

import re
from collections.abc import Iterable, Mapping

from lineage.bundle_check.archive import Bundle, Refused
from lineage.bundle_check.looked import Looked

PAYLOAD, TAGS = "manifest-sha256.txt", "tagmanifest-sha256.txt"
SIGNATURE = f"{TAGS}.sig"
_BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_INFO = re.compile(r"([A-Za-z][A-Za-z0-9-]*): (.*)\n")
_KNOWN = re.compile(
    r"(bagit|bag-info|manifest-sha256|tagmanifest-sha256)\.txt|VERIFY\.md|verify\.sh"
    r"|tagmanifest-sha256\.txt\.sig|data/(registry\.bundle|report\.(html|json)"
    r"|missing\.txt|(log|commits|payload|timestamps|formats)/.+)"
)
VERSION = "1"
LEVELS = ("none", "metrics", "all")  # nothing here asks what writes bundles


def check_bag(bundle: Bundle, looked: Looked) -> Mapping[str, str]:
    """Read every file once; returns what bag-info.txt says."""
    for name in sorted(bundle.sizes):
        looked.at("archive", "bag")
        try:
            bundle.hash(name)
        except Refused as error:
            looked.found("archive", name, str(error))
    if bundle.text("bagit.txt") != _BAGIT.decode():
        looked.found("bag", "bagit.txt", "is not that of a bag of version 1.0")
    for name in sorted(bundle.sizes):
        if not _KNOWN.fullmatch(name):
            looked.found("bag", name, "is no file that a bundle has")
    names = set(bundle.sizes) - {TAGS, SIGNATURE}
    data = {name for name in names if name.startswith("data/")}
    _check_list(bundle, PAYLOAD, data, looked)
    _check_list(bundle, TAGS, names - data, looked)
    return _check_info(bundle, data, looked)


def _check_list(bundle: Bundle, list_: str, names: set[str], looked: Looked) -> None:
    listed: dict[str, str] = {}
    for line in bundle.text(list_).splitlines():
        found = _LINE.fullmatch(line)
        if found is None or found[2] in listed:
            looked.found("bag", list_, f"has a line that cannot be: {line[:80]!r}")
        else:
            listed[found[2]] = found[1]
    for name in sorted(names - set(listed)):
        looked.found("bag", name, f"is not listed in {list_}")
    for name, digest in sorted(listed.items()):
        if name not in names:
            looked.found("bag", name, f"is listed in {list_}, and is not here")
        elif bundle.digests.get(name) != digest:
            looked.found("bag", name, f"does not have the SHA-256 of {list_}")


def _check_info(bundle: Bundle, data: Iterable[str], looked: Looked) -> dict[str, str]:
    """Labels and values of bag-info.txt."""
    fields = _INFO.findall(bundle.text("bag-info.txt"))
    info = dict(fields)
    if "".join(f"{k}: {v}\n" for k, v in info.items()) != bundle.text("bag-info.txt"):
        looked.found("bag", "bag-info.txt", "has another line, or a name twice")
    sizes = [bundle.sizes[name] for name in data]
    wanted = {
        "Payload-Oxum": f"{sum(sizes)}.{len(sizes)}",
        "Lineage-Bundle": VERSION,
    }
    for label, value in wanted.items():
        if info.get(label) != value:
            said = info.get(label, "nothing")
            looked.found("bag", "bag-info.txt", f"{label} is {said}, not {value}")
    if info.get("Lineage-Payloads") not in LEVELS:
        looked.found("bag", "bag-info.txt", "Lineage-Payloads is none of its words")
    return info
