"""A bundle in somebody else's hands: taken apart, changed, and put together again."""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zipfile import ZIP_DEFLATED, ZipFile

from lineage.store.event_commit import signed
from lineage.store.events import EventLog
from lineage.store.git import GitRepository
from lineage.store.objects import Event
from lineage.store.signing import sign
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TAGS, PAYLOAD = "tagmanifest-sha256.txt", "manifest-sha256.txt"
SIGNATURE = f"{TAGS}.sig"
EVENTS = "refs/lineage/events"


@dataclass
class Bag:
    """The files of a bundle by name; `top` is its one folder."""

    top: str
    files: dict[str, bytes]

    @classmethod
    def read(cls, path: Path) -> Self:
        with ZipFile(path) as archive:
            names = archive.namelist()
            top = names[0].partition("/")[0]
            files = {n.removeprefix(f"{top}/"): archive.read(n) for n in names}
        return cls(top, files)

    def write(self, path: Path) -> Path:
        with ZipFile(path, "w", ZIP_DEFLATED) as archive:
            for name, data in sorted(self.files.items()):
                archive.writestr(f"{self.top}/{name}", data)
        return path

    def data(self) -> bytes:
        """The bytes of the zip file."""
        out = BytesIO()
        with ZipFile(out, "w", ZIP_DEFLATED) as archive:
            for name, data in sorted(self.files.items()):
                archive.writestr(f"{self.top}/{name}", data)
        return out.getvalue()

    # what anybody can do

    def seal(self) -> None:
        """Make both lists anew, so that they are those of the files here."""
        data = [name for name in self.files if name.startswith("data/")]
        whole = sum(len(self.files[name]) for name in data)
        self.info("Payload-Oxum", f"{whole}.{len(data)}")
        self.relist(PAYLOAD)
        self.relist(TAGS)

    def relist(self, name: str) -> None:
        """Make one of the lists anew."""
        data = {name for name in self.files if name.startswith("data/")}
        tags = self.files.keys() - {*data, TAGS, SIGNATURE}
        self.files[name] = self._list(data if name == PAYLOAD else tags)

    def _list(self, names: Iterable[str]) -> bytes:
        digests = {name: sha256(self.files[name]).hexdigest() for name in names}
        return "".join(f"{d}  {n}\n" for n, d in sorted(digests.items())).encode()

    def info(self, label: str, value: str) -> None:
        """Let bag-info.txt say something else."""
        lines = self.files["bag-info.txt"].decode().splitlines()
        told = [
            f"{label}: {value}" if line.startswith(f"{label}: ") else line
            for line in lines
        ]
        self.files["bag-info.txt"] = "".join(f"{line}\n" for line in told).encode()

    def sign(self, key: Path, namespace: str = "lineage-report") -> None:
        """Seal it, and sign that with a key."""
        self.seal()
        self.files[SIGNATURE] = sign(self.files[TAGS], key, namespace)

    # what is in it

    @property
    def report(self) -> Any:
        return json.loads(self.files["data/report.json"])

    def swap(self, name: str, old: str, new: str) -> None:
        """Change a piece of a file that has to be there."""
        assert old.encode() in self.files[name], f"{old!r} is not in {name}"
        self.files[name] = self.files[name].replace(old.encode(), new.encode(), 1)

    def one(self, start: str, end: str = "") -> str:
        """The first file by its beginning and end."""
        return min(n for n in self.files if n.startswith(start) and n.endswith(end))

    def commit(self, kind: str, name: str) -> str:
        """The newest commit of a name, as the report has it."""
        known = [a for a in self.report["artifacts"] if a["name"] == name]
        return str([a["id"] for a in known if a["kind"] == kind][-1])

    @property
    def events(self) -> list[Event]:
        """The events, oldest first."""
        ids = [line.split()[0] for line in self.lines]
        return [Event.parse(self.files[f"data/log/events/{i}.json"]) for i in ids]

    @property
    def lines(self) -> list[str]:
        return self.files["data/log/events.txt"].decode().splitlines()

    def drop_line(self, event: str) -> None:
        """Take an event off the list."""
        left = [line for line in self.lines if not line.startswith(event)]
        self.files["data/log/events.txt"] = "".join(f"{x}\n" for x in left).encode()

    # what takes git

    @contextmanager
    def git(self) -> Iterator[GitRepository]:
        """What the bundle of git holds; its refs go back into it at the end."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "in").write_bytes(self.files["data/registry.bundle"])
            run_git(root, "init", "--quiet", "--bare", str(root / "git"))
            bare = root / "git"
            run_git(bare, "fetch", "--quiet", str(root / "in"), "refs/*:refs/*")
            with closing(GitRepository(bare, bare)) as repository:
                yield repository
            out = ("bundle", "create", "--quiet", "--version=2", str(root / "out"))
            run_git(bare, *out, "--all")
            self.files["data/registry.bundle"] = (root / "out").read_bytes()

    def rewrite(
        self,
        change: Callable[[list[Event]], list[Event]],
        signer: Callable[[Event], Path | None],
        *,
        chained: bool = True,
    ) -> None:
        """Write the whole log anew, as whoever has the keys can."""
        with self.git() as git:
            made = _written(git, change(self.events), signer, chained=chained)
            run_git(git.root, "update-ref", EVENTS, made[-1][1])
        self.keep_log([event for event, _ in made], [oid for _, oid in made])

    def keep_log(self, events: list[Event], oids: list[str]) -> None:
        """Let the list, the files and the facts about the newest event be these."""
        pairs = zip(events, oids, strict=True)
        lines = "".join(f"{event.id} {oid}\n" for event, oid in pairs)
        self.files["data/log/events.txt"] = lines.encode()
        for name in [n for n in self.files if n.startswith("data/log/events/")]:
            del self.files[name]
        for event in events:
            self.files[f"data/log/events/{event.id}.json"] = event.encoded
        newest, report = events[-1], self.report
        self.info("Lineage-Event", newest.id)
        self.info("Bagging-Date", newest.time[:10])
        report["as_of"] = {"event": newest.id, "time": newest.time, "type": newest.type}
        self.keep_report(report)

    def keep_report(self, report: Any) -> None:
        from lineage.bundle.encoding import encode

        self.files["data/report.json"] = encode(json.dumps(report))


def _written(
    git: GitRepository,
    events: list[Event],
    signer: Callable[[Event], Path | None],
    *,
    chained: bool,
) -> list[tuple[Event, str]]:
    log = EventLog(git, git.root / "none")
    brought = {id_: oid for event in events for id_, oid in event.commits}

    def target(id_: str | None) -> Target | None:
        return Target(id_, brought[id_]) if id_ else None

    made: list[tuple[Event, str]] = []
    for given in events:
        before = made[-1:]
        event = (
            replace(given, prev=tuple(e.id for e, _ in before)) if chained else given
        )
        moves = [Move(r, target(b), target(a)) for r, b, a in event.refs]
        objects = log.objects(event, moves, [oid for _, oid in before])
        if key := signer(event):
            objects[-1] = signed(objects[-1], sign(objects[-1].data, key))
        git.write(objects)
        made.append((event, objects[-1].oid))
    return made


def run_git(folder: Path, *words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
