"""Proofs of inclusion, checked by the scripts of docs/blame.md as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.blame.merkle import leaf
from lineage.blame.proof import prove
from lineage.errors import NotAllowed, VerificationError
from lineage.keys.making import make
from lineage.records import rows
from lineage.records.values import canonical_record
from lineage.statements import statements
from lineage.verify import verify
from tests.tools import needs_openssh

if TYPE_CHECKING:
    from lineage import Registry
    from tests.lineage.blame.conftest import Loop, Write

PAGE = Path(__file__).parents[3] / "docs" / "blame.md"
CHECK, ROOT = re.findall(
    r"```python [^\n]*\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
)


def _checked(proof: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """What the script of the page says of a proof."""
    Path("proof.json").write_text(json.dumps(proof), encoding="utf-8")
    return _ran(CHECK, "proof.json")


def _ran(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-O", "-c", script, *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_proof_convinces_and_a_false_one_does_not(repo: Registry, loop: Loop) -> None:
    """The script takes the proof of each record, and none that was tampered with."""
    for number in (1, 4, 6):
        proof = prove(repo, loop.mixed, number).data
        told = _checked(proof)
        assert told.returncode == 0, told.stderr
        assert told.stdout == (
            f"record {number} of 6 of dataset {loop.mixed}, "
            f"as stated by event {proof['event_id']}\n"
        )
    event = json.loads(proof["event"])
    forged = {**event, "data": {**event["data"], "count": 7}}
    for change in (
        {"record": proof["record"].replace("person", "machine")},
        {"index": 4},
        {"index": 6},
        {"index": -1},
        {"count": 5},
        {"path": proof["path"][:-1]},
        {"path": [*proof["path"], proof["path"][0]]},
        {"path": proof["path"][::-1]},
        {"record": "{}", "path": ["00", _bottom(repo, loop.mixed), proof["path"][1]]},
        {"dataset": loop.checked},
        {"manifest": repo.load(loop.checked).manifest.decode()},
        {"event": json.dumps({**event, "type": "review"})},
        {"event": json.dumps({**event, "subject": loop.checked})},
        {"event": json.dumps(forged)},
    ):
        assert _checked({**proof, **change}).returncode == 1, change


def _bottom(registry: Registry, id_: str) -> str:
    """Both leaves of the last node, as if they were one that is beside nothing."""
    leaves = [leaf(canonical_record(row.data)) for row in rows(registry, id_)]
    return (leaves[4] + leaves[5]).hex()


def test_the_root_comes_out_of_the_data(repo: Registry, loop: Loop) -> None:
    """The other script makes the same root of the files that `get` gives."""
    repo.get(loop.mixed, "got")
    assert _ran(ROOT, "got").stdout.strip() == prove(repo, loop.mixed, 1).data["root"]


def test_one_event_states_the_root(repo: Registry, loop: Loop) -> None:
    """The first proof makes the statement, the second uses it; it names the files."""
    first, second = (prove(repo, loop.mixed, number) for number in (1, 2))
    assert (first.stated, second.stated) == (True, False)
    [logged] = statements(repo, loop.mixed, "records")
    payload = repo.load(loop.mixed).payload
    assert payload is not None
    assert logged.event.data == {
        "tree": "rfc6962",
        "hash": "sha256",
        "count": 6,
        "root": second.data["root"],
        "payload": payload.files,
    }
    assert second.data["event_id"] == logged.event.id
    assert "signed" not in second.data
    assert verify(repo).problems == []


def test_the_past_states_nothing_new(repo: Registry, loop: Loop) -> None:
    """As of an event, a proof uses what had been stated, and states nothing."""
    before = next(repo.events())[0]
    with (
        lineage.open(repo.root, at=before) as then,
        pytest.raises(NotAllowed, match="this is the registry as of event"),
    ):
        prove(then, loop.mixed, 1)
    root = prove(repo, loop.mixed, 1).data["root"]
    after = next(repo.events())[0]
    repo.attest("review", subject=loop.mixed)
    with lineage.open(repo.root, at=after) as then:
        assert prove(then, loop.mixed, 1).data["root"] == root


def test_another_root_is_refused(repo: Registry, loop: Loop) -> None:
    """What states another root than the records have proves nothing."""
    made = prove(repo, loop.mixed, 1).data
    data = json.loads(made["event"])["data"]
    repo.attest("records", subject=loop.mixed, data={**data, "root": "00" * 32})
    with pytest.raises(VerificationError, match="states the root 000000000000, and"):
        prove(repo, loop.mixed, 1)


@needs_openssh
@pytest.mark.usefixtures("own_config")
def test_a_signed_statement_is_checked_with_openssh(repo: Registry, loop: Loop) -> None:
    """In a registry with keys the proof has the signature, which ssh-keygen takes."""
    path = make(repo, "Ada", "ada@example.com", passphrase=False).path
    signed = prove(repo, loop.mixed, 2).data["signed"]
    kind, blob = path.with_name(f"{path.name}.pub").read_text().split()[:2]
    Path("signers").write_text(f"ada@example.com {kind} {blob}\n")
    Path("over.sig").write_text(signed["signature"])
    command = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-n", "git"]
    command += ["-I", "ada@example.com", "-s", "over.sig"]
    for over, code in ((signed["over"], 0), (signed["over"] + "x", 255)):
        done = subprocess.run(
            command, input=over.encode(), capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
    event = prove(repo, loop.mixed, 2).data["event_id"]
    assert signed["over"].endswith(f"\nLineage-Event: {event}\n")


def test_any_format_has_a_root(repo: Registry, dataset: Write) -> None:
    """The leaves are canonical JSON, however the file has the records."""
    rows_ = [{"n": str(n), "text": f"größe {n}"} for n in range(3)]
    text = "\n".join(["n,text", *(",".join(row.values()) for row in rows_)])
    first = dataset("csv", {"a.csv": text.encode()})
    second = dataset("json", {"a.json": json.dumps(rows_).encode()})
    proofs = [prove(repo, id_, 3).data for id_ in (first, second)]
    assert proofs[0]["root"] == proofs[1]["root"]
    assert json.loads(proofs[0]["record"]) == rows_[2]
    assert [row.identity for row in rows(repo, first)] == [
        row.identity for row in rows(repo, second)
    ]
