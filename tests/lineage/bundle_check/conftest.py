"""An office with keys, a history, and the bundles that it hands out; an auditor."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage import bundle, keys
from lineage.audit.report import report
from lineage.bundle_check import Held, check
from lineage.keys.exports import allowed_signers
from lineage.releases import release
from lineage.stated import state
from lineage.store.key_files import generate, read_public
from lineage.store.objects import Edge
from tests.tools import WHAT_AN_AUDITOR_HAS, skip_without

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.objects import Event

PEOPLE = ("ada", "bob", "carol", "eve", "mallory", "runner")
TSA = """\
[req]
distinguished_name=dn
prompt=no
[dn]
CN=Test Time
[own]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
[root]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
[tsa]
default_tsa=it
[it]
serial=serial
signer_cert=tsa.pem
signer_key=tsa.key
signer_digest=sha256
default_policy=1.2.3.4.1
digests=sha256
"""


@dataclass
class Office:
    """Keys, a registry that was signed with them, bundles of it, who audits it.

    `seen` is an event that the auditor saw before, and `newest` the newest one.
    """

    folder: Path
    keys: dict[str, Path]
    registry: Path
    seen: str = ""
    newest: str = ""
    bundles: dict[str, Path] = field(default_factory=dict)

    @property
    def signers(self) -> Path:
        return self.folder / "signers"

    def held(self, *names: str) -> list[str]:
        """The options for what the auditor holds."""
        options = {
            "signers": ("--signers", self.signers),
            "expired": ("--signers", self.folder / "expired"),
            "since": ("--since", self.seen),
            "newest": ("--since", self.newest),
            "tsa-ca": ("--tsa-ca", self.folder / "tsa" / "root.pem"),
            "anchor": ("--anchor", self.fingerprint("ada")),
            "revoked-ada": ("--revoked", self.keys["ada"].with_suffix(".pub")),
            "revoked-bob": ("--revoked", self.keys["bob"].with_suffix(".pub")),
        }
        return [str(word) for name in names for word in options[name]]

    def signer(self, event: Event) -> Path:
        """The key of whoever makes events of this type."""
        by = {"review": "bob", "statement": "bob", "commit": "runner"}
        return self.keys[by.get(event.type, "ada")]

    def public(self, who: str) -> str:
        return self.keys[who].with_suffix(".pub").read_text()

    def fingerprint(self, who: str) -> str:
        return read_public(self.keys[who].with_suffix(".pub")).fingerprint

    def open(self, folder: Path | None = None, who: str = "ada") -> Registry:
        registry = lineage.open(folder or self.registry)
        registry.settings.set("signing.key", str(self.keys[who]))
        return registry

    def copy(self, to: Path) -> Path:
        """Somebody's copy of the registry."""
        shutil.copytree(self.registry, to, symlinks=True)
        return to

    def stamp(self, event: str, *, folder: str = "tsa") -> bytes:
        """A time stamp over an event, by the authority in a folder."""
        home = self.folder / folder
        ask = f"openssl ts -query -digest {event} -sha256 -cert -out q"
        answer = "openssl ts -reply -queryfile q -config tsa.cnf -out r"
        _shell(f"{ask} && {answer}", home)
        return (home / "r").read_bytes()


def _shell(command: str, folder: Path) -> None:
    subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=True)


def _authority(folder: Path) -> None:
    """A root and a time stamping authority below it, in `folder`."""
    skip_without("openssl")
    folder.mkdir()
    (folder / "tsa.cnf").write_text(TSA)
    new = "openssl req -config tsa.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256"
    _shell(
        "echo 01 > serial && "
        f"{new} -noenc -keyout root.key -x509 -extensions root -days 99 -out root.pem"
        f" && {new} -noenc -keyout tsa.key -subj /CN=Stamps -out tsa.csr && "
        "openssl x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial "
        "-extfile tsa.cnf -extensions own -days 99 -out tsa.pem",
        folder,
    )


def write_history(office: Office, root: Path, *, score: float = 0.75) -> Registry:
    """A loop of two generations that a runner ran and people looked at."""
    registry = lineage.init(root)
    using = registry.signer.using
    people = {
        "ada": ("reviewer", "releaser"),
        "bob": ("reviewer",),
        "runner": ("runner",),
    }
    for who, roles in people.items():
        public = read_public(office.keys[who].with_suffix(".pub"))
        with using(office.keys["ada"]):
            own = office.keys["ada"] if who == "ada" else None
            address = f"{who}@example.com"
            keys.add(registry, public, who.title(), address, roles=roles, sign_with=own)
    (root / "work").mkdir()
    with using(office.keys["runner"]):
        turns = _turns(registry, root / "work", score)
    with using(office.keys["bob"]):
        review = {"verdict": "approved", "note": "reads well"}
        registry.attest("review", subject=turns[-1], data=review)
        state(registry, turns[-1], {"intended_purpose": "teaching sums"})
    with using(office.keys["ada"]):
        release(registry, registry.resolve("model/tutor"), "production")
    return registry


def _turns(registry: Registry, work: Path, score: float) -> list[str]:
    def put(kind: str, name: str, *edges: Edge, text: str = "", **more: object) -> str:
        path = work / f"{name}.txt"
        path.write_text(text)
        where = path if text else None
        return registry.commit(kind, name, where, edges=edges, **more).id  # type: ignore[arg-type]

    judge = put("config", "judge", params={"threshold": 0.5, "seed": 7})
    human = {"type": "human", "source": "a class", "licence": "CC0-1.0"}
    seed = put("dataset", "seed", text="1+1=2\n2+2=4\n", origin=human)
    model = put(
        "model",
        "tutor",
        Edge("trained_on", seed),
        text="weights 0\n",
        metrics={"accuracy": {"value": 0.5, "n": 40}},
    )
    gate = {"id": "accuracy", "type": "metric", "verdict": "pass", "min": 0.4}
    turns = [
        put(
            "generation",
            "tutor",
            Edge("includes", model),
            Edge("includes", seed),
            gates=[{**gate, "value": 0.5}],
            branch="loop/tutor",
        )
    ]
    wrote = put(
        "dataset",
        "wrote",
        Edge("generated_by", model),
        text="3+3=6\n4+4=9\n",
        metrics={"generated": 4, "rejected": 2, "kept": 2},
    )
    share = {"records": [2, 4]}
    mixed = put(
        "dataset",
        "mixed",
        Edge("derived_from", seed, "observed", share),
        Edge("derived_from", wrote, "observed", share),
        text="1+1=2\n3+3=6\n",
    )
    model = put(
        "model",
        "tutor",
        Edge("trained_on", mixed),
        Edge("configured_by", judge),
        text="weights 1\n",
        metrics={"accuracy": {"value": score, "n": 40}},
        branch="model/tutor",
    )
    turns.append(
        put(
            "generation",
            "tutor",
            Edge("follows", turns[0]),
            Edge("includes", model),
            Edge("includes", mixed),
            gates=[{**gate, "value": score}],
            branch="loop/tutor",
        )
    )
    return turns


def hand_out(registry: Registry, path: Path, payloads: str = "none") -> Path:
    """Write the bundle of the loop."""
    bundle.export(registry, report(registry, "loop/tutor"), path, payloads=payloads)
    return path


@pytest.fixture(scope="session")
def office(world: None, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The office, its registry, and a bundle of each level."""
    del world
    folder = tmp_path_factory.mktemp("office")
    for who in PEOPLE:
        generate(folder / who, who, passphrase=False)
    for name in ("tsa", "foreign"):
        _authority(folder / name)
    made = Office(folder, {who: folder / who for who in PEOPLE}, folder / "registry")
    with closing(write_history(made, made.registry)) as registry:
        registry.settings.set("signing.key", str(made.keys["ada"]))
        made.seen = registry.events_log.event(registry.events_log.tip() or "").id
        made.bundles["older"] = hand_out(registry, folder / "older.zip", "all")
        stamp(made, registry, made.seen)
        made.newest = registry.events_log.event(registry.events_log.tip() or "").id
        signers = [*allowed_signers(keys.current(registry))]
        made.signers.write_text("".join(f"{line}\n" for line in signers))
        ended = (s.replace('" ', '",valid-before="20260101Z" ', 1) for s in signers)
        (folder / "expired").write_text("".join(f"{line}\n" for line in ended))
        for level in bundle.LEVELS:
            path = folder / f"{level}.zip"
            made.bundles[level] = hand_out(registry, path, level)
    made.bundles["better"] = _another(made, folder / "better")
    strange = {"ada": "eve", "bob": "carol", "runner": "mallory"}
    theirs = {who: made.keys[strange.get(who, who)] for who in PEOPLE}
    made.bundles["strange"] = _another(replace(made, keys=theirs), folder / "strange")
    return made


def _another(office: Office, folder: Path) -> Path:
    """The bundle of another history, a better one, by those whose keys these are."""
    with closing(write_history(office, folder, score=0.95)) as registry:
        registry.settings.set("signing.key", str(office.keys["ada"]))
        return hand_out(registry, folder.with_suffix(".zip"), "all")


def stamp(office: Office, registry: Registry, event: str) -> str:
    """Record a time stamp over an event."""
    from lineage.timestamps import record

    return record(registry, office.stamp(event)).event


@dataclass
class Verdict:
    """What one checker said: its exit code, and the names of its findings."""

    code: int
    findings: set[str]
    said: str


def by_script(path: Path, *options: str) -> Verdict:
    """What ``verify.sh`` finds, in an empty environment; skips where it cannot run."""
    skip_without(*WHAT_AN_AUDITOR_HAS)
    done = subprocess.run(
        ["sh", str(bundle.SCRIPT), str(path), *options],
        env={"PATH": os.defpath}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    names = {
        line.split()[1].rstrip(":") for line in lines if line.startswith("FAILED ")
    }
    return Verdict(done.returncode, names, done.stdout + done.stderr)


def by_tool(path: Path, *options: str) -> Verdict:
    """What `lineage verify` finds; the same options."""
    pairs = dict(zip(options[::2], options[1::2], strict=True))
    files = {name: Path(v) for name in ("signers", "revoked", "tsa-ca")
             if (v := pairs.pop(f"--{name}", None))}  # fmt: skip
    words = {name.removeprefix("--"): value for name, value in pairs.items()}
    held = {name.replace("-", "_"): value for name, value in {**files, **words}.items()}
    checked = check(path, Held(**held))  # type: ignore[arg-type]
    names = {finding.check for finding in checked.findings}
    return Verdict(3 if names else 0, names, "\n".join(map(str, checked.findings)))
