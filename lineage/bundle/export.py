"""Writing a bundle, whole or not at all."""

import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from lineage.audit import as_html, as_json
from lineage.audit.given import Given
from lineage.audit.model import Report
from lineage.bundle import payload
from lineage.bundle.bag import Bag
from lineage.bundle.encoding import encode
from lineage.bundle.formats import rendered
from lineage.bundle.history import (
    COMMIT_FILES,
    METRIC_FILES,
    History,
    check_digest,
    stamp_name,
)
from lineage.errors import StoreError
from lineage.keys.files import ready, sign_file
from lineage.registry import Registry
from lineage.store.disk import check_no_device, disk_errors, locked
from lineage.store.reading import Progress

VERSION = 1
AGENT = f"lineage {version('lineage-vcs')}"
"""What made a bundle: another version may lay out the same report otherwise."""
LEVELS = ("none", "metrics", "all")
_BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Bundled:
    """What was written: how many files, and what is not among them.

    `away` says by SHA-256 why a file's bytes could not be had.
    """

    entries: int
    size: int
    signed: bool
    away: Mapping[str, str]


def export(
    registry: Registry,
    report: Report,
    path: Path,
    *,
    payloads: str = "none",
    key: Path | None = None,
    progress: Progress | None = None,
) -> Bundled:
    """Write the bundle of `report` to `path`; the file is replaced when it is whole.

    `payloads` is how much of the files goes in: nothing, the metrics and parameters
    of every commit as DVC reads them, or all bytes of the commits that the report
    speaks of. `key` is the private key in PEM that signs the machine formats.

    Raises:
        NotAllowed: when the key that is set here signs no file.
        StoreError: when something is missing, or the disk fails.
    """
    ready(registry)
    files = payload.Files()
    if payloads == "all":
        files = payload.Files.of(registry, (one.id for one in report.artifacts))
        payload.check_here(registry, files)
    with disk_errors("writing the bundle"), _replacing(path) as file:
        made = _Export(Given(registry, key), report, payloads, files, progress)
        return made.write(file)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `path` at the end, and else goes away.

    Raises:
        StoreError: when there is no folder for it, or another command is at it.
        UsageError: when `path` is a pipe or a device.
    """
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to write the bundle to")
    path = path.resolve()
    check_no_device(path)
    work = path.with_name(f".{path.name}.new")  # what a killed one left is used up
    try:
        with locked(work, wait=False) as descriptor:
            try:
                os.ftruncate(descriptor, 0)
                with open(descriptor, "wb", closefd=False) as file:
                    yield file
                work.replace(path)
            finally:
                work.unlink(missing_ok=True)
    except BlockingIOError:
        raise StoreError(f"{path} is being written by another command") from None


class _Export:
    """One bundle on its way."""

    def __init__(
        self,
        given: Given,
        report: Report,
        level: str,
        files: payload.Files,
        progress: Progress | None,
    ) -> None:
        self._given = given
        self._registry = given.registry
        self._report = report
        self._level = level
        self._files = files
        self._progress = progress or (lambda _: None)
        self._history = History.read(given.registry)

    def write(self, file: IO[bytes]) -> Bundled:
        bag = Bag(file, f"lineage-{self._report.subjects[0][:12]}")
        try:
            self._payload(bag)
            signs = self._tags(bag)
        except BaseException:
            bag.drop()
            raise
        size = os.fstat(file.fileno()).st_size
        return Bundled(bag.entries, size, signs, self._files.away)

    def _tags(self, bag: Bag) -> bool:
        """The files beside ``data/``; returns whether somebody signed them."""
        signs = self._registry.signer.path() is not None
        bag.add("VERIFY.md", _guide(self._report).encode())
        bag.add("bag-info.txt", self._info(bag, "sshsig" if signs else "none").encode())
        bag.add("bagit.txt", _BAGIT)
        bag.add("manifest-sha256.txt", bag.manifest())
        bag.add("verify.sh", (_HERE / "verify.sh").read_bytes())
        bag.close(sign_file(self._registry, bag.tag_manifest()))
        return signs

    def _info(self, bag: Bag, signature: str) -> str:
        newest = self._history.newest
        facts: dict[str, Any] = {
            "Bagging-Date": newest.time[:10],
            "Bag-Software-Agent": AGENT,
            "External-Identifier": " ".join(self._report.subjects),
            "Payload-Oxum": bag.oxum(),
            "Lineage-Bundle": VERSION,
            "Lineage-Event": newest.id,
            "Lineage-Payloads": self._level,
            "Lineage-Signature": signature,
        }
        return "".join(f"{name}: {value}\n" for name, value in facts.items())

    def _payload(self, bag: Bag) -> None:
        """Everything below ``data/``."""
        wanted = COMMIT_FILES + (METRIC_FILES if self._level != "none" else ())
        for name, data in self._history.commit_files(wanted):
            id_, _, file = name.partition("/")
            if file == "lineage.json":
                check_digest(id_, data)
            bag.add(f"data/commits/{name}", data)
        for name, data in rendered(self._report, self._given):
            bag.add(f"data/formats/{name}", data)
        bag.add("data/log/events.txt", self._history.lines)
        for id_, data in self._history.event_files():
            check_digest(id_, data)
            bag.add(f"data/log/events/{id_}.json", data)
        self._bytes(bag)
        git = self._history.bundle()
        bag.store("data/registry.bundle", [git], len(git))
        bag.add("data/report.html", as_html.render(self._report).encode())
        bag.add("data/report.json", encode(as_json.render(self._report)))
        for event, told in self._history.stamps:
            name = stamp_name(told.data["of"], event)
            bag.add(f"data/timestamps/{name}", b64decode(told.data["token"]))

    def _bytes(self, bag: Bag) -> None:
        """The files themselves, and what became of those that are not here."""
        if self._level != "all":
            return
        bag.add("data/missing.txt", self._files.lines)
        for digest, entry in sorted(self._files.here.items()):
            chunks = payload.read(self._registry, entry)
            bag.store(f"data/payload/{digest}", self._told(chunks), entry.size)

    def _told(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._progress(len(chunk))
            yield chunk


def _guide(report: Report) -> str:
    """How to check the bundle, with the command that makes this report again."""
    words = f"'{' | '.join(report.subjects)}'"
    if report.obligations:
        words += f" --template {report.obligations.id}"
    text = (_HERE / "VERIFY.md").read_text(encoding="utf-8")
    return text.replace("lineage report SUBJECT ", f"lineage report {words} ")
