"""FORMAT.md's test vectors, from three sides.

`Second` is a second implementation, written from FORMAT.md with hashlib, json and
real git alone. It, the store, and a registry that commits real files must all give
the ids and git oids that tests/data/vectors.json has; so must a second registry.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.store import names
from lineage.store.events import EventLog
from lineage.store.git import GitRepository
from lineage.store.objects import Commit, Edge, Event
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.registry import Registry

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests" / "data" / "vectors.json").read_text())
COMMITS = {vector["title"]: vector for vector in VECTORS["commits"]}
GIVEN = {title: vector for title, vector in COMMITS.items() if "given" in vector}
EVENTS = VECTORS["events"]
OPTIONS = ("params", "metrics", "origin", "code", "external", "gates")
NAMES = VECTORS["names"]


# a second implementation


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def encode(value: Any) -> str:
    """FORMAT.md, Canonical JSON."""
    if isinstance(value, dict):
        ordered = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{encode(k)}:{encode(value[k])}" for k in ordered) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        value = str(value)
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    point = len(digits) + int(exponent)
    if not text:
        return "0"
    if 0 < point <= 21:
        body = text.ljust(point, "0")
        body = body[:point] + ("." + body[point:] if body[point:] else "")
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        body = f"{text[0]}.{text[1:]}".rstrip(".") + f"e{point - 1:+d}"
    return "-" * sign + body


def laid_out(value: Any, indent: str = "") -> str:
    """FORMAT.md, metrics.json and params.yaml."""
    if isinstance(value, dict) and value:
        inner = indent + "  "
        ordered = sorted(value, key=lambda key: key.encode("utf-16-be"))
        lines = [f"{inner}{laid_out(k)}: {laid_out(value[k], inner)}" for k in ordered]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    text = encode(value)
    escaped = [*range(0x7F, 0xA0), 0xFFFE, 0xFFFF]
    return text.translate({code: f"\\u{code:04x}" for code in escaped})


def file_lines(files: list[dict[str, str]]) -> bytes:
    """FORMAT.md, files.jsonl."""
    lines = []
    for file in sorted(files, key=lambda file: file["path"].encode()):
        line: dict[str, Any] = {"mode": file["mode"], "path": file["path"]}
        if "text" in file:
            data = file["text"].encode()
            line |= {"size": len(data), "sha256": sha256(data), "md5": md5(data)}
        lines.append(encode(line) + "\n")
    return "".join(lines).encode()


def payload_summary(payload: dict[str, Any]) -> dict[str, Any]:
    """FORMAT.md, the manifest's `payload`."""
    files = [file for file in payload["files"] if "text" in file]
    files.sort(key=lambda file: [part.encode() for part in file["path"].split("/")])
    digests = (hashlib.sha256(file["text"].encode()).digest() for file in files)
    summary = {
        "count": len(files),
        "size": sum(len(file["text"].encode()) for file in files),
        "files": sha256(file_lines(payload["files"])),
        "root": sha256(b"".join(digests)),
        "type": payload["type"],
    }
    return summary if payload.get("stored", True) else {**summary, "stored": False}


def manifest(given: dict[str, Any], ids: dict[str, str]) -> bytes:
    """FORMAT.md, lineage.json."""
    edges = [
        {"id": ids[edge["to"]], **{k: v for k, v in edge.items() if k != "to"}}
        for edge in given.get("edges", [])
    ]
    whole = {
        **given,
        "schema": "lineage/1",
        "edges": sorted(edges, key=lambda edge: (edge["role"], edge["id"])),
    }
    if "payload" in given:
        whole["payload"] = payload_summary(given["payload"])
    return encode({key: value for key, value in whole.items() if value}).encode()


def payload_file(kind: str, payload: dict[str, Any]) -> str:
    """FORMAT.md, KIND.dvc."""
    files = [file for file in payload["files"] if "text" in file]
    size = sum(len(file["text"].encode()) for file in files)
    if payload["type"] == "file":
        address, path, count = md5(files[0]["text"].encode()), files[0]["path"], ""
        path = f"{kind}/{path}"
    else:
        rows = [
            {"md5": md5(file["text"].encode()), "relpath": file["path"]}
            for file in sorted(files, key=lambda file: file["path"].encode())
        ]
        address, path = md5(json.dumps(rows).encode()) + ".dir", kind
        count = f"  nfiles: {len(files)}\n"
    head = f"outs:\n- md5: {address}\n  size: {size}\n{count}"
    return f"{head}  hash: md5\n  path: {laid_out(path)}\n"


def tree_files(body: bytes, payload: dict[str, Any] | None) -> dict[str, bytes]:
    """FORMAT.md, the tree of a commit."""
    fields = json.loads(body, parse_int=_integer)
    files = {"lineage.json": body}
    sections = []
    if payload:
        files["files.jsonl"] = file_lines(payload["files"])
        if payload.get("stored", True):
            kind = fields["kind"]
            files[f"{kind}.dvc"] = payload_file(kind, payload).encode()
    if "metrics" in fields:
        values = {name: metric["value"] for name, metric in fields["metrics"].items()}
        files["metrics.json"] = f"{laid_out(values)}\n".encode()
        sections.append("metrics:\n- metrics.json\n")
    if "params" in fields:
        files["params.yaml"] = f"{laid_out(fields['params'])}\n".encode()
        sections.append("params:\n- params.yaml\n")
    if sections:
        files["dvc.yaml"] = "".join(sections).encode()
    return files


def _integer(digits: str) -> float:
    return int(digits) if abs(int(digits)) < 2**53 else float(digits)


class Second:
    """A second implementation: what FORMAT.md says, with git's own commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", str(root))

    def git(self, *args: str, data: bytes = b"", **env: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.root, input=data, env={**os.environ, **env},
            capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout.decode().strip()

    def blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", data=data)

    def tree(self, entries: dict[str, str], what: str = "100644 blob") -> str:
        lines = [f"{what} {oid}\t{name}\0" for name, oid in entries.items()]
        return self.git("mktree", "-z", "--missing", data="".join(lines).encode())

    def commit(
        self, tree: str, parents: Iterable[str], message: str, who: str, when: int
    ) -> str:
        name, _, email = who.rstrip(">").rpartition(" <")
        ident = {"NAME": name, "EMAIL": email, "DATE": f"@{when} +0000"}
        env = {f"GIT_AUTHOR_{key}": value for key, value in ident.items()}
        env |= {f"GIT_COMMITTER_{key}": value for key, value in ident.items()}
        options = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", *options, tree, data=message.encode(), **env)

    def project(
        self, body: bytes, payload: dict[str, Any] | None, gits: dict[str, str]
    ) -> tuple[str, dict[str, str]]:
        """FORMAT.md, the git commit: its oid and its tree."""
        files = tree_files(body, payload)
        blobs = {name: self.blob(data) for name, data in files.items()}
        fields = json.loads(body)
        edges = fields.get("edges", [])
        ordered = [e["id"] for role in FIRST for e in edges if e["role"] == role]
        ordered += [e["id"] for e in edges if e["role"] not in FIRST]
        parents = [gits[id_] for id_ in dict.fromkeys(ordered)]
        title = f"{fields['kind']} {fields['name']}"
        message = f"{title}\n\nLineage-Id: {sha256(body)}\n"
        oid = self.commit(
            self.tree(blobs), parents, message, "lineage <lineage@localhost>", 0
        )
        return oid, blobs


FIRST = ("follows", "revises")


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Second:
    """Make every commit of the vectors with the second implementation."""
    return Second(tmp_path_factory.mktemp("second"))


@pytest.fixture(scope="module")
def projected(second: Second) -> dict[str, tuple[bytes, str, dict[str, str]]]:
    """Give manifest, git oid and tree of each vector, as `second` makes them."""
    ids: dict[str, str] = {}
    gits: dict[str, str] = {}
    made = {}
    for title, vector in COMMITS.items():
        given = vector.get("given")
        body = manifest(given, ids) if given else vector["manifest"].encode()
        oid, blobs = second.project(body, given and given.get("payload"), gits)
        ids[title], gits[sha256(body)] = sha256(body), oid
        made[title] = (body, oid, blobs)
    return made


@pytest.mark.parametrize("title", COMMITS)
def test_commits_by_a_second_implementation(
    title: str, projected: dict[str, tuple[bytes, str, dict[str, str]]]
) -> None:
    """Manifest, id, every file of the tree, and git commit are those of the vector."""
    vector = COMMITS[title]
    body, oid, blobs = projected[title]

    assert body.decode() == vector["manifest"]
    assert sha256(body) == vector["id"]
    assert blobs == vector["tree"]
    assert oid == vector["git"]


@pytest.mark.parametrize("vector", NAMES, ids=[vector["name"] for vector in NAMES])
def test_names(vector: dict[str, str]) -> None:
    """Names are encoded as FORMAT.md says, here and in the store."""
    name, component = vector["name"], vector["component"]
    plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.@+=,!"
    quoted = "".join(
        chr(byte) if chr(byte) in plain else f"%{byte:02X}" for byte in name.encode()
    )
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]
    if quoted.endswith("."):
        quoted = quoted[:-1] + "%2E"
    if quoted.endswith(".lock"):
        quoted = quoted[:-5] + "%2Elock"

    assert quoted == component
    assert sha256(quoted.encode())[:2] == vector["bucket"]
    assert names.view_path(f"heads/{name}") == ("heads", vector["bucket"], component)


def event(given: dict[str, Any], prev: list[str]) -> bytes:
    """FORMAT.md, event.json."""
    fields = {key: value for key, value in given.items() if key != "moves"}
    commits = [COMMITS[title] for title in given.get("commits", [])]
    fields |= {
        "schema": "lineage/1",
        "prev": prev,
        "refs": [
            {"ref": m["ref"], "before": _id(m["before"]), "after": _id(m["after"])}
            for m in given["moves"]
        ],
        "commits": [{"id": commit["id"], "git": commit["git"]} for commit in commits],
        "subject": _id(given.get("subject")),
    }
    return encode({key: value for key, value in fields.items() if value}).encode()


def _id(title: str | None) -> str | None:
    return COMMITS[title]["id"] if title else None


def _place(ref: str) -> tuple[str, str, str]:
    space, _, name = ref.partition("/")
    component = names.encode(name)
    return space, sha256(component.encode())[:2], component


def event_message(body: bytes) -> str:
    fields = json.loads(body)
    moved = [ref["ref"].partition("/")[2] for ref in fields.get("refs", [])]
    title = f"{fields['type']} {', '.join(moved[:3])}".strip()
    if "message" in fields:
        title += ": " + fields["message"].split("\n")[0]
    lines = [title, ""]
    if "subject" in fields:
        lines.append(f"Lineage-Id: {fields['subject']}")
    return "\n".join([*lines, f"Lineage-Event: {sha256(body)}", ""])


def test_events_by_a_second_implementation(
    second: Second, projected: dict[str, tuple[bytes, str, dict[str, str]]]
) -> None:
    """Every event, its view and its git commit are those of the vectors."""
    view: dict[tuple[str, str, str], str] = {}
    prev: list[str] = []
    tip: list[str] = []
    for vector in EVENTS:
        body = event(vector["given"], prev)
        for move in vector["given"]["moves"]:
            view.pop(_place(move["ref"]), None)
            if move["after"]:
                view[_place(move["ref"])] = projected[move["after"]][1]
        root = {"event.json": second.blob(body)}
        made = _tree_of_event(second, root["event.json"], view)
        fields = json.loads(body)
        when = int(datetime.fromisoformat(fields["time"]).timestamp())
        name, email = fields["actor"]["name"], fields["actor"]["email"]
        who = f"{name.translate({60: '', 62: ''})} <{email}>"
        oid = second.commit(made, tip, event_message(body), who, when)
        listed = {"/".join(("view", *place)): oid for place, oid in view.items()}

        assert body.decode() == vector["event"]
        assert sha256(body) == vector["id"]
        assert {**root, **listed} == vector["tree"]
        assert oid == vector["git"]
        prev, tip = [vector["id"]], [oid]


def _tree_of_event(
    second: Second, blob: str, view: dict[tuple[str, str, str], str]
) -> str:
    """Make the tree from the leaves up; an event without names has no view."""
    if not view:
        return second.tree({"event.json": blob})
    buckets: dict[tuple[str, str], dict[str, str]] = {}
    for (space, bucket, component), oid in view.items():
        buckets.setdefault((space, bucket), {})[component] = oid
    spaces: dict[str, dict[str, str]] = {}
    for (space, bucket), leaves in buckets.items():
        spaces.setdefault(space, {})[bucket] = second.tree(leaves, "160000 commit")
    trees = {space: second.tree(made, "40000 tree") for space, made in spaces.items()}
    top = f"100644 blob {blob}\tevent.json\0"
    top += f"40000 tree {second.tree(trees, '40000 tree')}\tview\0"
    return second.git("mktree", "-z", data=top.encode())


# the store and the registry


def _record(registry: Registry, workplace: Path) -> dict[str, Any]:
    """Commit every vector that is made from files, as a user would."""
    made: dict[str, Any] = {}
    for number, (title, vector) in enumerate(GIVEN.items()):
        given = vector["given"]
        edges = [
            Edge(e["role"], made[e["to"]].id, e["evidence"], e.get("share"))
            for e in given.get("edges", [])
        ]
        payload = given.get("payload")
        made[title] = registry.commit(
            given["kind"],
            given["name"],
            payload and _write(payload, workplace / str(number)),
            edges=edges,
            reference=bool(payload) and not payload.get("stored", True),
            ref=f"runs/vectors/{number}",
            revise=False,
            **{field: given[field] for field in OPTIONS if field in given},
        )
    return made


def _write(payload: dict[str, Any], top: Path) -> Path:
    for file in payload["files"]:
        path = top / file["path"]
        if "text" not in file:
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file["text"].encode())
        path.chmod(int(file["mode"][-3:], 8))
    return path if payload["type"] == "file" else top


def test_commits_by_registries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two registries of other people, places and settings make the vectors' commits."""
    expected = {title: (v["id"], v["git"]) for title, v in GIVEN.items()}
    for name, mask in (("Ada", 0o022), ("Zoë", 0o077)):
        place = tmp_path / name / "deeper"
        monkeypatch.setenv("TZ", "Asia/Tokyo" if name == "Ada" else "UTC")
        before = os.umask(mask)
        try:
            with closing(lineage.init(place / "registry")) as registry:
                registry.git.run("config", "user.name", name)
                registry.git.run("config", "core.autocrlf", "true")
                registry.git.run("config", "i18n.commitEncoding", "ISO-8859-1")
                made = _record(registry, place / "files")
                registry.git.run("fsck", "--strict")
        finally:
            os.umask(before)

        assert {title: (c.id, c.git) for title, c in made.items()} == expected


@pytest.mark.parametrize("title", COMMITS)
def test_manifests_are_read_and_written_back(title: str) -> None:
    """The store reads each manifest and gives the same bytes and id."""
    commit = Commit.parse(COMMITS[title]["manifest"].encode())

    assert commit.id == COMMITS[title]["id"]
    assert commit.manifest.decode() == COMMITS[title]["manifest"]


@pytest.mark.usefixtures("projected")
def test_events_by_the_store(second: Second) -> None:
    """The store writes the vectors' events, and leaves the refs that they name."""
    git = GitRepository.discover(second.root)
    home = git.common / "lineage"
    home.mkdir()
    log = EventLog(git, home)
    with closing(git), log.locked() as lock:
        for vector in EVENTS:
            given = dict(vector["given"])
            moves = [
                Move(m["ref"], _target(m["before"]), _target(m["after"]))
                for m in given.pop("moves")
            ]
            commits = [COMMITS[title] for title in given.pop("commits", [])]
            made = Event(
                **{**given, "subject": _id(given.get("subject"))},
                commits=tuple((c["id"], c["git"]) for c in commits),
            )
            logged = log.append(made, moves, [], lock=lock)

            assert logged.event.encoded.decode() == vector["event"]
            assert (logged.event.id, logged.git) == (vector["id"], vector["git"])
    listed = second.git("for-each-ref", "--format=%(refname) %(objectname)")

    assert dict(line.split(" ") for line in listed.splitlines()) == VECTORS["refs"]
    second.git("fsck", "--strict")


def _target(title: str | None) -> Target | None:
    return Target(COMMITS[title]["id"], COMMITS[title]["git"]) if title else None


# FORMAT.md itself


def test_the_example_of_the_page_is_a_vector() -> None:
    """FORMAT.md shows the manifest, file list and names of the first vector."""
    page = (ROOT / "store" / "FORMAT.md").read_text(encoding="utf-8")
    first = COMMITS["one file"]
    files = file_lines(first["given"]["payload"]["files"]).decode()

    assert f"\n{first['manifest']}\n" in page
    assert f"\n{files}" in page
    assert first["id"] in page
    assert first["git"] in page
