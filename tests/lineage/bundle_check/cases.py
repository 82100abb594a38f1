"""What attackers do to a bundle, what the auditor held, and what has to be found.

`ada` is the insider: her key is real, and on the auditor's list. `eve` has a key too,
and is on nobody's. Unless a case says that the bag was signed again, it was not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import lineage
from lineage import bundle, keys
from lineage.audit.report import report
from lineage.store.canonical import canonical
from lineage.store.events import EventLog, now
from lineage.store.files import FILE, FileEntry, Payload, file_list
from lineage.store.objects import Commit, Edge, Event
from lineage.store.projection import project
from lineage.store.signing import sign
from tests.lineage.bundle_check.bag import SIGNATURE, TAGS, Bag, run_git
from tests.lineage.bundle_check.conftest import Office, hand_out

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry


@dataclass(frozen=True)
class Attack:
    """What an attacker has in hand: a bundle, the office's keys, a place to work."""

    bag: Bag
    office: Office
    work: Path


Does = Callable[[Attack], None]


@dataclass(frozen=True)
class Case:
    """One tampering: `does` changes the bag; `held` are options of both checkers."""

    what: str
    finding: str
    held: tuple[str, ...]
    does: Does

    @property
    def row(self) -> str:
        """Its line of the table in docs/bundle.md."""
        held = ", ".join(HELD[name] for name in self.held) or "nothing"
        return f"| {self.what} | {held} | `{self.finding}` |"


HELD = {
    "signers": "the keys of those who may sign",
    "expired": "the same keys, with the day when they expired",
    "anchor": "the fingerprint of the first key",
    "revoked-ada": "that the key of the one who signed was revoked",
    "revoked-bob": "that the key of a reviewer was revoked",
    "since": "an event that they saw before",
    "newest": "the newest event, from a newer bundle",
    "tsa-ca": "the certificate of the time stamping authority",
}
"""What an auditor can hold, as the table has it."""

CASES: list[Case] = []


def case(what: str, finding: str, *held: str) -> Callable[[Does], Does]:
    """Add a tampering to the list."""

    def add(does: Does) -> Does:
        CASES.append(Case(what, finding, held, does))
        return does

    return add


# files of the bag


@case("a byte of a payload file, the lists as they were", "bag")
def _(it: Attack) -> None:
    it.bag.swap(_payload(it.bag, "3+3=6"), "3+3=6", "3+3=7")


@case(
    "a byte of a payload file, the lists made to fit, not signed again",
    "signature",
    "signers",
)
def _(it: Attack) -> None:
    it.bag.swap(_payload(it.bag, "3+3=6"), "3+3=6", "3+3=7")
    it.bag.seal()


@case("a byte of a payload file, the lists made to fit", "payload", "signers")
def _(it: Attack) -> None:
    it.bag.swap(_payload(it.bag, "3+3=6"), "3+3=6", "3+3=7")
    it.bag.sign(it.office.keys["ada"])


@case("a payload file under the SHA-256 of its new bytes", "payload", "signers")
def _(it: Attack) -> None:
    data = it.bag.files.pop(_payload(it.bag, "3+3=6")) + b"5+5=10\n"
    it.bag.files[f"data/payload/{sha256(data).hexdigest()}"] = data
    it.bag.sign(it.office.keys["ada"])


@case("a payload file left out", "payload", "signers")
def _(it: Attack) -> None:
    del it.bag.files[_payload(it.bag, "3+3=6")]
    it.bag.sign(it.office.keys["ada"])


@case("a payload file said to be erased, which it was not", "payload", "signers")
def _(it: Attack) -> None:
    name = _payload(it.bag, "3+3=6")
    del it.bag.files[name]
    line = f"{name.rpartition('/')[2]} erased {it.office.seen}\n"
    it.bag.files["data/missing.txt"] += line.encode()
    it.bag.sign(it.office.keys["ada"])


@case("a file added, the lists as they were", "bag")
def _(it: Attack) -> None:
    it.bag.files["data/note.txt"] = b"all is well\n"


@case("a file added, the lists made to fit", "bag", "signers")
def _(it: Attack) -> None:
    it.bag.files["data/note.txt"] = b"all is well\n"
    it.bag.sign(it.office.keys["ada"])


@case("a file removed, the lists as they were", "bag")
def _(it: Attack) -> None:
    del it.bag.files["data/report.html"]


@case("a line of `manifest-sha256.txt` changed, not signed again", "bag")
def _(it: Attack) -> None:
    digest = sha256(it.bag.files["data/report.html"]).hexdigest()
    it.bag.swap("manifest-sha256.txt", digest, "0" * 64)


@case("`Payload-Oxum` of bag-info.txt changed", "bag", "signers")
def _(it: Attack) -> None:
    it.bag.sign(it.office.keys["ada"])
    it.bag.info("Payload-Oxum", "1.1")
    it.bag.relist(TAGS)
    it.bag.files[SIGNATURE] = sign(
        it.bag.files[TAGS], it.office.keys["ada"], "lineage-report"
    )


@case("`Lineage-Payloads` says none, and the files are there", "payload", "signers")
def _(it: Attack) -> None:
    it.bag.info("Lineage-Payloads", "none")
    it.bag.sign(it.office.keys["ada"])


@case("`Lineage-Payloads` says all, and no file is there", "payload", "signers")
def _(it: Attack) -> None:
    for name in [n for n in it.bag.files if n.startswith("data/payload/")]:
        del it.bag.files[name]
    it.bag.sign(it.office.keys["ada"])


@case("`Lineage-Event` names an older event", "log", "signers")
def _(it: Attack) -> None:
    it.bag.info("Lineage-Event", it.office.seen)
    it.bag.sign(it.office.keys["ada"])


# signatures of the bag


@case("the signature removed, and bag-info.txt as it was", "signature")
def _(it: Attack) -> None:
    del it.bag.files[SIGNATURE]


@case("the signature removed, and bag-info.txt says so", "signature", "signers")
def _(it: Attack) -> None:
    del it.bag.files[SIGNATURE]
    it.bag.info("Lineage-Signature", "none")
    it.bag.seal()


@case("the signature of another bundle by the same key", "signature", "signers")
def _(it: Attack) -> None:
    it.bag.files[SIGNATURE] = Bag.read(it.office.bundles["none"]).files[SIGNATURE]


@case("signed in another namespace, `git`", "signature", "signers")
def _(it: Attack) -> None:
    it.bag.sign(it.office.keys["ada"], "git")


@case("signed by a stranger", "signature", "signers")
def _(it: Attack) -> None:
    it.bag.sign(it.office.keys["eve"])


@case("signed with a runner's key", "signature", "signers")
def _(it: Attack) -> None:
    it.bag.sign(it.office.keys["runner"])


@case(
    "signed with a key that the auditor has as revoked",
    "signature",
    "signers",
    "revoked-ada",
)
def _(it: Attack) -> None:
    it.bag.sign(it.office.keys["ada"])


@case(
    "signed with a key that the auditor's list has as expired", "signature", "expired"
)
def _(it: Attack) -> None:
    it.bag.sign(it.office.keys["ada"])


# the report


@case(
    "the page replaced, the lists made to fit, not signed again", "signature", "signers"
)
def _(it: Attack) -> None:
    it.bag.files["data/report.html"] = b"<!doctype html><title>All is well</title>"
    it.bag.seal()


@case("the report replaced and signed by a stranger", "signature", "signers")
def _(it: Attack) -> None:
    _better(it.bag)
    it.bag.sign(it.office.keys["eve"])


@case("a metric wherever the report has it", "report", "signers")
def _(it: Attack) -> None:
    _better(it.bag)
    it.bag.sign(it.office.keys["ada"])


def _better(bag: Bag) -> None:
    text = bag.files["data/report.json"]
    assert text.count(b"0.75") > 2
    bag.files["data/report.json"] = text.replace(b"0.75", b"0.95")


@case("a metric in the report that has a second value", "report", "signers")
def _(it: Attack) -> None:
    old = f'"commit":"{it.bag.commit("model", "tutor")}"}}'
    it.bag.swap("data/report.json", old, f'{old[:-1]},"value":0.95}}')
    it.bag.sign(it.office.keys["ada"])


@case("the same, its name written with an escape", "report", "signers")
def _(it: Attack) -> None:
    old = '"value":0.75,'
    it.bag.swap("data/report.json", old, f'{old}"v\\u0061lue":0.95,')
    it.bag.sign(it.office.keys["ada"])


@case("a metric of a generation in the report, its fields in another order", "report",
      "signers")  # fmt: skip
def _(it: Attack) -> None:
    told = it.bag.report
    [metric, *_] = told["loops"][0]["generations"][1]["metrics"]
    metric["value"] = 0.95
    metric["value"] = metric.pop("value")
    _resigned(it.bag, it.office, told)


@case("a metric of a generation in the report that names no commit", "report",
      "signers")  # fmt: skip
def _(it: Attack) -> None:
    told = it.bag.report
    [metric, *_] = told["loops"][0]["generations"][1]["metrics"]
    metric["value"] = 0.95
    del metric["commit"]
    _resigned(it.bag, it.office, told)


@case("one point of a curve in the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    told["loops"][0]["measures"][0]["points"][-1]["value"] = 0.95
    _resigned(it.bag, it.office, told)


@case("the verdict of a gate in the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    told["loops"][0]["generations"][1]["gates"][0]["verdict"] = "fail"
    _resigned(it.bag, it.office, told)


@case("the share of an edge in the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    [share, *_] = [s["share"] for a in told["artifacts"] for s in a["sources"]
                   if s["share"] and "value" in s["share"]]  # fmt: skip
    share["value"]["records"] = [1, 4]
    _resigned(it.bag, it.office, told)


@case("an edge left out of the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    [mixed] = [a for a in told["artifacts"] if a["name"] == "mixed"]
    mixed["sources"].pop()
    _resigned(it.bag, it.office, told)


@case("an artifact left out of the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    told["artifacts"] = [a for a in told["artifacts"] if a["name"] != "wrote"]
    _resigned(it.bag, it.office, told)


@case("the licence of data in the report", "report", "signers")
def _(it: Attack) -> None:
    it.bag.swap("data/report.json", "CC0-1.0", "MIT-1.0")
    it.bag.sign(it.office.keys["ada"])


@case("the verdict of a review in the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    [review] = [s for s in told["statements"] if s["type"] == "review"]
    review["data"]["verdict"] = "rejected"
    _resigned(it.bag, it.office, told)


@case("who gave the verdict of a review in the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    for place in (told, *told["loops"][0]["generations"]):
        for review in [s for s in place["statements"] if s["type"] == "review"]:
            review["by"] = "Ada <ada@example.com>"
    _resigned(it.bag, it.office, told)


@case("a review left out of the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    for place in (told, *told["loops"][0]["generations"]):
        place["statements"] = [s for s in place["statements"] if s["type"] != "review"]
    _resigned(it.bag, it.office, told)


@case("a release left out where the report has releases", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    told["releases"] = []
    _resigned(it.bag, it.office, told)


@case("a stated text in the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    [stated] = [one["stated"] for one in told["artifacts"] if one["stated"]]
    stated["intended_purpose"]["value"] = "teaching chess"
    _resigned(it.bag, it.office, told)


@case("a key left out of the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    told["keys"].pop()
    _resigned(it.bag, it.office, told)


@case("a report that says it is for the public", "report", "signers")
def _(it: Attack) -> None:
    _resigned(it.bag, it.office, {**it.bag.report, "audience": "public"})


@case("the time of a release in the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    told["releases"][0]["since"] = "2025-01-01T00:00:00.000000Z"
    _resigned(it.bag, it.office, told)


@case("the time of a time stamp in the report", "report", "signers")
def _(it: Attack) -> None:
    told = it.bag.report
    told["stamps"][0]["time"] = "2025-01-01T00:00:00.000000Z"
    _resigned(it.bag, it.office, told)


@case("the report of another subject", "report", "signers")
def _(it: Attack) -> None:
    with closing(it.office.open()) as registry:
        bundle.export(registry, report(registry, "model/tutor"), it.work / "other.zip")
    other = Bag.read(it.work / "other.zip").report
    seed = next(a["id"] for a in other["artifacts"] if a["name"] == "seed")
    other["subjects"] = [seed]
    _resigned(it.bag, it.office, other)


@case("a report of an older state", "report", "signers")
def _(it: Attack) -> None:
    with closing(lineage.open(it.office.registry, at=it.office.seen)) as registry:
        bundle.export(registry, report(registry, "loop/tutor"), it.work / "old.zip")
    old = Bag.read(it.work / "old.zip")
    it.bag.files["data/report.json"] = old.files["data/report.json"]
    it.bag.sign(it.office.keys["ada"])


def _resigned(bag: Bag, office: Office, told: Any) -> None:
    bag.keep_report(told)
    bag.sign(office.keys["ada"])


# commits


@case("a manifest in its folder", "commit", "signers")
def _(it: Attack) -> None:
    id_ = it.bag.commit("model", "tutor")
    it.bag.swap(f"data/commits/{id_}/lineage.json", "0.75", "0.95")
    it.bag.sign(it.office.keys["ada"])


@case(
    "a metric of a manifest, its folder called after the new SHA-256",
    "commit",
    "signers",
)
def _(it: Attack) -> None:
    _another(it.bag, it.bag.commit("model", "tutor"), b"0.75", b"0.95")
    it.bag.sign(it.office.keys["ada"])


@case(
    "an edge removed from a manifest, its folder called after the new SHA-256",
    "commit",
    "signers",
)
def _(it: Attack) -> None:
    id_ = it.bag.commit("dataset", "mixed")
    manifest = json.loads(it.bag.files[f"data/commits/{id_}/lineage.json"])
    manifest["edges"].pop()
    old = it.bag.files[f"data/commits/{id_}/lineage.json"]
    _another(it.bag, id_, old, canonical(manifest))
    it.bag.sign(it.office.keys["ada"])


def _another(bag: Bag, id_: str, old: bytes, new: bytes) -> None:
    """Give the folder of a commit another manifest, and its name."""
    folder = f"data/commits/{id_}/"
    data = bag.files[f"{folder}lineage.json"].replace(old, new)
    for name in [n for n in bag.files if n.startswith(folder)]:
        held = bag.files.pop(name)
        place = f"data/commits/{sha256(data).hexdigest()}/{name.rpartition('/')[2]}"
        bag.files[place] = data if name.endswith("lineage.json") else held


@case("a manifest that says something twice, recorded so by a signer", "commit",
      "signers")  # fmt: skip
def _(it: Attack) -> None:
    _recorded(it, b'"name":"odd"', b'"name":"seed","name":"odd"')


@case("the same, an edge of it with `share` before `role`, behind a name in Greek",
      "commit", "signers")  # fmt: skip
def _(it: Attack) -> None:
    role = b'"role":"derived_from"'
    share = b'"share":{"records":[2,4]}'
    odd = ',"\u03c0":0,'.encode()
    _recorded(it, role + b"," + share, share + odd + role)


@case("the same, with a value that has no name", "commit", "signers")
def _(it: Attack) -> None:
    _recorded(it, b'"name":"odd"', b'"name":"odd",7')


@case("the same, with a letter in more bytes than UTF-8 has for it", "commit",
      "signers")  # fmt: skip
def _(it: Attack) -> None:
    _recorded(it, b'"name":"odd"', b'"name":"o\xc1\xa4d"')


@case("a list of files with a digest's name spelt in another way, recorded so by a "
      "signer", "files", "signers")  # fmt: skip
def _(it: Attack) -> None:
    class Odd(FileEntry):
        def line(self) -> bytes:
            return super().line().replace(b'"sha256"', b'"sh\\u0061256"')

    _listed(it, Odd("odd.txt", FILE, 3, "1" * 64, "2" * 32))


@case("the same, that names a path twice", "files", "signers")
def _(it: Attack) -> None:
    made = [FileEntry("odd.txt", FILE, 3, digit * 64, digit * 32) for digit in "12"]
    _listed(it, *made)


def _listed(it: Attack, *entries: FileEntry) -> None:
    """Let a runner record files that nobody stored."""
    payload = Payload.of(list(entries), "directory", stored=False)
    _record(it, Commit("dataset", "odd", payload=payload), entries)


def _recorded(it: Attack, old: bytes, new: bytes) -> None:
    """Let a runner record a dataset whose manifest says `new` where it said `old`."""
    seed = it.bag.commit("dataset", "seed")
    edge = Edge("derived_from", seed, "observed", {"records": [2, 4]})
    commit = Commit("dataset", "odd", (edge,))
    assert old in commit.manifest
    commit.__dict__["manifest"] = commit.manifest.replace(old, new)
    _record(it, commit)


def _record(it: Attack, commit: Commit, entries: Sequence[FileEntry] = ()) -> None:
    gits = {id_: oid for event in it.bag.events for id_, oid in event.commits}
    with it.bag.git() as git:
        made = project(commit, list(entries), gits)
        git.write(made.objects)
        run_git(git.root, "update-ref", f"refs/lineage/attic/{made.oid}", made.oid)
    folder = f"data/commits/{commit.id}"
    it.bag.files[f"{folder}/lineage.json"] = commit.manifest
    if entries:
        it.bag.files[f"{folder}/files.jsonl"] = file_list(entries)
    newest, brought = it.bag.events[-1], ((commit.id, made.oid),)
    event = Event("commit", newest.time, newest.actor, commits=brought)
    it.bag.rewrite(lambda events: [*events, event], it.office.signer)
    it.bag.sign(it.office.keys["ada"])


@case("`metrics.json` of a commit", "commit", "signers")
def _(it: Attack) -> None:
    id_ = it.bag.commit("model", "tutor")
    it.bag.swap(f"data/commits/{id_}/metrics.json", "0.75", "0.95")
    it.bag.sign(it.office.keys["ada"])


@case("a list of files, `files.jsonl`", "files", "signers")
def _(it: Attack) -> None:
    id_ = it.bag.commit("dataset", "seed")
    it.bag.swap(f"data/commits/{id_}/files.jsonl", '"size":', '"size":1')
    it.bag.sign(it.office.keys["ada"])


@case("the folder of a commit of another registry added", "commit", "signers")
def _(it: Attack) -> None:
    other = Bag.read(it.office.bundles["better"])
    known = {n for n in it.bag.files if n.endswith("lineage.json")}
    name = next(n for n in other.files if n.endswith("lineage.json") and n not in known)
    it.bag.files[name] = other.files[name]
    it.bag.sign(it.office.keys["ada"])


@case("the folder of a commit removed", "commit", "signers")
def _(it: Attack) -> None:
    folder = f"data/commits/{it.bag.commit('config', 'judge')}/"
    for name in [n for n in it.bag.files if n.startswith(folder)]:
        del it.bag.files[name]
    it.bag.sign(it.office.keys["ada"])


# git


@case("a byte inside the git bundle", "git", "signers")
def _(it: Attack) -> None:
    data = bytearray(it.bag.files["data/registry.bundle"])
    data[len(data) // 2] ^= 1
    it.bag.files["data/registry.bundle"] = bytes(data)
    it.bag.sign(it.office.keys["ada"])


@case("the git bundle of another registry", "log", "signers")
def _(it: Attack) -> None:
    other = Bag.read(it.office.bundles["better"])
    it.bag.files["data/registry.bundle"] = other.files["data/registry.bundle"]
    it.bag.sign(it.office.keys["ada"])


@case(
    "a manifest in git, and all that came of it, the log unsigned",
    "unsigned",
    "signers",
)
def _(it: Attack) -> None:
    other = Bag.read(it.office.bundles["better"])
    other.rewrite(lambda events: events, lambda _: None)
    it.bag.files = other.files
    it.bag.sign(it.office.keys["ada"])


# the log


@case("an event removed from the list and its folder", "log", "signers")
def _(it: Attack) -> None:
    review = _review(it.bag).id
    it.bag.drop_line(review)
    del it.bag.files[f"data/log/events/{review}.json"]
    it.bag.sign(it.office.keys["ada"])


@case("the newest events cut off the list", "log", "signers")
def _(it: Attack) -> None:
    for id_ in [line.split()[0] for line in it.bag.lines[-2:]]:
        it.bag.drop_line(id_)
        del it.bag.files[f"data/log/events/{id_}.json"]
    it.bag.sign(it.office.keys["ada"])


@case("events in another order in the list", "log", "signers")
def _(it: Attack) -> None:
    *lines, one, two = it.bag.lines
    text = "".join(f"{line}\n" for line in (*lines, two, one))
    it.bag.files["data/log/events.txt"] = text.encode()
    it.bag.sign(it.office.keys["ada"])


@case("the list of events of another registry", "log", "signers")
def _(it: Attack) -> None:
    other = Bag.read(it.office.bundles["better"])
    it.bag.files["data/log/events.txt"] = other.files["data/log/events.txt"]
    it.bag.sign(it.office.keys["ada"])


@case("an event's file", "event", "signers")
def _(it: Attack) -> None:
    name = f"data/log/events/{_review(it.bag).id}.json"
    it.bag.swap(name, "reads well", "reads badly")
    it.bag.sign(it.office.keys["ada"])


@case(
    "an event removed from git, the others signed again as they were",
    "chain",
    "signers",
)
def _(it: Attack) -> None:
    it.bag.rewrite(_without_review, it.office.signer, chained=False)
    it.bag.sign(it.office.keys["ada"])


@case(
    "an event removed from git, the later ones chained anew, unsigned",
    "unsigned",
    "signers",
)
def _(it: Attack) -> None:
    it.bag.rewrite(_without_review, lambda _: None)
    it.bag.seal()


@case(
    "an event removed from git, the later ones signed by a stranger",
    "signer",
    "signers",
)
def _(it: Attack) -> None:
    time, eve = _review(it.bag).time, it.office.keys["eve"]
    signer = it.office.signer
    it.bag.rewrite(_without_review, lambda e: eve if e.time > time else signer(e))
    it.bag.seal()


@case("two events in another order in git, unsigned", "unsigned", "signers")
def _(it: Attack) -> None:
    def swapped(events: list[Event]) -> list[Event]:
        place = events.index(_review(it.bag))
        one, two = events[place : place + 2]
        return [*events[:place], two, one, *events[place + 2 :]]

    it.bag.rewrite(swapped, lambda _: None)
    it.bag.seal()


def _without_review(events: list[Event]) -> list[Event]:
    return [event for event in events if event.type != "review"]


def _review(bag: Bag) -> Event:
    return next(event for event in bag.events if event.type == "review")


@case(
    "the whole history written anew by a stranger, with keys of the same names",
    "signer",
    "signers",
)
def _(it: Attack) -> None:
    it.bag.files = Bag.read(it.office.bundles["strange"]).files


@case("the same history, by that stranger", "unsigned", "anchor")
def _(it: Attack) -> None:
    it.bag.files = Bag.read(it.office.bundles["strange"]).files


@case(
    "the whole history written anew and signed by insiders with their real keys",
    "since",
    "signers",
    "since",
)
def _(it: Attack) -> None:
    it.bag.files = Bag.read(it.office.bundles["better"]).files


@case(
    "the review removed from history by insiders with all real keys",
    "since",
    "signers",
    "since",
)
def _(it: Attack) -> None:
    folder = it.office.copy(it.work / "copy")
    with closing(it.office.open(folder)) as registry:
        names = registry.events_log.tip() or ""
        log = registry.git.run("rev-list", names).decode().split()
        before = next(
            oid for oid in log if registry.events_log.event(oid).type == "review"
        )
        registry.git.run("update-ref", "refs/lineage/events", f"{before}^")
    with closing(it.office.open(folder)) as registry:
        (registry.home / "rolled").unlink(missing_ok=True)
        it.bag.files = Bag.read(hand_out(registry, it.work / "cut.zip", "all")).files


@case(
    "the newest event cut off everywhere",
    "since",
    "signers",
    "newest",
)
def _(it: Attack) -> None:
    it.bag.rewrite(lambda events: events[:-1], it.office.signer)
    it.bag.sign(it.office.keys["ada"])


@case("an older bundle, as it was handed out then", "since", "signers", "newest")
def _(it: Attack) -> None:
    it.bag.files = Bag.read(it.office.bundles["older"]).files


# who signs events


@case("an event by somebody whose key nobody added", "signer", "signers")
def _(it: Attack) -> None:
    _appended(it.bag, it.office, it.work, "review", "eve")


@case(
    "an event by somebody whose key an insider added, and the auditor does not know",
    "signer",
    "signers",
)
def _(it: Attack) -> None:
    _appended(it.bag, it.office, it.work, "review", "carol", add=("reviewer",))


@case("an event without a signature", "unsigned", "signers")
def _(it: Attack) -> None:
    _appended(it.bag, it.office, it.work, "review", None)


@case("a review by a runner's key", "role", "signers")
def _(it: Attack) -> None:
    _appended(it.bag, it.office, it.work, "review", "runner")


@case("a release by a reviewer's key", "role", "signers")
def _(it: Attack) -> None:
    _appended(it.bag, it.office, it.work, "release", "bob")


@case("a review with a key that the log had revoked", "signer", "signers")
def _(it: Attack) -> None:
    _appended(it.bag, it.office, it.work, "review", "bob", revoke=True)


@case(
    "an event with a key that the auditor has as revoked",
    "signer",
    "signers",
    "revoked-bob",
)
def _(it: Attack) -> None:
    it.bag.sign(it.office.keys["ada"])


@case("an event with a key that had expired by the auditor's list", "signer", "expired")
def _(it: Attack) -> None:
    it.bag.sign(it.office.keys["ada"])


@case("an event that says something twice, signed by its author", "event", "signers")
def _(it: Attack) -> None:
    _spelled(it, b'"tsa":"Another","tsa":')


@case("the same, one of the names written with an escape", "event", "signers")
def _(it: Attack) -> None:
    _spelled(it, b'"ts\\u0061":"Another","tsa":')


@case("an event with its names in another order, signed by its author", "event",
      "signers")  # fmt: skip
def _(it: Attack) -> None:
    _spelled(it, b'"zone":0,"tsa":')


def _spelled(it: Attack, spelling: bytes) -> None:
    """Write the newest event anew, with something else where it says `tsa`."""

    def spelled(events: list[Event]) -> list[Event]:
        *before, newest = events
        data = newest.encoded.replace(b'"tsa":', spelling)
        made = replace(newest)
        made.__dict__["encoded"] = data
        return [*before, made]

    it.bag.rewrite(spelled, it.office.signer, chained=False)
    it.bag.sign(it.office.keys["ada"])


@case("the signature of one event on another", "signer", "signers")
def _(it: Attack) -> None:
    with it.bag.git() as git:
        tip, before = git.run("rev-list", "-2", "refs/lineage/events").decode().split()
        data = git.run("cat-file", "commit", tip)
        other = git.run("cat-file", "commit", before)
        mine, theirs = _signature(data), _signature(other)
        made = git.run("hash-object", "-t", "commit", "-w", "--stdin",
                       data=data.replace(mine, theirs)).decode().strip()  # fmt: skip
        run_git(git.root, "update-ref", "refs/lineage/events", made)
    it.bag.keep_log(
        it.bag.events, [*(line.split()[1] for line in it.bag.lines[:-1]), made]
    )
    it.bag.sign(it.office.keys["ada"])


def _signature(commit: bytes) -> bytes:
    start, end = b"gpgsig ", b"-----END SSH SIGNATURE-----"
    return commit[commit.index(start) : commit.index(end) + len(end)]


# time stamps


@case("a time stamp by another authority", "timestamp", "signers", "tsa-ca")
def _(it: Attack) -> None:
    _stamped(
        it.bag,
        it.office,
        it.work,
        it.office.seen,
        it.office.stamp(it.office.seen, folder="foreign"),
    )


@case("a time stamp of another event", "timestamp", "signers", "tsa-ca")
def _(it: Attack) -> None:
    _stamped(
        it.bag, it.office, it.work, it.office.seen, it.office.stamp(_review(it.bag).id)
    )


@case("a time stamp that no event recorded", "timestamp", "signers")
def _(it: Attack) -> None:
    name = f"data/timestamps/{_review(it.bag).id}.{'0' * 12}.tsr"
    it.bag.files[name] = it.office.stamp(_review(it.bag).id)
    it.bag.sign(it.office.keys["ada"])


@case(
    "the file of a time stamp replaced by one of another event", "timestamp", "signers"
)
def _(it: Attack) -> None:
    it.bag.files[it.bag.one("data/timestamps/")] = it.office.stamp(_review(it.bag).id)
    it.bag.sign(it.office.keys["ada"])


def _stamped(bag: Bag, office: Office, work: Path, of: str, token: bytes) -> None:
    """An insider records a token by an event of his own."""
    from base64 import b64encode

    folder = office.copy(work / "copy")
    with closing(office.open(folder)) as registry:
        data = {"of": of, "token": b64encode(token).decode(), "tsa": "Test Time"}
        registry.attest("timestamp", data=data)
        bag.files = Bag.read(hand_out(registry, work / "it.zip")).files


def _appended(
    bag: Bag,
    office: Office,
    work: Path,
    type_: str,
    who: str | None,
    *,
    add: tuple[str, ...] = (),
    revoke: bool = False,
) -> None:
    """Write an event past every check, and hand out what comes of it."""
    folder = office.copy(work / "copy")
    with closing(office.open(folder)) as registry:
        if add:
            assert who
            _add(office, registry, who, add)
        if revoke:
            found = keys.find(registry, office.fingerprint("bob"))
            keys.revoke(registry, found, reason="lost")
        data = {"environment": "production", "live": True} if type_ == "release" else {
            "verdict": "approved"}  # fmt: skip
        subject = registry.resolve("loop/tutor")
        event = Event(type_, now(), registry.actor(), subject=subject, data=data)

        def signer(_: Event, commit: bytes) -> bytes | None:
            return sign(commit, office.keys[who]) if who else None

        log = EventLog(registry.git, registry.home, signer=signer)
        with log.locked() as lock:
            log.append(event, [], [], lock=lock)
        bag.files = Bag.read(hand_out(registry, work / "it.zip")).files


def _add(office: Office, registry: Registry, who: str, roles: tuple[str, ...]) -> None:
    from lineage.store.key_files import read_public

    public = read_public(office.keys[who].with_suffix(".pub"))
    keys.add(registry, public, who.title(), f"{who}@example.com", roles=roles)


def _payload(bag: Bag, text: str) -> str:
    """The payload file that begins so."""
    files = ((n, d) for n, d in bag.files.items() if n.startswith("data/payload/"))
    return next(name for name, data in files if data.startswith(text.encode()))
