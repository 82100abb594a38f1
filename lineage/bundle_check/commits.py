"""The commits of a bundle: each is what its id says, in its folder and in git."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lineage.bundle_check.archive import Bundle
from lineage.bundle_check.log import Log
from lineage.bundle_check.looked import Looked
from lineage.errors import LineageError
from lineage.store.canonical import digest
from lineage.store.files import FileEntry, Payload
from lineage.store.git import GitRepository
from lineage.store.git_objects import parse_tree
from lineage.store.objects import Commit
from lineage.store.projection import project

FOLDER = "data/commits/"
_NAME = re.compile(rf"{FOLDER}([0-9a-f]{{64}})/([a-z.]+)")
_SOME, _MORE = ("files.jsonl", "lineage.json"), ("metrics.json", "params.yaml")


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits that are sound, by id, and the files that they list, by SHA-256."""

    known: dict[str, Commit] = field(default_factory=dict)
    files: dict[str, list[FileEntry]] = field(default_factory=dict)


def check_commits(
    bundle: Bundle,
    git: GitRepository,
    log: Log,
    info: Mapping[str, str],
    looked: Looked,
) -> Commits:
    """Hold every commit of the log to its id, its folder and its git commit."""
    wanted = _SOME + (_MORE if info.get("Lineage-Payloads") != "none" else ())
    look = _Look(bundle, git, log, looked)
    for id_, oid in log.commits.items():
        looked.at("commit", "edge")
        try:
            look.commit(id_, oid)
        except LineageError as error:
            looked.found("commit", id_, f"cannot be read: {error}")
        look.folder(id_, oid, wanted)
    for name in bundle.sizes:
        found = _NAME.fullmatch(name)
        if name.startswith(FOLDER) and (
            found is None or found[1] not in log.commits or found[2] not in wanted
        ):
            looked.found("commit", name, "belongs to no commit of this log")
    return look.commits


class _Look:
    """Looks at one commit after the other."""

    def __init__(
        self, bundle: Bundle, git: GitRepository, log: Log, looked: Looked
    ) -> None:
        self._bundle = bundle
        self._git = git
        self._log = log
        self._looked = looked
        self.commits = Commits()

    def commit(self, id_: str, oid: str) -> None:
        """A commit as git has it.

        Raises:
            LineageError: when it cannot be read.
        """
        manifest = self._git.blob(f"{oid}:lineage.json")
        if manifest is None or digest(manifest) != id_:
            what = f"git's commit {oid} has no manifest with this SHA-256"
            self._looked.found("commit", id_, what)
            return
        commit = self.commits.known[id_] = Commit.parse(manifest)
        away = [parent for parent in commit.ids() if parent not in self._log.commits]
        for parent in away:
            self._looked.found("edge", id_, f"leads to {parent}, which is not here")
        entries: list[FileEntry] | None = []
        if commit.payload:
            entries = self._files(id_, oid, commit.payload)
        if entries is not None and not away:
            gits = {parent: self._log.commits[parent] for parent in commit.ids()}
            if project(commit, entries, gits).oid != oid:
                what = f"the git commit {oid} is not the one that its manifest makes"
                self._looked.found("commit", id_, what)

    def _files(self, id_: str, oid: str, payload: Payload) -> list[FileEntry] | None:
        """The files that git lists for it; None where that is not to be believed."""
        self._looked.at("files")
        try:
            entries = payload.entries(self._git.blob(f"{oid}:files.jsonl") or b"")
        except LineageError as error:
            self._looked.found("files", id_, str(error))
            return None
        if not payload.sums_up(entries):
            self._looked.found("files", id_, "the manifest does not sum up its files")
        self.commits.files[id_] = entries
        return entries

    def folder(self, id_: str, oid: str, wanted: Iterable[str]) -> None:
        """Its folder has just the bytes that git has."""
        tree = self._git.blob(f"{oid}^{{tree}}")
        there = parse_tree(tree) if tree else {}
        for file in wanted:
            name = f"{FOLDER}{id_}/{file}"
            check = "files" if file == "files.jsonl" else "commit"
            if (file in there) != (name in self._bundle.sizes):
                lacks = "is missing" if file in there else "is not in git"
                self._looked.found(check, name, lacks)
            elif file in there:
                held = self._git.blob(there[file].oid)
                if held is None or self._bundle.digests.get(name) != digest(held):
                    what = "is not byte for byte what git has"
                    self._looked.found(check, name, what)
