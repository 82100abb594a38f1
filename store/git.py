"""The only door to git objects and refs.

Objects are written loose, in one batch with one sync, or as one pack; refs move
through one ``git update-ref`` process, compare-and-swap. Reading goes through one
``git cat-file --batch`` that lives as long as the repository is open. The user's
index, work tree, branches, hooks and config are never touched, and GIT_* variables
of the caller never leak in.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Self

from lineage.errors import NotFound, StoreError
from lineage.store.disk import full, held
from lineage.store.git_environment import environment
from lineage.store.git_loose import Loose
from lineage.store.git_objects import GitObject
from lineage.store.git_pack import pack
from lineage.store.git_reader import Reader
from lineage.store.locks import PACKED, OwnLocks, not_moved
from lineage.store.threads import Mutex

_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsync=committed,loose-object")
_BATCH = ("-c", "core.fsyncMethod=batch")
_OID = re.compile(rb"[0-9a-f]{40}")
HOME = "lineage"  # the folder of our own files in git's common one
_MANY = 64  # objects, which then become a pack
_PATIENT = ("core.filesRefLockTimeout=1000", "core.packedRefsTimeout=1000")  # ms


class GitRepository:
    """One git repository with a work tree, as lineage uses it.

    `spare` says how to throw it away, where nothing in it is anybody's only copy.
    """

    spare = ""

    def __init__(self, root: Path, common: Path) -> None:
        self.root = root
        self.common = common
        self.home = common / HOME
        self._loose = Loose(common / "objects")
        self._locks = OwnLocks(common, self.home)
        self.mutex = Mutex()  # of all that threads share of this repository
        self._reader = Reader(self._start_reader, self.mutex)

    @classmethod
    def create(cls, root: Path) -> Self:
        """The repository at `root` itself; made by GitPython where there is none."""
        with suppress(NotFound):
            found = cls.discover(root)
            if found.root == root.resolve():
                return found
            _check_untracked(found, root.resolve())
        asked = ["git", "-C", str(root), "rev-parse", "--is-inside-git-dir"]
        told = subprocess.run(
            asked, capture_output=True, env=environment(), check=False
        )
        if told.stdout == b"true\n":
            raise StoreError(f"{root} is git's own folder", hint="choose another one")
        import git

        # a hook's GIT_DIR would lead `git init` elsewhere
        own = {"GIT_DIR": str(root / ".git"), "GIT_WORK_TREE": str(root)}
        own["GIT_OBJECT_DIRECTORY"] = str(root / ".git" / "objects")
        try:
            git.Git(root).init("--quiet", env=own)
        except git.GitCommandError as error:
            words = error.stderr.strip().removeprefix("stderr: ").strip("'")
            raise full(root, words) or StoreError(f"git init failed: {words}") from None
        return cls.discover(root)

    @classmethod
    def discover(cls, start: Path) -> Self:
        """Find the repository that `start` lies in, as git does.

        Raises:
            NotFound: when there is none, or it has no work tree.
            StoreError: when git refuses to open it.
        """
        asked = ("rev-parse", "--show-object-format", "--git-common-dir")
        done = subprocess.run(
            ["git", "-C", str(start), *asked, "--show-toplevel"],
            capture_output=True,
            env=environment(),
            check=False,
        )
        if done.returncode:
            raise _not_found(start, done.stderr.decode(errors="replace").strip())
        said = os.fsdecode(done.stdout)[:-1]
        algorithm, common, top = said.split("\n", 2)  # `top` may hold a line break
        if algorithm != "sha1":
            message = f"{top} is a git repository with {algorithm} objects"
            raise StoreError(message, hint="DVC works in sha1 repositories only")
        return cls(Path(top), Path(start, common).resolve())

    def run(
        self,
        *args: str,
        data: bytes = b"",
        keep: tuple[int, ...] = (),
        options: Iterable[str] = (),
    ) -> bytes:
        """Run git in this repository and return what it printed.

        Raises:
            StoreError: with git's own last words, when it fails.
        """
        done = subprocess.run(
            ["git", "-C", str(self.root), *_SAFE, *_BATCH, *options, *args],
            input=data,
            capture_output=True,
            env=environment(),
            pass_fds=keep,
            check=False,
        )
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip() or "it did not say why"
            cause = full(self.common, words)
            hint = "" if cause else self.spare
            raise StoreError(f"git {args[0]} failed: {words}", hint=hint) from cause
        return done.stdout

    def mend(self, otherwise: str = "run `git fsck`; another clone may have it") -> str:
        """What to do about damage: throw a spare repository away."""
        return self.spare or otherwise

    # reading

    def ref(self, name: str) -> str | None:
        """The oid that a ref has at this moment.

        The reading process is not asked: git takes packed refs for unchanged when
        they are packed twice within one second.
        """
        try:
            if (said := held(self.common / name)) is not None:
                if not _OID.fullmatch(said.strip()):
                    hint = "put back the oid that it had, or fetch it from a clone"
                    what = f"the ref {name} is damaged"
                    raise StoreError(what, hint=self.mend(hint))
                return said.strip().decode()
            packed = held(self.common / "packed-refs")
            line = rf"^([0-9a-f]+) {re.escape(name)}$".encode()
            if packed and (found := re.search(line, packed, re.MULTILINE)):
                return found[1].decode()
            if not (self.common / "reftable").exists():
                return None
        except OSError:  # git says what is wrong
            pass
        listed = self.run("for-each-ref", "--format=%(objectname)", name)
        return listed.decode().strip() or None

    def read(self, name: str) -> tuple[str, GitObject] | None:
        """The oid and object that `name` means ("refs/…", "OID:path"), or None."""
        return next(self.read_many([name]))

    def read_many(self, names: Iterable[str]) -> Iterator[tuple[str, GitObject] | None]:
        """Like `read` for many names, with few waits between question and answer."""
        remaining = iter(names)
        while batch := list(islice(remaining, 64)):
            yield from self._reader.ask(batch)

    def _start_reader(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["git", "-C", str(self.root), "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )

    def blob(self, name: str) -> bytes | None:
        """The bytes that `name` means, or None."""
        found = self.read(name)
        return found[1].data if found else None

    def configured(self) -> tuple[int, ...]:
        """What is another whenever git has written this repository's configuration."""
        try:
            stat = (self.common / "config").stat()
        except OSError:
            return ()
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def shallow(self) -> list[str]:
        """The commits before which git was told to fetch nothing."""
        try:
            return (self.common / "shallow").read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []

    def close(self) -> None:
        """End the reading process."""
        self._reader.close()

    # writing

    def write(self, objects: Iterable[GitObject]) -> None:
        """Write objects that are not there yet, all of them on disk on return.

        Many become one pack: as many files would slow down every git that starts. Call
        it under the registry's lock: what a killed writer left is swept.
        """
        new = {item.oid: item for item in objects}
        if len(new) > _MANY:
            self.run("index-pack", "--stdin", data=pack(new.values()))
        else:
            self._loose.write(new)

    def update_refs(
        self, *steps: Mapping[str, tuple[str | None, str | None]], lock: int
    ) -> None:
        """Move refs, one transaction per step, in one git process.

        Each step maps a ref to its oids (before, after). An `after` of None deletes;
        a `before` of None is not checked, "" means that the ref must be new. `lock` is
         the caller's lock descriptor: git inherits it, so that the lock outlives
        us if we are killed while git still writes.

        Raises:
            Conflict: when a ref did not have its `before`; that step and the steps
                after it changed nothing.
            StoreError: when git failed, or another git holds one of the refs.
        """
        lines = [line for step in steps if step for line in _transaction(step)]
        options = [word for setting in _PATIENT for word in ("-c", setting)]
        self._locks.sweep()
        if not lines:
            return
        self._locks.write_down(_locked(steps))
        try:
            data = "".join(lines).encode(errors="surrogateescape")
            self.run("update-ref", "--stdin", data=data, keep=(lock,), options=options)
        except StoreError as error:
            if "fatal: " in str(error):  # its last word, not that of a killed git
                self._locks.done()
            raise not_moved(error) from error.__cause__
        self._locks.done()

    def sweep(self) -> None:
        """Remove the copies that killed writers left; call it under the lock."""
        self._loose.sweep()

    def sweep_old(self) -> None:
        """Remove what a git that was killed, or met a full disk, left a day ago."""
        self._loose.sweep_old()

    def maintain(self) -> None:
        """Let git pack loose objects and write its commit graph."""
        self.sweep_old()
        tasks = ("loose-objects", "incremental-repack", "commit-graph")
        chosen = [f"--task={task}" for task in tasks]
        with suppress(StoreError):  # somebody else may be at it; it is only tidying
            self.run("maintenance", "run", "--quiet", *chosen)


def identity(start: Path) -> dict[str, str]:
    """The user's name and email as git config has them at `start`, where it does."""
    asked = ("config", "--null", "--get-regexp", r"^user\.(name|email)$")
    done = subprocess.run(
        ["git", "-C", str(start), *asked],
        capture_output=True,
        env=environment(),
        check=False,
    )
    found = done.stdout.decode(errors="replace")
    pairs = (item.partition("\n") for item in found.split("\0") if item)
    return {key.removeprefix("user."): value for key, _, value in pairs}


def _transaction(step: Mapping[str, tuple[str | None, str | None]]) -> Iterator[str]:
    zero = "0" * 40
    yield "start\n"
    for ref, (before, after) in step.items():
        expected = "" if before is None else f" {before or zero}"
        yield f"update {ref} {after or zero}{expected}\n"
    yield "prepare\ncommit\n"


def _locked(steps: Iterable[Mapping[str, tuple[str | None, str | None]]]) -> set[str]:
    """What git locks for `steps`: their refs, and for a deletion all packed ones."""
    ends = [(ref, after) for step in steps for ref, (_, after) in step.items()]
    packed = {PACKED} if any(after is None for _, after in ends) else set()
    return {ref for ref, _ in ends} | packed


def _check_untracked(git: GitRepository, folder: Path) -> None:
    """A repository of its own would take the folder's files from this one."""
    inside = str(folder.relative_to(git.root))
    if git.run("ls-files", "--", inside, options=("--literal-pathspecs",)):
        message = f"git tracks files of {folder} in the repository {git.root}"
        hint = f"`lineage init {shlex.quote(str(git.root))}` makes that a registry"
        raise StoreError(message, hint=hint)


def _not_found(start: Path, words: str) -> StoreError | NotFound:
    if "not a git repository" in words or "cannot change to" in words:
        hint = "run `lineage init` in the folder that should become one"
        return NotFound(f"{start} is not inside a lineage registry", hint=hint)
    if "work tree" in words:
        return NotFound(f"{start} is in a git repository without a work tree")
    if "dubious ownership" in words:
        command = words.rpartition("\t")[2]  # git says it last
        hint = f"where you trust them: `{command}`"
        return StoreError(f"{start} belongs to another user", hint=hint)
    return StoreError(f"git refuses to open {start}: {words}")
