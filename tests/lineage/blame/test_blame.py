"""Where records come from: every sort of step, and what cannot be looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.blame import blame
from lineage.erase import erase, plan_erasure
from lineage.errors import Ambiguous, NotFound, UsageError
from lineage.store.objects import Edge
from lineage.taints import taint

if TYPE_CHECKING:
    from lineage.blame import Blame
    from lineage.registry import Registry
    from tests.lineage.blame.conftest import Loop, Write


def way(found: Blame) -> list[tuple[Any, ...]]:
    """Each step as dataset, file, line, and how it is the same."""
    return [
        (
            s.dataset,
            *((s.place.path, s.place.line) if s.place else (None, None)),
            s.same,
        )
        for s in found.steps
    ]


def gone(registry: Registry, id_: str) -> None:
    """Remove the bytes of a commit from this clone."""
    for entry in registry.files(id_):
        for copy in registry.payloads.cache.rglob(entry.md5[2:]):
            copy.unlink()


def test_a_written_record_leads_to_all_that_made_it(repo: Registry, loop: Loop) -> None:
    """Through the mix and the filter to model, prompt, seed, config, human record."""
    found = blame(repo, loop.mixed, "g001-00000-00003")
    assert way(found) == [
        (loop.mixed, "g001/g001-00000.jsonl", 3, ""),
        (loop.checked, "g001-00000.jsonl", 3, "bytes"),
        (loop.generated, "g001-00000.jsonl", 4, "bytes"),
    ]
    assert (found.number, found.data) == (3, loop.written[3])
    [writer] = found.writers
    assert (writer.id, writer.role, writer.matches) == (
        *(loop.model, "generated_by"),
        True,
    )
    assert (found.config, found.settings) == (loop.config, {"temperature": 0.8})
    assert found.prompt is not None
    assert found.prompt.place is not None
    assert (found.prompt.place.dataset, found.prompt.place.line) == (loop.human, 4)
    assert found.prompt.record is not None
    assert found.prompt.record["text"] == "prompt 3 by a person"
    assert found.trained == (loop.trained,)
    assert found.notes == ()


def test_a_human_record_leads_to_its_origin(repo: Registry, loop: Loop) -> None:
    """No model wrote it: the statement of the dataset where it first appears counts."""
    found = blame(repo, loop.mixed, "prompt 2 by a person")
    assert way(found) == [
        (loop.mixed, "human/selected.jsonl", 1, ""),
        (loop.human, "human-00000.jsonl", 3, "bytes"),
    ]
    assert found.number == 5
    assert found.origin is not None
    assert found.origin["source"] == "a diary"
    assert (found.writers, found.prompt, found.config) == ((), None, "")


NAMES: list[tuple[str, dict[str, Any], int]] = [
    ("2", {}, 2),
    ("g001-00000-00001", {}, 2),
    ("prompt 1", {"key": "prompt"}, 2),
    ("1001", {"key": "seed"}, 2),
    (" words number 1", {}, 2),
    ("words number 1", {}, 2),
    ("prompt 1 words number 1", {}, 2),
    ("3 by", {"text": True}, 6),
]


def test_a_record_is_named_in_many_ways(repo: Registry, loop: Loop) -> None:
    """By number, id, a column, its text, or a piece of it."""
    for record, more, number in NAMES:
        assert blame(repo, loop.mixed, record, **more).number == number, record


def test_what_names_no_single_record_is_refused(repo: Registry, loop: Loop) -> None:
    """One sentence; where several are meant they are listed."""
    for record, error, said in (
        ("0", NotFound, "has 6 records, and no number 0"),
        ("7", NotFound, "has 6 records, and no number 7"),
        ("nowhere", NotFound, "no record of .* has the id or text 'nowhere'"),
        ("prompt", Ambiguous, "'prompt' is in 6 records"),
        ("", UsageError, "a record is named by"),
    ):
        with pytest.raises(error, match=said):
            blame(repo, loop.mixed, record)


def test_a_generation_or_model_means_its_training_data(
    repo: Registry, loop: Loop
) -> None:
    """The dataset that the model was trained on is asked."""
    for revision in (loop.generation, loop.trained):
        assert blame(repo, revision, "1").dataset == loop.mixed
    with pytest.raises(NotFound, match=r"the model .* has no dataset"):
        blame(repo, loop.model, "1")


def test_several_datasets_are_listed(repo: Registry, loop: Loop) -> None:
    """A generation without a trained model has no dataset that is meant."""
    parts = [Edge("includes", id_) for id_ in (loop.checked, loop.mixed)]
    id_ = repo.commit("generation", "other", edges=parts).id
    with pytest.raises(Ambiguous) as caught:
        blame(repo, id_, "1")
    assert set(caught.value.candidates) == {
        f"{loop.checked[:12]} (checked)",
        f"{loop.mixed[:12]} (mixed)",
    }


def test_another_generator_is_said(repo: Registry, loop: Loop, dataset: Write) -> None:
    """A record that names other files than the model's does not match."""
    record = loop.written[0] | {"generator": "ab" * 32}
    id_ = dataset("forged", {"a.jsonl": [record]}, [("generated_by", loop.model)])
    found = blame(repo, id_, "1")
    assert [writer.matches for writer in found.writers] == [False]
    assert found.generator == "ab" * 32


def test_the_model_that_a_record_names_is_chosen(
    repo: Registry, loop: Loop, dataset: Write
) -> None:
    """Of several that wrote a dataset the record's own one is the writer."""
    edges = [("generated_by", loop.model), ("generated_by", loop.trained)]
    id_ = dataset("both", {"a.jsonl": [loop.written[0], {"text": "whose?"}]}, edges)
    assert [w.id for w in blame(repo, id_, "1").writers] == [loop.model]
    assert len(blame(repo, id_, "2").writers) == 2


def test_a_reward_and_an_edit_are_changes(
    repo: Registry, loop: Loop, dataset: Write
) -> None:
    """The same id with other fields goes on, and the fields are named."""
    rewarded = [loop.written[2] | {"reward": 0.5}]
    judged = [("derived_from", loop.generated), ("selected_by", loop.trained)]
    best = dataset("best", {"a.jsonl": rewarded}, judged)
    edited = [rewarded[0] | {"text": "better", "edited_by": "Ada"}]
    id_ = dataset("edited", {"a.jsonl": edited}, [("derived_from", best)])
    found = blame(repo, id_, "1")
    assert [(s.dataset, s.same, s.fields) for s in found.steps] == [
        (id_, "", ()),
        (best, "changed", ("edited_by", "text")),
        (loop.generated, "changed", ("reward",)),
    ]
    assert [(c.id, c.role, c.dataset) for c in found.choosers] == [
        (loop.trained, "selected_by", best)
    ]
    assert [w.id for w in found.writers] == [loop.model]


def test_another_format_is_the_same_record(repo: Registry, dataset: Write) -> None:
    """A CSV row is found in Parquet, and in JSON of another layout."""
    import pyarrow as pa
    from pyarrow import parquet

    records = [{"k": "1", "v": 'größe "x"\nnext'}, {"k": "2", "v": "b"}]
    layout = json.dumps(records, indent=2).encode()
    first = dataset("bought", {"a.json": layout}, origin={"type": "unknown"})
    out = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(records), out)
    columns = {"a.parquet": bytes(out.getvalue())}
    second = dataset("columns", columns, [("derived_from", first)])
    rows = 'k,v\n2,b\n1,"größe ""x""\nnext"\n'.encode()
    third = dataset("rows", {"a.csv": rows}, [("derived_from", second)])
    found = blame(repo, third, "1", key="k")
    assert way(found) == [
        (third, "a.csv", 3, ""),
        (second, "a.parquet", 1, "identity"),
        (first, "a.json", 1, "identity"),
    ]
    assert found.steps[1].place is not None
    assert found.steps[1].place.unit == "record"
    assert found.origin == {"type": "unknown"}


def test_a_revised_dataset_says_when_a_row_came(repo: Registry) -> None:
    """Along versions of one dataset the first that has the row is the answer."""
    ids = []
    for count in (2, 3, 4):
        rows = "".join(f"{n},row {n}\n" for n in range(count))
        (repo.root / "a.csv").write_text(f"n,text\n{rows}")
        origin = {"type": "unknown", "source": f"delivery {count}"}
        ids.append(repo.commit("dataset", "a", repo.root / "a.csv", origin=origin).id)
    found = blame(repo, "dataset/a", "row 2")
    assert [step.dataset for step in found.steps] == ids[:0:-1]
    assert found.steps[-1].role == "revises"
    assert found.origin == {"type": "unknown", "source": "delivery 3"}
    assert blame(repo, "dataset/a", "row 1").steps[-1].dataset == ids[0]


def test_the_way_goes_on_by_names(repo: Registry, loop: Loop) -> None:
    """The very file needs no bytes; a parent of that file name is named, not read."""
    gone(repo, loop.generated)
    found = blame(repo, loop.mixed, "3")
    assert way(found)[1:] == [
        (loop.checked, "g001-00000.jsonl", 3, "bytes"),
        (loop.generated, None, None, "by name"),
    ]
    assert [writer.matches for writer in found.writers] == [True]
    assert found.notes[0].endswith("looked at: g001-00000.jsonl is not here")


def test_an_erased_parent_says_who_erased_it(repo: Registry, loop: Loop) -> None:
    """What cannot be looked at is said with the reason; nothing is made up."""
    plan = plan_erasure(repo, loop.human)
    erase(repo, plan, reason="a person asked", authority="GDPR 17")
    found = blame(repo, loop.mixed, "6")
    assert [step.dataset for step in found.steps] == [loop.mixed]
    [note] = found.notes
    assert note.startswith(f"people {loop.human[:12]} could not be looked at")
    assert "for GDPR 17: a person asked" in note
    assert found.writers == ()


def test_equal_records_are_one(repo: Registry, dataset: Write) -> None:
    """A record that trains twice is found, and it is said that there are two."""
    record = {"id": "x", "text": "again"}
    id_ = dataset("twice", {"a.jsonl": [record], "again2/a.jsonl": [record]})
    found = blame(repo, id_, "again")
    assert found.number == 1
    assert found.notes == ("2 records are the same; this is the first of them",)


def test_a_prompt_from_elsewhere_is_said_as_it_is(
    repo: Registry, loop: Loop, dataset: Write
) -> None:
    """A prompt of a file has a source that no dataset has."""
    record = loop.written[0] | {"prompt_source": "prompts.txt:3"}
    id_ = dataset("asked", {"a.jsonl": [record]}, [("generated_by", loop.model)])
    prompt = blame(repo, id_, "1").prompt
    assert prompt is not None
    assert (prompt.source, prompt.place) == ("prompts.txt:3", None)


def test_what_was_not_there_yet_is_not_said(repo: Registry, loop: Loop) -> None:
    """As of an earlier event the model that came later was not trained."""
    event = repo.events_log.event(repo.ids.get(loop.mixed).event)
    with lineage.open(repo.root, at=event.id) as then:
        assert blame(then, loop.mixed, "1").trained == ()


def test_a_taint_of_the_record_or_its_writer_is_said(
    repo: Registry, loop: Loop
) -> None:
    """Taints of this record and of who wrote it count, those of others do not."""
    bad, other = (blame(repo, loop.checked, number).identity for number in "12")
    one = taint(repo, loop.generated, "it is wrong", records=[bad])
    assert [t.event for t in blame(repo, loop.mixed, "1").tainted] == [one]
    assert blame(repo, loop.mixed, "2").identity == other
    assert blame(repo, loop.mixed, "2").tainted == ()
    two = taint(repo, loop.model, "a leaked key")
    assert [t.event for t in blame(repo, loop.mixed, "1").tainted] == [one, two]
    assert [t.reason for t in blame(repo, loop.mixed, "2").tainted] == ["a leaked key"]
