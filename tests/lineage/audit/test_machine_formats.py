"""PROV, OMS and in-toto: official readers accept them and find the same graph."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64decode
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.audit import as_prov, formats
from lineage.audit.formats import FORMATS, Given
from lineage.audit.report import report
from lineage.cli import report as report_command
from lineage.erase import erase, plan_erasure
from lineage.errors import UsageError
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lineage.registry import Registry

    Story = Any

NAME = "<b>=1+1\"'\\ \u0301\u0301\u0301\u0301 {% x %}"
HOSTILE = "../<b>=1+1\u202e\"'\\\u0301\u0301\u0301\u0301 {% x %} \ud7ff\U0010ffff"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make a key of each kind that signs, and the public halves beside them."""
    folder = tmp_path_factory.mktemp("keys")
    found = {}
    for name, words in {
        "ed25519": ["-algorithm", "ed25519"],
        "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    }.items():
        found[name] = folder / f"{name}.pem"
        openssl("genpkey", *words, "-out", found[name])
        openssl("pkey", "-in", found[name], "-pubout", "-out", f"{found[name]}.pub")
    return found


def openssl(*words: str | Path, data: bytes = b"") -> bytes:
    done = subprocess.run(
        ["openssl", *map(str, words)], input=data, capture_output=True, check=True
    )
    return done.stdout


def rendered(
    registry: Registry, revision: str, name: str, key: Path | None = None
) -> bytes:
    return FORMATS[name](report(registry, revision), Given(registry, key))


def statement(data: bytes) -> Any:
    """The statement in an envelope, in a bundle, or alone."""
    whole = json.loads(data)
    envelope = whole.get("dsseEnvelope", whole)
    return (
        json.loads(b64decode(envelope["payload"])) if "payload" in envelope else whole
    )


@pytest.fixture
def folder(repo: Registry) -> tuple[Registry, str]:
    """Commit a folder whose names sort one way as text, another part by part."""
    root = repo.root / "weights"
    names = [
        "a/b",
        "a-b",
        "a.b/c d",
        "A",
        "ünï\u202e",
        "z/\n",
        "deep/er/still",
        "empty",
    ]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode() * 3 if name != "empty" else b"")
    (root / "nothing").mkdir()
    made = repo.commit("model", "tutor", path=root)
    return repo, made.id


def test_model_signing_accepts_the_files_that_get_gives(
    folder: tuple[Registry, str], keys: dict[str, Path], tmp_path: Path
) -> None:
    """The real verifier reads the bundle, and refuses when a byte has changed."""
    registry, id_ = folder
    bundle = tmp_path / "model.oms.json"
    bundle.write_bytes(rendered(registry, id_, "oms", keys["p256"]))
    got = registry.get(id_, tmp_path / "got")
    words = [Path(sys.executable).with_name("model_signing"), "verify", "key", got]
    words += ["--public_key", f"{keys['p256']}.pub", "--signature", bundle]
    verify = partial(subprocess.run, words, capture_output=True, text=True, check=False)

    done = verify()
    assert (done.returncode, done.stdout) == (0, "Verification succeeded\n")
    (got / "a" / "b").write_bytes(b"other")
    assert "Hash mismatch for \\'a/b\\'" in verify().stderr


def test_digests_of_all_formats_are_the_root(
    folder: tuple[Registry, str], keys: dict[str, Path]
) -> None:
    """Resources hash to the subject's digest, which is the manifest's root."""
    registry, id_ = folder
    payload = registry.load(id_).payload
    assert payload is not None
    signed = statement(rendered(registry, id_, "oms", keys["p256"]))
    digests = [resource["digest"] for resource in signed["predicate"]["resources"]]
    said = statement(rendered(registry, id_, "in-toto"))["subject"]
    manifest, whole, *files = (each["digest"]["sha256"] for each in said)

    assert signed == statement(rendered(registry, id_, "oms"))
    assert sha256(bytes.fromhex("".join(digests))).hexdigest() == payload.root
    assert signed["subject"] == [{"name": "tutor", "digest": {"sha256": payload.root}}]
    assert (manifest, whole, files) == (id_, payload.root, digests)


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_securesystemslib_and_openssl_verify_the_envelope(
    told: Story, keys: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    """Both find the signature good over exactly these bytes, and over no others."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer._key import SSlibKey

    data = rendered(told.registry, told.turns[1], "in-toto", keys[kind])
    public = Path(f"{keys[kind]}.pub")
    loaded = load_pem_public_key(public.read_bytes())
    key = SSlibKey.from_crypto(loaded)
    assert list(Envelope.from_dict(json.loads(data)).verify([key], 1)) == [key.keyid]

    envelope = json.loads(data)
    body, type_ = b64decode(envelope["payload"]), envelope["payloadType"].encode()
    (tmp_path / "pae").write_bytes(
        b"DSSEv1 %d %b %d %b" % (len(type_), type_, len(body), body)
    )
    (tmp_path / "sig").write_bytes(b64decode(envelope["signatures"][0]["sig"]))
    check: list[str | Path] = ["pkeyutl", "-verify", "-pubin", "-inkey", public]
    check += ["-rawin", "-in", tmp_path / "pae", "-sigfile", tmp_path / "sig"]
    assert b"Success" in openssl(*check)

    other = Envelope.from_dict(json.loads(data))
    other.payload = body.replace(b"tutor", b"Tutor")
    with pytest.raises(VerificationError):
        other.verify([key], 1)


def urn(id_: str) -> str:
    return f"urn:lineage:{id_}"


def edges(registry: Registry, ids: Iterable[str]) -> set[tuple[str, ...]]:
    """The edges of commits as their manifests have them."""
    return {
        (urn(id_), edge.role, urn(edge.id), edge.evidence, _share(edge.share))
        for id_ in ids
        for edge in registry.load(id_).edges
    }


def _share(share: Mapping[str, Any] | None) -> str:
    return json.dumps(dict(share or {}), sort_keys=True)


def test_an_in_toto_statement_has_every_edge(told: Story) -> None:
    """The turn and its parts are the subjects, what they came from dependencies."""
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor

    registry, turn = told.registry, told.turns[2]
    found = statement(rendered(registry, turn, "in-toto"))
    made = {turn, *registry.load(turn).ids("includes")}
    sources = found["predicate"]["buildDefinition"]["resolvedDependencies"]
    said = {
        (
            one["of"],
            one["role"],
            source["uri"],
            one["evidence"],
            _share(one.get("share")),
        )
        for source in sources
        for one in source["annotations"]["edges"]
    }

    inside = {urn(id_) for id_ in made}
    assert said == {e for e in edges(registry, made) if e[2] not in inside}
    for each in (*found["subject"], *sources):
        ResourceDescriptor(name=each["name"], digest=each["digest"]).validate()
    for each in sources:
        payload = registry.load(each["uri"].removeprefix(urn(""))).payload
        digest = payload.root if payload else each["uri"].removeprefix(urn(""))
        assert each["digest"] == {"sha256": digest}


def test_prov_reads_back_as_the_same_graph(told: Story) -> None:
    """From prov's own objects come all ids and edges, with evidence and shares."""
    import prov.model as pm

    registry = told.registry
    made = report(registry, told.turns[2])
    text = FORMATS["prov"](made, Given(registry)).decode()
    document = pm.ProvDocument.deserialize(content=text, format="json")
    ids = {each.id for each in made.artifacts}
    entities = {_uri(e.identifier): e for e in document.get_records(pm.ProvEntity)}

    assert set(entities) == {urn(id_) for id_ in ids}
    assert set(_read(document)) == edges(registry, ids)
    for id_ in ids:
        payload, root = registry.load(id_).payload, entities[urn(id_)].get_attribute
        assert {str(r) for r in root("lin:root")} == (
            {payload.root} if payload else set()
        )


def _read(document: Any) -> Iterator[tuple[str, ...]]:
    """The edges that a PROV document has: what was used, and what was revised."""
    import prov.model as pm

    made = {
        str(given.args[1]): _uri(given.args[0])
        for given in document.get_records(pm.ProvGeneration)
    }
    for used in document.get_records(pm.ProvUsage):
        if roles := used.get_attribute("prov:role"):
            yield _edge(used, made[str(used.args[0])], used.args[1], roles)
    for derived in document.get_records(pm.ProvDerivation):
        if roles := derived.get_attribute("lin:role"):
            yield _edge(derived, _uri(derived.args[0]), derived.args[1], roles)


def _uri(name: Any) -> str:
    return str(name.uri)


def _edge(relation: Any, of: str, source: Any, roles: Any) -> tuple[str, ...]:
    said = {name.localpart: value for name, value in relation.extra_attributes}
    units = (unit for unit in said if f"{unit}-of" in said)
    share = {unit: [said[unit], said[f"{unit}-of"]] for unit in units}
    role = next(iter(roles)).localpart
    return of, role, source.uri, said["evidence"], _share(share)


def test_prov_is_the_same_through_every_serialisation(told: Story) -> None:
    """JSON, XML and JSON-LD of the library read back equal, and PROV-N has it all."""
    import prov.model as pm

    data = rendered(told.registry, told.turns[2], "prov").decode()
    document = pm.ProvDocument.deserialize(content=data, format="json")

    for form in ("json", "xml", "jsonld"):
        written = document.serialize(format=form)
        assert pm.ProvDocument.deserialize(content=written, format=form) == document
    notation = document.get_provn()
    members = {kind: m for kind, m in json.loads(data).items() if kind != "prefix"}
    assert len(document.records) == sum(map(len, members.values()))
    assert all(notation.count(f"  {kind}(") == len(m) for kind, m in members.items())


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_is_the_local_part_of_a_name(text: str) -> None:
    """PROV-N's grammar takes it, and the text comes back from it."""
    name = as_prov.local(text)

    assert unquote(name) == text
    assert re.fullmatch(
        r"(\w|~|%[0-9A-F]{2})(([\w~.-]|%[0-9A-F]{2})*([\w~-]|%[0-9A-F]{2}))?",
        name,
        re.ASCII,
    )


@pytest.fixture
def hostile(repo: Registry) -> tuple[Registry, str]:
    """Record everything that a name, a message or a place can do to a file."""
    (repo.root / "file").write_text("bytes")
    judge = repo.commit("model", NAME, external={"uri": HOSTILE, "digest": HOSTILE})
    kept = repo.commit(
        "dataset", f"{NAME} kept", path=repo.root / "file", reference=True
    )
    config = repo.commit("config", NAME, params={HOSTILE: [HOSTILE, {"a": None}]})
    origin = {"type": "human", "source": HOSTILE, HOSTILE: {HOSTILE: 1}}
    data = repo.commit(
        "dataset",
        NAME,
        path=repo.root / "file",
        origin=origin,
        metrics={HOSTILE: Metric(1e300), ".": Metric(2**53 - 1), "-": Metric(-0.0)},
        edges=[Edge("selected_by", judge.id), Edge("derived_from", kept.id)],
        message=f"{HOSTILE}\n\0",
    )
    model = repo.commit(
        "model",
        f"{NAME} trained",
        path=repo.root / "file",
        edges=[Edge("configured_by", config.id), Edge("trained_on", data.id)],
    )
    repo.attest(HOSTILE, subject=model.id, data={"verdict": HOSTILE}, message=HOSTILE)
    return repo, model.id


def test_hostile_text_stays_text(hostile: tuple[Registry, str]) -> None:
    """Every format is valid JSON that its reader takes, with the text as it was."""
    import prov.model as pm

    registry, id_ = hostile
    data = rendered(registry, id_, "prov")
    document = pm.ProvDocument.deserialize(content=data.decode(), format="json")
    again = document.serialize(format="json")

    assert data.isascii()
    assert pm.ProvDocument.deserialize(content=again, format="json") == document
    names = {
        str(e.get_attribute("lin:name")) for e in document.get_records(pm.ProvEntity)
    }
    assert str({NAME}) in names
    subject = statement(rendered(registry, id_, "oms"))["subject"]
    assert subject[0]["name"] == f"{NAME} trained"


def test_bytes_that_are_not_here(hostile: tuple[Registry, str]) -> None:
    """What is elsewhere has no digest unless one was stated; what is hashed has."""
    registry, id_ = hostile
    data = registry.load(id_).ids("trained_on")[0]
    sources = {
        registry.load(each["uri"].removeprefix(urn(""))).kind: each
        for each in dependencies(registry, data)
    }

    assert "digest" not in sources["model"]
    assert sources["model"]["downloadLocation"] == HOSTILE
    reference = registry.load(registry.load(data).ids("derived_from")[0])
    assert reference.payload is not None
    assert sources["dataset"]["digest"] == {"sha256": reference.payload.root}
    with pytest.raises(UsageError, match="there are no files to list"):
        rendered(registry, registry.load(data).ids("selected_by")[0], "oms")


def dependencies(registry: Registry, id_: str) -> list[Any]:
    found = statement(rendered(registry, id_, "in-toto"))
    return list(found["predicate"]["buildDefinition"]["resolvedDependencies"])


def test_erased_bytes_keep_their_digests(
    folder: tuple[Registry, str], keys: dict[str, Path]
) -> None:
    """What was signed of files is the same after the bytes are gone; PROV says so."""
    registry, id_ = folder
    before = statement(rendered(registry, id_, "oms", keys["p256"]))
    plan = plan_erasure(registry, id_)
    erase(registry, plan, reason="consent withdrawn", authority="DPO, case 12")

    assert statement(rendered(registry, id_, "oms", keys["p256"])) == before
    entity = json.loads(rendered(registry, id_, "prov"))["entity"][f"commit:{id_}"]
    assert entity["lin:state"] == "erased"
    assert "DPO, case 12" in entity["lin:told"]


def test_one_commit_is_chosen_or_asked_for(told: Story) -> None:
    """A turn with one part that has files is that part; of several all are named."""
    registry = told.registry
    with pytest.raises(UsageError, match="of one commit, and you name 3") as caught:
        rendered(registry, told.turns[2], "oms")

    assert "model/tutor-model@" in caught.value.details[-1]
    assert caught.value.details[-1].partition("@")[2] in caught.value.hint


@pytest.mark.parametrize("name", ["prov", "oms", "in-toto"])
def test_the_same_registry_gives_the_same_bytes(
    told: Story, keys: dict[str, Path], name: str
) -> None:
    """Without a key, and with one of Ed25519, whose signatures do not vary."""
    key = keys["ed25519"] if name == "in-toto" else None
    subject = told.ids["model-2"] if name == "oms" else told.turns[2]
    one, two = (rendered(told.registry, subject, name, key) for _ in range(2))

    assert one == two
    assert one.endswith(b"}\n")


def test_the_formats_that_a_key_signs() -> None:
    """The command line takes --sign-key for those, and no others."""
    assert report_command.SIGNED == formats.SIGNED
