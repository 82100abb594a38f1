"""The description of the API, and whether the server does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lineage
from lineage.server.app import create_app
from lineage.server.tokens import Tokens
from tests.server.conftest import serving

if TYPE_CHECKING:
    from lineage.registry import Registry

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "2"))  # of each operation
CONFIG = """\
[checks.positive_data_acceptance]
# No schema can say which revisions and names there are, or how long a body is.
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 413, 422, 503]

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 409, 412, 414, 415, 422, 431]

[[operations]]
include-path = "/api/v1/files/lacking"
# PUT there sends a file that has the address "lacking", which is none: 422.
checks.unsupported_method.enabled = false
"""
HOOKS = """\
import schemathesis

names = ("application/offset+octet-stream", "application/octet-stream")
schemathesis.serializer.alias(*names)
"""


def described(repo: Registry) -> dict[str, Any]:
    found: dict[str, Any] = create_app(repo.root).openapi()
    return found


def test_every_operation_is_described(repo: Registry) -> None:
    """Each says what it does, what it gives, and that errors are problems."""
    whole = described(repo)
    for path, operations in whole["paths"].items():
        for method, one in operations.items():
            where = f"{method} {path}"
            assert one["summary"], where
            assert one["description"].endswith("."), where
            assert one["tags"], where
            for status, response in one["responses"].items():
                assert response["description"], where
                if status >= "400" and method != "head":
                    assert "application/problem+json" in response["content"], where
    assert "HTTPValidationError" not in whole["components"]["schemas"]


def test_what_anybody_may_ask(repo: Registry) -> None:
    """All but the state of the server's health needs a token, and says so."""
    open_ = [
        path
        for path, operations in described(repo)["paths"].items()
        for one in operations.values()
        if not one.get("security")
    ]
    assert open_ == ["/api/v1/health"]


def test_nothing_that_is_sent_breaks_it(repo: Registry, tmp_path: Path) -> None:
    """Schemathesis finds no answer that the description does not allow.

    It sends what the schemas allow and what they do not, to every operation; with
    OPENAPI_EXAMPLES=100 much more of it, and every limit of every parameter.
    """
    note = tmp_path / "notes.txt"
    note.write_text("by hand\n")
    made = repo.commit("dataset", "notes", note, metrics={"size": 8})
    repo.commit("config", "settings", params={"seed": 1})
    del made
    with closing(lineage.open(repo.root)) as registry:
        secret, _ = Tokens(registry.home).create("Ada", "ada@example.com", ["admin"])
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    (tmp_path / "hooks.py").write_text(HOOKS)
    world = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(tmp_path)}
    program = Path(sys.executable).with_name("schemathesis")
    phases = "coverage,fuzzing" if EXAMPLES > 2 else "fuzzing"
    with serving(repo.root) as url:
        done = subprocess.run(
            [
                program,
                f"--config-file={config}",
                "run",
                f"{url}/api/v1/openapi.json",
                f"--header=Authorization: Bearer {secret}",
                f"--phases={phases}",
                f"--max-examples={EXAMPLES}",
                "--seed=7",
                "--no-color",
                "--suppress-health-check=all",
                "--request-timeout=20",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=world,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout, done.stdout
