"""A house with keys whose registry went through everything, and its bundle."""

from __future__ import annotations

import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage import bundle, keys
from lineage.audit.obligations.filling import addressed
from lineage.audit.obligations.template import load
from lineage.audit.report import report
from lineage.erase import erase, plan_erasure
from lineage.keys.exports import allowed_signers
from lineage.releases import release, retire
from lineage.sharing import remotes
from lineage.sharing.clone import clone
from lineage.sharing.pull import pull
from lineage.sharing.push import push
from lineage.stated import state
from lineage.store.key_files import generate, read_public
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry


@dataclass
class House:
    """A folder with keys, a registry, and what an auditor holds of it."""

    folder: Path
    registry: Registry
    seen: str = ""
    bundles: dict[tuple[str, str | None], bytes] = field(default_factory=dict)

    @property
    def signers(self) -> Path:
        """Who may sign, as it goes to the auditor by another road."""
        ring = keys.current(self.registry)
        path = self.folder / "signers"
        path.write_text("".join(f"{line}\n" for line in allowed_signers(ring)))
        return path

    def using(self, who: str) -> Any:
        return self.registry.signer.using(self.folder / who)

    def bundle(
        self, path: Path, payloads: str = "all", template: str | None = None
    ) -> Path:
        """Write one bundle of each kind in a session, and else a copy of it."""
        if (payloads, template) in self.bundles:
            path.write_bytes(self.bundles[payloads, template])
            return path
        asked = load(template) if template else None
        made = addressed(report(self.registry, "loop/tutor"), "authority", asked)
        bundle.export(self.registry, made, path, payloads=payloads)
        self.bundles[payloads, template] = path.read_bytes()
        return path


def _keys(house: House) -> None:
    people = {
        "ada": ("reviewer", "releaser"),
        "bob": ("reviewer",),
        "runner": ("runner",),
    }
    for who, roles in people.items():
        generate(house.folder / who, who, passphrase=False)
        public = read_public(house.folder / f"{who}.pub")
        own = house.folder / who if who == "ada" else None
        mail = f"{who}@example.com"
        keys.add(house.registry, public, who, mail, roles=roles, sign_with=own)
        house.registry.settings.set("signing.key", str(house.folder / "ada"))


def _turns(registry: Registry) -> list[str]:
    """Two generations; names, params and metrics that a shell may trip over."""
    work = registry.root / "work"
    work.mkdir()
    for number in range(3):
        (work / f"{number} 'é\".txt").write_text(f"talk {number}\n")
    odd = {'"path" \\ [x]': {"a,b": [1e-7, 1e21, None, [], {}]}, "data": {"metrics": 1}}
    origin = {"type": "human", "source": "a “class”", "licence": "CC0-1.0"}
    seed = registry.commit("dataset", "seed", work, origin=origin, params=odd)
    model = [Edge("trained_on", seed.id, "observed", {"records": [3, 3]})]
    turns: list[str] = []
    for number in range(2):
        measured = {"loss": {"value": 0.5 / 3**number, "n": 40, "interval": [0, 1]}}
        made = registry.commit("model", "tutor", edges=model, metrics=measured)
        parts = [Edge("includes", made.id), Edge("includes", seed.id)]
        follows = [Edge("follows", turn) for turn in turns[-1:]]
        gate = {"id": "loss", "type": "metric", "verdict": "pass", "value": number / 3}
        turns.append(
            registry.commit(
                "generation",
                "tutor",
                edges=[*follows, *parts],
                gates=[gate, {**gate, "id": "other", "value": {"value": 1}}],
                metrics={
                    "acc|uracy, %s": {"value": 1e-9, "definition": "those * of 40"}
                },
                branch="loop/tutor",
                message='"prev":["no"] \\" \t | %s',
            ).id
        )
    return turns


@pytest.fixture(scope="session")
def house(world: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Keys, turns, reviews, releases, a meeting of two logs, an erasure, a lost key."""
    del world
    folder = tmp_path_factory.mktemp("house")
    with closing(lineage.init(folder / "registry")) as registry:
        registry.commit("config", "before", params={"keys": False})
        made = House(folder, registry)
        _keys(made)
        with made.using("runner"):
            turns = _turns(registry)
        with made.using("bob"):
            review = {"verdict": "approved", "note": "reads well", "by": "bob"}
            registry.attest("review", subject=turns[0], message="ok", data=review)
            state(registry, turns[0], {"purpose": "teaching"})
            registry.attest("taint", subject=turns[0], data={"reason": "why not"})
        release(registry, turns[0], "production")
        retire(registry, turns[0], "production")
        release(registry, turns[1], "production")
        made.seen = next(registry.events())[0]
        _meet(made)
        path = {"1 'é\".txt"}
        plan = plan_erasure(registry, "dataset/seed", paths=path)
        erase(registry, plan, reason="consent withdrawn", authority="case 12")
        keys.revoke(registry, keys.find(registry, "bob"), reason="laptop stolen")
        yield made


def _meet(house: House) -> None:
    """Two clones work apart, and one pulls."""
    hub, ours = house.folder / "hub.git", house.registry
    subprocess.run(["git", "init", "--quiet", "--bare", str(hub)], check=True)
    remotes.add(ours, "origin", str(hub))
    push(ours, remotes.find(ours), payloads="none")
    with closing(clone(str(hub), house.folder / "theirs")) as theirs:
        theirs.settings.set("signing.key", str(house.folder / "ada"))
        theirs.commit("config", "theirs", params={"x": 1})
        push(theirs, remotes.find(theirs), payloads="none")
    ours.commit("config", "ours", params={"x": 2})
    pull(ours, remotes.find(ours))
