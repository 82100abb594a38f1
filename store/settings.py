"""What a clone is told once: ``<home>/config``, and the user's own file above it.

Both files are in git's config format and are read and written by ``git config``,
so that comments, quotes and ``include`` work as people know them. Keys look like
``index.url`` and ``remote.origin.url``. What the caller gives wins over the clone's
file, and that over the user's.
"""

import subprocess
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from lineage.errors import StoreError, UsageError
from lineage.store.disk import disk_errors, locked
from lineage.store.git_environment import environment

# as git has them
_SWITCH = dict.fromkeys(("true", "yes", "on", "1"), True)
_SWITCH |= dict.fromkeys(("false", "no", "off", "0"), False)


def user_file() -> Path:
    """Where the user's own settings are, for all registries."""
    import platformdirs

    return Path(platformdirs.user_config_dir("lineage"), "config")


class Settings:
    """The settings of one clone; `given` are those of the caller."""

    def __init__(self, home: Path, given: Mapping[str, str] | None = None) -> None:
        self._own = home / "config"
        self._lock = home / "settings.lock"
        self._given = dict(given or {})

    def get(self, key: str) -> str | None:
        """The value of a key such as ``index.url``, or None."""
        return self.all.get(key)

    def flag(self, key: str) -> bool:
        """Whether a switch such as ``pack.auto`` is on; it is off unless somebody says.

        Raises:
            UsageError: when its value is neither.
        """
        text = self.get(key) or "off"
        if text.lower() not in _SWITCH:
            message = f"{key} is {text!r}, which is neither on nor off"
            raise UsageError(message, hint=f"`lineage config {key} on` turns it on")
        return _SWITCH[text.lower()]

    def section(self, prefix: str) -> dict[str, str]:
        """All keys below a prefix such as ``remote.``, with their values."""
        return {k: v for k, v in self.all.items() if k.startswith(prefix)}

    @cached_property
    def all(self) -> dict[str, str]:
        """Every key with the value that holds, sorted."""
        files = (user_file(), self._own)
        merged = [pair for path in files for pair in _read(path).items()]
        return dict(sorted({**dict(merged), **self._given}.items()))

    def set(self, key: str, value: str) -> None:
        """Write a value into the clone's file.

        Raises:
            UsageError: when the key is not written as ``section.name``.
        """
        self._change(key, value)

    def unset(self, *keys: str) -> None:
        """Remove keys from the clone's file; one that is not there is no error."""
        for key in keys:
            if key in _read(self._own):
                self._change("--unset-all", key)

    def _change(self, *words: str) -> None:
        with disk_errors("writing the settings"), locked(self._lock) as lock:
            # git's own lock, left by one that was killed: we hold ours, as it did
            self._own.with_name(f"{self._own.name}.lock").unlink(missing_ok=True)
            done = _git(self._own, *words, keep=(lock,))
        self.__dict__.pop("all", None)
        if done.returncode in (1, 2):
            message = _said(done) or f"{words[0]!r} is no key"
            raise UsageError(message, hint="keys look like `index.url`")
        if done.returncode:
            raise StoreError(f"{self._own} cannot be written: {_said(done)}")


def _read(path: Path) -> dict[str, str]:
    """What a file says; the last value where a key is there several times."""
    if not path.is_file():
        return {}
    done = _git(path, "--list", "--null", "--includes")
    if done.returncode:
        message = f"{path} cannot be read: {_said(done)}"
        raise StoreError(message, hint="mend the file")
    items = done.stdout.decode(errors="replace").split("\0")
    pairs = (item.partition("\n") for item in items if item)
    return {key: value for key, _, value in pairs}


def _git(
    path: Path, *words: str, keep: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "config", "--file", str(path), *words]
    return subprocess.run(
        command, capture_output=True, env=environment(), pass_fds=keep, check=False
    )


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What git complains of, without the word that our own sentence begins with."""
    said = done.stderr.decode(errors="replace").strip()
    return said.removeprefix("error: ").removeprefix("fatal: ")
