"""Git's transport: what a remote has, bringing it here, sending ours.

The real git does it, with the user's credentials, ssh, proxies and rewritten URLs:
what the environment says of these gets through, and nothing else of git's. It is
never waited for at a prompt of git's own; what arrives is checked by ``git fsck``.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lineage.errors import StoreError
from lineage.store.git import GitRepository
from lineage.store.git_environment import environment

Told = Callable[[str], None]
"""Called with git's own words on how far a transfer is."""

_PASSED = re.compile(
    r"GIT_(SSH|ASKPASS|PROXY|SSL|HTTP|CURL|TRACE|ALLOW_PROTOCOL|PROTOCOL"
    r"|TERMINAL_PROMPT|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY|VALUE))"
)
_STRICT = ("fetch.fsckObjects=true", "transfer.fsckObjects=true")
_ALONE = ("core.hooksPath=/dev/null", "fetch.writeCommitGraph=false")
_FETCH = (
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--no-tags",
    "--no-prune",
    "--refmap=",
    "--force",
    "--progress",
)
_PUSH = ("--no-recurse-submodules", "--no-follow-tags", "--no-verify", "--progress")
_PROGRESS = re.compile(r"(?:remote: )?(\w[\w ]+: +\d+%? ?\(?[^,]*)")
_TALK = re.compile(
    r"warning:|hint:|Cloning into|To |From |remote: (?:Enum|Count|Compress|Total)"
    r"|fatal: Could not read from remote|Please make sure you|and the repository exists"
)
_MOST = 1000  # refs on one command line


class Rejected(StoreError):
    """The remote did not take a push; what it had before is as it was."""


def listing(where: Path, url: str, *patterns: str) -> dict[str, str]:
    """The refs of a remote, as `where` (any folder) reaches it, with their oids.

    Raises:
        StoreError: when it cannot be reached, in git's words.
    """
    said = _git(where, "ls-remote", "--quiet", "--end-of-options", url, *patterns)
    lines = said.decode(errors="surrogateescape").split("\n")[:-1]
    pairs = (line.split("\t") for line in lines)
    return {ref: oid for oid, ref in pairs}


def fetch(
    where: Path,
    url: str,
    refs: Mapping[str, str],
    *,
    told: Told | None = None,
    lock: int,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Bring the refs that match the keys to the names that the values say.

    `headers` go with each request to `url`, where that is a web server, and to no
    other address.

    Raises:
        StoreError: when git cannot, or an object is not as it should be.
    """
    specs = [f"+{theirs}:{here}" for theirs, here in refs.items()]
    words = ("fetch", *_FETCH, "--end-of-options", url, *specs)
    shown = _shown(url, headers) if headers else {}
    _git(where, *words, options=_STRICT, told=told, keep=(lock,), shown=shown)


def push(
    where: Path,
    url: str,
    refs: Mapping[str, str | None],
    lease: tuple[str, str | None],
    *,
    told: Told | None = None,
) -> None:
    """Give the remote's refs these oids (None: away), all or none, in their order.

    `lease` is a ref with the oid that it must still have there. Where there are
    too many for one command line, what comes first goes ahead by itself.

    Raises:
        Rejected: when the remote did not take it.
        StoreError: when it cannot be reached.
    """
    ref, before = lease
    specs = [f"+{oid or ''}:{name}" for name, oid in refs.items() if name != ref]
    leased = [f"--force-with-lease={ref}:{before or ''}", "--atomic"]
    while len(specs) > _MOST:
        _push(where, url, specs[:_MOST], ["--atomic"], told)
        del specs[:_MOST]
    _push(where, url, [*specs, f"{refs[ref]}:{ref}"], leased, told)


def _push(
    where: Path, url: str, specs: list[str], options: list[str], told: Told | None
) -> None:
    words = ("push", *_PUSH, *options, "--end-of-options", url, *specs)
    try:
        _git(where, *words, told=told)
    except StoreError as error:
        if "rejected]" in str(error) or "remote failure]" in str(error):
            raise Rejected(str(error)) from None
        raise


def clone(
    where: Path,
    url: str,
    folder: Path,
    *,
    told: Told | None = None,
    locks: tuple[int, ...] = (),
) -> None:
    """Clone what people work on, branches and tags of git, into a new folder.

    Every object is sent as to another machine: links into the other repository would
    bring its damage along.
    """
    words = ("clone", "--no-local", "--progress", "--end-of-options", url, str(folder))
    _git(where, *words, told=told, keep=locks)


def url_of_git_remote(git: GitRepository, name: str) -> str | None:
    """The URL of the user's own git remote of that name, if there is one."""
    try:
        said = git.run("config", "--get", f"remote.{name}.url")
    except StoreError:
        return None
    return said.decode().strip() or None


def _git(
    where: Path,
    *args: str,
    options: Iterable[str] = (),
    told: Told | None = None,
    keep: tuple[int, ...] = (),
    shown: Mapping[str, str] | None = None,
) -> bytes:
    settings = [w for option in (*_ALONE, *options) for w in ("-c", option)]
    with subprocess.Popen(
        ["git", "-C", str(where), *settings, *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if args[0] == "ls-remote" else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**transport_environment(), **(shown or {})},
        pass_fds=keep,
    ) as process:
        try:
            out, words = _talk(process, told)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _failure(args[0], words)
    return out


def _talk(
    process: "subprocess.Popen[bytes]", told: Told | None
) -> tuple[bytes, list[str]]:
    """What git writes; lines on how far it is go to `told`."""
    if process.stdout is not None:
        out, err = process.communicate()
        return out, err.decode(errors="replace").splitlines()
    words: list[str] = []
    assert process.stderr is not None
    rest = b""
    while chunk := os.read(process.stderr.fileno(), 1 << 16):
        *lines, rest = re.split(rb"[\r\n]", rest + chunk)
        for line in lines:
            text = line.decode(errors="replace").strip()
            if shown := _PROGRESS.fullmatch(text.partition(",")[0]):
                (told or (lambda _: None))(shown[1])
            elif text:
                words.append(text)
    return b"", [*words, rest.decode(errors="replace")]


def _failure(command: str, words: list[str]) -> StoreError:
    """What git said of its failure, without what it says of its success."""
    kept = [word for word in words if word.strip() and not _TALK.match(word)]
    said = "; ".join(word.removeprefix("fatal: ") for word in kept)
    hint = "see whether the address is right, and whether you may go there"
    if "No space left" in said:
        hint = "make room, then run the command again"
    return StoreError(f"git {command}: {said or 'it did not say why'}", hint=hint)


def _shown(url: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Settings that make git send `headers`, where no list of processes shows them."""
    given = transport_environment()
    count = int(given.get("GIT_CONFIG_COUNT") or 0)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    pairs = [(f"http.{url}.extraHeader", line) for line in lines]
    pairs += [("http.followRedirects", "false"), ("credential.helper", "")]
    settings: dict[str, str] = {"GIT_CONFIG_COUNT": str(count + len(pairs))}
    for place, (key, value) in enumerate(pairs, count):
        settings[f"GIT_CONFIG_KEY_{place}"] = key
        settings[f"GIT_CONFIG_VALUE_{place}"] = value
    return settings


def transport_environment() -> dict[str, str]:
    """The caller's environment, with what leads git to other machines."""
    passed = {k: v for k, v in os.environ.items() if _PASSED.match(k)}
    return {**environment(), **passed}
