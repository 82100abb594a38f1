"""Hugging Face: a snapshot as a commit, its card as edges, and a card written back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import DatasetCardData, ModelCard, ModelCardData

from lineage.errors import StoreError, UsageError
from lineage.integrations.huggingface import import_hf
from lineage.integrations.huggingface.cards import read
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Run = Callable[..., Any]

TEXT = "# Tutor\n\nIt was made with care.\n"


def snapshot(folder: Path, data: Any, files: dict[str, str] | None = None) -> Path:
    """Write a folder as `hf download --local-dir` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"---\n{data.to_yaml()}\n---\n\n{TEXT}")
    for name, text in (files or {"config.json": "{}"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".cache" / "huggingface").mkdir(parents=True)
    (folder / ".cache" / "huggingface" / "x.lock").touch()
    return folder


def cached(tmp_path: Path, data: ModelCardData) -> Path:
    """Write a snapshot as the Hub's cache has it: links to blobs."""
    top = tmp_path / "hub" / "models--org--tutor"
    plain = snapshot(tmp_path / "plain", data)
    folder = top / "snapshots" / "0123abc"
    folder.mkdir(parents=True)
    (top / "blobs").mkdir()
    for name in ("README.md", "config.json"):
        blob = top / "blobs" / f"{name}-blob"
        blob.write_bytes((plain / name).read_bytes())
        (folder / name).symlink_to(Path("../../blobs") / blob.name)
    return folder


CARD = ModelCardData(
    base_model="org/base",
    base_model_relation="adapter",
    datasets=["org/texts", "https://huggingface.co/datasets/org/more"],
    license="mit",
    library_name="peft",
)


def test_a_cards_words_become_edges(repo: Registry, tmp_path: Path, run: Run) -> None:
    """Base and data are declared; what is not here says where it is."""
    done = run("import", "hf", cached(tmp_path, CARD))
    assert done.exit_code == 0, done.stderr
    model = repo.load(done.stdout.strip())
    assert done.stderr == (
        "model org/tutor is recorded on model/org/tutor\n"
        "  fine_tuned_from org/base (its card says so)\n"
        "  trained_on org/texts (its card says so)\n"
        "  trained_on org/more (its card says so)\n"
    )
    named = {(e.role, repo.load(e.id).kind, repo.load(e.id).name) for e in model.edges}
    assert named == {
        ("fine_tuned_from", "model", "org/base"),
        ("trained_on", "dataset", "org/texts"),
        ("trained_on", "dataset", "org/more"),
    }
    assert {edge.evidence for edge in model.edges} == {"declared"}
    [base] = model.ids("fine_tuned_from")
    assert repo.load(base).external == {"uri": "hf://org/base"}
    assert model.params["hub"]["revision"] == "0123abc"
    assert model.origin == {
        "type": "unknown",
        "licence": "mit",
        "source": "https://huggingface.co/org/tutor",
    }
    assert [f.path for f in repo.files(model.id)] == ["README.md", "config.json"]
    assert run("verify").exit_code == 0


def test_the_same_snapshot_is_the_same_commit(repo: Registry, tmp_path: Path) -> None:
    """Also when the base has come here with its bytes; a new text is a version."""
    folder = cached(tmp_path, CARD)
    first = import_hf(repo, str(folder))
    assert not import_hf(repo, str(folder)).created
    base = snapshot(tmp_path / "base", ModelCardData())
    whole = import_hf(repo, str(base), name="org/base")
    assert repo.load(whole.id).ids("revises") == repo.load(first.id).ids(
        "fine_tuned_from"
    )
    events = len(list(repo.events()))
    again = import_hf(repo, str(folder))
    assert (again.id, again.created) == (first.id, False)
    assert len(list(repo.events())) == events
    (folder / "config.json").unlink()
    (folder / "config.json").write_text('{"new": 1}')
    newer = repo.load(import_hf(repo, str(folder)).id)
    assert newer.ids("revises") == (first.id,)
    assert newer.ids("fine_tuned_from") == (whole.id,)


@pytest.mark.parametrize(
    ("relation", "files", "role"),
    [
        ("finetune", {}, "fine_tuned_from"),
        ("quantized", {}, "quantized_from"),
        ("merge", {}, "merged_from"),
        (None, {"m.gguf": "GGUF"}, "quantized_from"),
        (None, {}, "merged_from"),  # there are two of them
    ],
)
def test_relations_have_their_roles(
    tmp_path: Path, relation: str | None, files: dict[str, str], role: str
) -> None:
    """base_model_relation says how, and where it does not the Hub's guess holds."""
    more: Any = {"base_model_relation": relation} if relation else {}
    data = ModelCardData(base_model=["org/a", "org/b"], **more)
    card = read(snapshot(tmp_path / "m", data, files))
    assert card.made_from == ((role, "org/a"), (role, "org/b"))


def test_a_dataset_says_who_wrote_it(repo: Registry, tmp_path: Path) -> None:
    """language_creators and source_datasets of a dataset's card are its origin."""
    data = DatasetCardData(
        pretty_name="Texts",
        language_creators=["crowdsourced", "machine-generated"],
        source_datasets=["original", "extended|org/squad"],
        license="cc0-1.0",
    )
    folder = snapshot(tmp_path / "texts", data, {"a.jsonl": '{"text": "x"}\n'})
    made = import_hf(repo, str(folder))
    commit = repo.load(made.id)
    assert (made.kind, made.name, made.branch) == ("dataset", "texts", "dataset/texts")
    assert commit.origin == {"type": "mixed", "licence": "cc0-1.0"}
    [source] = commit.ids("derived_from")
    assert repo.load(source).external == {"uri": "hf://datasets/org/squad"}


def test_what_is_no_snapshot_is_refused(
    repo: Registry, tmp_path: Path, run: Run
) -> None:
    """Pointers, links to elsewhere, broken YAML, no files: nothing is recorded."""
    folder = snapshot(tmp_path / "m", ModelCardData())
    pointer = folder / "model.safetensors"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(UsageError, match="a pointer of git-lfs"):
        import_hf(repo, str(folder))
    pointer.unlink()
    pointer.symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="leads out of the snapshot"):
        import_hf(repo, str(folder))
    pointer.unlink()
    (folder / "README.md").write_text("---\nbase_model: [\n---\n")
    with pytest.raises(UsageError, match=re.escape("README.md: README.md: line")):
        import_hf(repo, str(folder))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no files"):
        import_hf(repo, str(tmp_path / "empty"))
    with pytest.raises(UsageError, match="no folder and no repository"):
        import_hf(repo, "not a/name/of anything")
    with pytest.raises(StoreError, match="org/tutor cannot be downloaded"):
        import_hf(repo, "org/tutor")
    assert run("import", "hf", "org/tutor").exit_code == 1
    assert repo.branches() == {}


def test_a_file_is_not_asked_for_at_the_hub(
    repo: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name such as `rows.jsonl` could be the Hub's, but a file is here."""
    (tmp_path / "rows.jsonl").write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no folder and no repository"):
        import_hf(repo, "rows.jsonl")


def test_a_card_is_written_back(repo: Registry, tmp_path: Path, run: Run) -> None:
    """What people wrote stays, ours is replaced, and the Hub's own reader reads it."""
    base = import_hf(repo, str(cached(tmp_path, CARD)))
    out = tmp_path / "out"
    out.mkdir()
    (out / "w.bin").write_text("1")
    edge = Edge("fine_tuned_from", base.id)
    model = repo.commit(
        "model", "mine", out / "w.bin", edges=[edge], metrics={"loss": 1.5}
    )
    card = out / "README.md"
    card.write_text("---\nlicense: gpl\ntags:\n- fun\n---\n\nMy words.\n")
    words = ["report", model.id, "--format", "model-card", "--into", card]
    assert run(*words).exit_code == 0
    once = card.read_bytes()
    assert run(*words).exit_code == 0
    assert card.read_bytes() == once
    found = ModelCard.load(card)
    assert found.data.license == "gpl"
    assert found.data.tags == ["fun", "lineage"]
    assert found.data.base_model == ["org/tutor"]
    assert found.data.to_dict()["lineage"]["commit"] == model.id
    assert found.data.eval_results[0].metric_value == 1.5
    assert found.text.strip().startswith("My words.")
    assert run("report", model.id, "--into", card).exit_code == 2
    card.write_text("<!-- lineage: begin -->\nno end")
    refused = run(*words)
    assert (refused.exit_code, card.read_text()) == (
        2,
        "<!-- lineage: begin -->\nno end",
    )
    again = import_hf(repo, str(out), name="again")
    assert repo.load(again.id).params == {}


def test_a_card_names_the_model_that_wrote_the_data(
    repo: Registry, tmp_path: Path, run: Run
) -> None:
    """The Hub has no word for it: our block has, and importing it is the edge."""
    (tmp_path / "w.bin").write_text("1")
    writer = repo.commit("model", "org/writer", tmp_path / "w.bin")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"text": "x"}\n')
    edge = Edge("generated_by", writer.id)
    data = repo.commit("dataset", "made", folder, edges=[edge])
    card = folder / "README.md"
    words = ["report", data.id, "--format", "dataset-card", "--into", card]
    assert run(*words).exit_code == 0
    made = import_hf(repo, str(folder), name="copy")
    assert repo.load(made.id).ids("generated_by") == (writer.id,)
