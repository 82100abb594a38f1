"""OMS and in-toto: official verifiers accept them, and digests are the roots."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lineage.audit import formats
from lineage.audit.given import Given
from lineage.audit.report import report
from lineage.bundle.formats import rendered as in_a_bundle
from lineage.cli import report as report_command
from lineage.erase import erase, plan_erasure
from lineage.errors import UsageError
from tests.lineage.audit.machine import (
    HOSTILE,
    edges,
    openssl,
    rendered,
    share,
    statement,
    urn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Story = Any


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


def verifier(keys: dict[str, Path]) -> Callable[..., None]:
    """What ``model_signing verify key`` calls."""
    from model_signing.verifying import Config

    public = f"{keys['p256']}.pub"
    return Config().use_elliptic_key_verifier(public_key=public).verify


def test_files_that_the_format_leaves_out(
    repo: Registry, keys: dict[str, Path], tmp_path: Path
) -> None:
    """What belongs to git is named as left out, and the real verifier agrees."""
    root = repo.root / "model"
    (root / "sub").mkdir(parents=True)
    for name in (".gitattributes", "weights", "sub/.gitignore"):
        (root / name).write_text(name)
    made = repo.commit("model", "tutor", path=root)
    data = rendered(repo, made.id, "oms", keys["p256"])
    (tmp_path / "bundle").write_bytes(data)
    predicate = statement(data)["predicate"]
    verify = verifier(keys)

    assert [r["name"] for r in predicate["resources"]] == ["sub/.gitignore", "weights"]
    assert predicate["serialization"]["ignore_paths"] == [".gitattributes"]
    got = repo.get(made.id, tmp_path / "got")
    verify(got, tmp_path / "bundle")
    (got / "sub" / ".gitignore").write_text("*")
    with pytest.raises(ValueError, match="Hash mismatch"):
        verify(got, tmp_path / "bundle")


def test_a_single_file(repo: Registry, keys: dict[str, Path], tmp_path: Path) -> None:
    """One file is a resource of its own name; it is verified in a folder of its own."""
    (repo.root / "weights.bin").write_bytes(b"weights")
    made = repo.commit("model", "tutor", path=repo.root / "weights.bin")
    (tmp_path / "bundle").write_bytes(rendered(repo, made.id, "oms", keys["p256"]))
    (tmp_path / "alone").mkdir()
    repo.get(made.id, tmp_path / "alone")

    verifier(keys)(tmp_path / "alone", tmp_path / "bundle")


def test_nothing_to_sign(repo: Registry) -> None:
    """A folder of what git owns has no signature of files, and the error says so."""
    (repo.root / "only").mkdir()
    (repo.root / "only" / ".gitignore").write_text("*")
    made = repo.commit("dataset", "none", path=repo.root / "only")

    with pytest.raises(UsageError, match="has no files that a model signature lists"):
        rendered(repo, made.id, "oms")
    bundled = dict(in_a_bundle(report(repo, made.id), Given(repo)))
    assert not any(name.endswith(".oms.json") for name in bundled)


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


def test_an_in_toto_statement_has_every_edge(told: Story) -> None:
    """The turn and its parts are the subjects, what they came from dependencies."""
    from google.protobuf.json_format import Parse
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
    from in_toto_attestation.v1.statement_pb2 import Statement

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
            share(one.get("share")),
        )
        for source in sources
        for one in source["annotations"]["edges"]
    }

    inside = {urn(id_) for id_ in made}
    assert said == {e for e in edges(registry, made) if e[2] not in inside}
    Parse(json.dumps(found), Statement())
    for each in (*found["subject"], *sources):
        ResourceDescriptor(name=each["name"], digest=each["digest"]).validate()
    for each in sources:
        payload = registry.load(each["uri"].removeprefix(urn(""))).payload
        digest = payload.root if payload else each["uri"].removeprefix(urn(""))
        assert each["digest"] == {"sha256": digest}


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
    """What was signed of files is the same after the bytes are gone."""
    registry, id_ = folder
    before = statement(rendered(registry, id_, "oms", keys["p256"]))
    plan = plan_erasure(registry, id_)
    erase(registry, plan, reason="consent withdrawn", authority="DPO, case 12")

    assert statement(rendered(registry, id_, "oms", keys["p256"])) == before


def test_one_commit_is_chosen_or_asked_for(told: Story) -> None:
    """A turn with one part that has files is that part; of several all are named."""
    registry = told.registry
    with pytest.raises(UsageError, match="of one commit, and you name 3") as caught:
        rendered(registry, told.turns[2], "oms")

    assert "model/tutor-model@" in caught.value.details[-1]
    assert caught.value.details[-1].partition("@")[2] in caught.value.hint


@pytest.mark.parametrize("name", ["prov", "cyclonedx", "oms", "in-toto"])
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
