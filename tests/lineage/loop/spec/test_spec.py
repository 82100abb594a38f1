"""A loop spec is checked whole before anything runs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import StoreError, UsageError
from lineage.loop.spec import LoopSpec, load
from lineage.loop.spec.gates import GATES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Parse = Callable[..., LoopSpec]

GPT2 = {"model_type": "gpt2", "n_layer": 1}
FRESH = {"config": GPT2, "tokenizer": {"vocab_size": 512}}


def refusal(parse: Parse, **sections: Any) -> str:
    """The one sentence that a spec is refused with."""
    with pytest.raises(UsageError) as caught:
        parse(**sections)
    assert "\n" not in str(caught.value)
    return str(caught.value)


SEED = {"config": None, "tokenizer": None, "model_name_or_path": "m"}
PREFERENCES: dict[str, Any] = {
    "trainer": {"type": "dpo"},
    "selection": {"by": "check_record", "keep": "pairs"},
    "generation": {"num_candidates": 2},
    "mixing": {"strategy": "replace"},
}


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({"nmae": "x"}, "nmae: unknown; did you mean name?"),
        (
            {"training": {"learning_rte": 1e-3}},
            "training.learning_rte: unknown; did you mean learning_rate?",
        ),
        (
            {"generation": {"generation_config": {"temprature": 0.8}}},
            (
                "generation.generation_config.temprature: "
                "unknown; did you mean temperature?"
            ),
        ),
        (
            {"model": FRESH | {"config": GPT2 | {"n_lyer": 2}}},
            "model.config.n_lyer: unknown; did you mean n_layer?",
        ),
        (
            {"model": FRESH | {"tokeniser": {}}},
            "model.tokeniser: unknown; did you mean tokenizer?",
        ),
        ({"review": {"evry": 2}}, "review.evry: unknown; did you mean every?"),
        (
            {"model": SEED | {"peft": {"target_module": ["q"]}}},
            "model.peft.target_module: unknown; did you mean target_modules?",
        ),
        ({"trainer": {"bta": 0.1}}, "trainer.bta: unknown; did you mean beta?"),
        (
            {"steps": {"evaluation": "a:b"}},
            "steps.evaluation: unknown; did you mean evaluate?",
        ),
        (
            {"gates": [{"type": "diversity", "mx": 2}]},
            "gates[0].mx: unknown; did you mean max?",
        ),
        (
            {"gates": [{"type": "divers"}]},
            "gates[0]: has an unknown type; did you mean diversity?",
        ),
        (
            {"evaluation": {"zzz": 1}},
            (
                "evaluation.zzz: unknown; known are batch_size, max_samples, measures, "
                "sample_size"
            ),
        ),
    ],
)
def test_unknown_keys_name_the_nearest(
    parse: Parse, sections: dict[str, Any], sentence: str
) -> None:
    """A misspelt key is an error with its place and the nearest valid name."""
    assert sentence == refusal(parse, **sections)


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({"name": 3}, "name: must be text, not 3"),
        ({"name": ""}, "name: must not be empty"),
        (
            {"name": "x@rejected"},
            "name: must not end in @rejected, where its loop keeps what was stopped",
        ),
        ({"num_generations": -1}, "num_generations: must be at least 0, not -1"),
        (
            {"num_generations": "two"},
            "num_generations: must be a whole number, not 'two'",
        ),
        ({"num_threads": True}, "num_threads: must be a whole number, not true"),
        ({"seed": 2**32}, "seed: must be less than 4294967296, not 4294967296"),
        ({"evaluation": [1]}, "evaluation: must be a mapping, not a list"),
        ({"gates": {}}, "gates: must be a list, not a mapping"),
        (
            {"model": SEED | {"peft": {"r": 0}}},
            "model.peft.r: must be at least 1, not 0",
        ),
        (
            {"model": SEED | {"peft": {"bias": "some"}}},
            "model.peft.bias: must be 'none', 'all' or 'lora_only', not 'some'",
        ),
        (
            {"model": SEED | {"peft": {"init_lora_weights": "pissa"}}},
            (
                "model.peft.init_lora_weights: must be True, False, 'gaussian' or "
                "'orthogonal', not 'pissa'"
            ),
        ),
        (
            {"model": SEED | {"peft": {"revision": "main"}}},
            (
                "model.peft.revision: not yours to set: the edge fine_tuned_from says "
                "which model an adapter is for"
            ),
        ),
        (
            {"model": SEED | {"peft": {}, "init_from": "scratch"}},
            "model.init_from: scratch has no weights that peft could adapt",
        ),
        (
            {"model": SEED | {"dtype": "float16"}},
            "model.dtype: must be 'float32' or 'bfloat16', not 'float16'",
        ),
        ({"trainer": {"beta": 0.2}}, "trainer.beta: goes with type: dpo, not sft"),
        (
            {"model": SEED | {"training": {"max_steps": 3}}},
            (
                "model.training: goes with config; "
                "a given model is generation 0 as it is"
            ),
        ),
        (
            {"model": FRESH | {"training": {"seed": 3}}},
            (
                "model.training.seed: not yours to set: "
                "set the loop's own seed; each step's is derived from it"
            ),
        ),
        (
            {**PREFERENCES, "training": {"label_smoothing_factor": 0.1}},
            (
                "training.label_smoothing_factor: is for labels, "
                "and preferences (dpo) have none"
            ),
        ),
        (
            {"trainer": {"type": "dpo", "temperature": 2}},
            "trainer.temperature: goes with type: reward_weighted, not dpo",
        ),
        ({"gates": [7]}, "gates[0]: must be a mapping, not 7"),
        ({"gates": [{}]}, "gates[0]: needs a type"),
        ({"model": {}}, "model: give exactly one of model_name_or_path and config"),
        (
            {"model": FRESH | {"model_name_or_path": "m"}},
            "model: give exactly one of model_name_or_path and config",
        ),
        (
            {"model": {"config": GPT2}},
            "model: config needs tokenizer: {vocab_size: …} beside it",
        ),
        (
            {"model": {"model_name_or_path": "m", "tokenizer": {"vocab_size": 512}}},
            "model: tokenizer goes with config; a given model brings its own",
        ),
        (
            {"model": {"config": GPT2, "tokenizer": {"vocab_size": 256}}},
            "model.tokenizer.vocab_size: must be at least 257, not 256",
        ),
        (
            {"model": FRESH | {"config": {"n_layer": 1}}},
            "model.config: needs a model_type, such as gpt2",
        ),
        (
            {"model": FRESH | {"config": {"model_type": "gtp2"}}},
            (
                "model.config.model_type: transformers has no model type 'gtp2'; "
                "did you mean gpt2?"
            ),
        ),
        (
            {"model": FRESH | {"config": GPT2 | {"vocab_size": 9}}},
            (
                "model.config.vocab_size: not yours to set: "
                "it is the tokenizer's vocab_size"
            ),
        ),
        ({"dataset": {}}, "dataset.train_file: is missing"),
        (
            {"dataset": {"train_file": "human.doc"}},
            "dataset.train_file: 'human.doc' is none of .txt, .jsonl, .csv, .parquet",
        ),
        (
            {"dataset": {"train_file": "a.csv", "prompt_column": "q"}},
            "dataset: prompt_column and completion_column go together",
        ),
        (
            {
                "dataset": {
                    "train_file": "a.csv",
                    "text_column": "t",
                    "messages_column": "m",
                }
            },
            "dataset: give messages_column or text_column, not both",
        ),
        (
            {"dataset": {"train_file": ["a.csv", "b.txt"], "messages_column": "m"}},
            "dataset: b.txt has no columns; leave out messages_column",
        ),
        (
            {"dataset": {"train_file": "a.jsonl", "messages_column": "m"}},
            "generation.chat: must be true to answer human chats",
        ),
        (
            {"dataset": {"train_file": "a.txt", "on_leak": "remove"}},
            "dataset: on_leak goes with validation_file; a split removes what leaks",
        ),
        (
            {
                "dataset": {
                    "train_file": "a.txt",
                    "validation_file": "b.txt",
                    "validation_split": 0.2,
                }
            },
            "dataset: give validation_file or validation_split, not both",
        ),
        (
            {"dataset": {"train_file": "a.txt", "origin": "person"}},
            (
                "dataset.origin: must be 'human', 'machine', 'mixed' or 'unknown', "
                "not 'person'"
            ),
        ),
        (
            {"generation": {"prompt_length": 128}},
            "generation.prompt_length: must be less than dataset.block_size, 128",
        ),
        (
            {"generation": {"generation_config": {"temperature": 0}}},
            "generation.generation_config.temperature: must be greater than 0.0, not 0",
        ),
        (
            {"generation": {"generation_config": {"top_k": 0.5}}},
            "generation.generation_config.top_k: must be a whole number, not 0.5",
        ),
        (
            {"generation": {"generation_config": {"num_return_sequences": 4}}},
            (
                "generation.generation_config.num_return_sequences: not yours to set: "
                "each record has its own prompt; set num_samples"
            ),
        ),
        (
            {"training": {"learning_rate": "fast"}},
            "training.learning_rate: must be a number, not 'fast'",
        ),
        (
            {"training": {"lr_scheduler_type": "cosin"}},
            "training.lr_scheduler_type: 'cosin' is unknown; did you mean cosine?",
        ),
        (
            {"training": {"output_dir": "out"}},
            (
                "training.output_dir: not yours to set: "
                "the loop chooses where models are written"
            ),
        ),
        (
            {"training": {"load_best_model_at_end": True}},
            (
                "training.load_best_model_at_end: not yours to set: "
                "the held-out data never enter training"
            ),
        ),
        (
            {"training": {"ignore_data_skip": True}},
            (
                "training.ignore_data_skip: not yours to set: "
                "training that a kill interrupted would see other data"
            ),
        ),
        (
            {"training": {"save_strategy": "best"}},
            (
                "training.save_strategy: best is told by held-out data, "
                "which never enter training"
            ),
        ),
        (
            {"training": {"learning_rate": -1}},
            "training.learning_rate: must be at least 0.0, not -1",
        ),
        (
            {"training": {"per_device_train_batch_size": 0}},
            "training.per_device_train_batch_size: must be at least 1, not 0",
        ),
        (
            {"generation": {"generation_config": {"num_beams": 4}}},
            (
                "generation.generation_config.num_beams: not for the built-in generate "
                "step: it draws records one by one and searches no beams"
            ),
        ),
        (
            {"generation": {"generation_config": {"max_new_tokens": None}}},
            (
                "generation.generation_config.max_new_tokens: "
                "must be a whole number, not null"
            ),
        ),
        (
            {"generation": {"generation_config": {"stop_strings": ["."]}}},
            (
                "generation.generation_config.stop_strings: not for the built-in "
                "generate step: it works on tokens, not on text"
            ),
        ),
        ({"mixing": {"strategy": "mix"}}, "mixing: strategy mix needs human_fraction"),
        (
            {"mixing": {"strategy": "mix", "human_fraction": 1.0}},
            "mixing.human_fraction: must be less than 1.0, not 1.0",
        ),
        (
            {"mixing": {"strategy": "replace", "human_fraction": 0.1}},
            (
                "mixing: human_fraction and human_resample go with strategy mix, "
                "not replace"
            ),
        ),
        (
            {"mixing": {"weights": {"human": 0, "new": 0}}},
            "mixing: weights leave generation 1 nothing to train on",
        ),
        (
            {"trainer": {"type": "reward_weighted"}},
            "trainer: reward_weighted needs a selection that keeps single records",
        ),
        (
            {"trainer": {"type": "dpo"}},
            "trainer: dpo needs selection.keep: pairs",
        ),
        (
            {
                "trainer": {"type": "dpo"},
                "generation": {"num_candidates": 2},
                "selection": {"by": "check_record", "keep": "pairs"},
            },
            (
                "trainer: dpo learns from pairs, which human records are not: "
                "set mixing.strategy: replace"
            ),
        ),
        (
            {"gates": [{"type": "diversity", "action": "drop"}]},
            (
                "gates[0].action: drop is for gates that judge single records; "
                "use stop or review"
            ),
        ),
        (
            {"gates": [{"type": "diversity", "min": 2}]},
            "gates[0]: min 2.0 must be less than max 1.25",
        ),
        (
            {"gates": [{"type": "diversity"}, {"type": "diversity"}]},
            "gates: two gates have the id 'diversity'; give one of them another",
        ),
        (
            {"steps": {"train": "trainer"}},
            (
                'steps.train.callable: a step is "package.module:function" '
                'or {callable: …, timeout: …} or {command: "…"} or '
                "{use: an installed step, its options}"
            ),
        ),
        (
            {"steps": {"train": 3}},
            (
                'steps.train: a step is "package.module:function" or '
                '{callable: …, timeout: …} or {command: "…"} or '
                "{use: an installed step, its options}"
            ),
        ),
        (
            {"steps": {"train": {"command": ""}}},
            "steps.train.command: must not be empty",
        ),
        (
            {"steps": {"train": {"command": " "}}},
            "steps.train.command: must not be empty",
        ),
        (
            {"dataset": {"train_file": ""}},
            "dataset.train_file: '' is none of .txt, .jsonl, .csv, .parquet",
        ),
        (
            {"dataset": {"train_file": "human.txt", "text_column": ""}},
            "dataset.text_column: must not be empty",
        ),
        (
            {"name": " "},
            (
                "name: cannot be a loop's: the branch 'loop/ ' has characters that "
                "do not print, or spaces at an end"
            ),
        ),
        (
            {"name": "a..b"},
            (
                "name: cannot be a loop's: the branch 'loop/a..b' contains .., which "
                "revisions are written with"
            ),
        ),
        (
            {"gates": [{"type": "check_record", "checks": "a\0.py"}]},
            "gates[0].checks: has a NUL, which no name and no path can have",
        ),
        (
            {"model": {"config": {"a\0": 1}}},
            "model.config: has a NUL, which no name and no path can have",
        ),
        (
            {"model": {"config": {"model_type": float("nan")}}},
            "spec.model.config.model_type is nan, which has no place in a manifest",
        ),
    ],
)
def test_refusals(parse: Parse, sections: dict[str, Any], sentence: str) -> None:
    """Wrong types and impossible combinations are one sentence with their place."""
    assert sentence == refusal(parse, **sections)


def test_keys_are_text(tmp_path: Path) -> None:
    """A key that JSON could not have is refused."""
    with pytest.raises(UsageError, match="spec has the key 1, which is not a string"):
        LoopSpec.parse({1: 2}, tmp_path)


def test_every_refused_field_is_one_of_transformers() -> None:
    """What we keep for ourselves exists; otherwise the nearest name would be said."""
    from transformers import GenerationConfig, TrainingArguments

    from lineage.loop.spec.owned import (
        NOT_BUILT_IN,
        OWNED_GENERATION,
        OWNED_TRAINING,
    )

    assert {*OWNED_GENERATION, *NOT_BUILT_IN} <= set(vars(GenerationConfig()))
    assert set(OWNED_TRAINING) <= set(TrainingArguments.__dataclass_fields__)


def test_names_are_checked_where_transformers_is(
    parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it no built-in step runs, and the fields are the user's steps' own."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    own = {"learning_rte": "fast"}
    model = FRESH | {"config": {"model_type": "mine", "depth": 2}}
    spec = parse(training=own, model=model, generation={"generation_config": own})
    assert spec.training == own
    assert "training.output_dir: not yours" in refusal(
        parse, training={"output_dir": "x"}
    )
    assert "temperature: must be greater" in refusal(
        parse, generation={"generation_config": {"temperature": -1}}
    )


def test_load_names_the_file(tmp_path: Path) -> None:
    """A mistake in a file is reported with the file's path."""
    path = tmp_path / "loop.yaml"
    path.write_text("name: x\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: num_generations: is missing"


@pytest.mark.parametrize(
    ("text", "what"), [("", "null"), ("- a", "a list"), ("x", "'x'")]
)
def test_load_wants_a_mapping(tmp_path: Path, text: str, what: str) -> None:
    """A file with something else than a mapping is no spec."""
    (tmp_path / "loop.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=f"a loop spec is a mapping, not {what}"):
        load(tmp_path / "loop.yaml")


def test_a_whole_file(tmp_path: Path) -> None:
    """A spec with every section is read, numbers with an exponent included."""
    (tmp_path / "checks.py").write_text("def check_record(record): ...\n")
    (tmp_path / "groups.yaml").write_text("a: [x]\nb: [y]\n")
    (tmp_path / "loop.yaml").write_text(
        """\
name: tutor
num_generations: 3
seed: 7
model:
  config: {model_type: gpt2, n_layer: 2, hidden_size: 48, layer_norm_epsilon: 1e-5}
  tokenizer: {vocab_size: 512}
dataset:
  train_file: [a.txt, b.jsonl]
  validation_file: held.txt
  block_size: 64
  origin: human
  licence: PSF-2.0
generation: {prompt_length: 4, generation_config: {temperature: 0.8, top_k: 0}}
mixing: {strategy: mix, human_fraction: 0.1, human_resample: fixed}
training: {learning_rate: 2e-3, max_steps: 250, lr_scheduler_type: cosine}
gates:
  - {type: check_record}
  - {type: group_rate, lexicon: groups.yaml, action: review}
  - {type: diversity, id: narrow, min: 0.9, max: 1.1}
  - {type: diversity, measure: unigram_entropy}
review: {every: 2}
steps: {generate: "my.steps:write", train: {command: "python train.py"}}
""",
        encoding="utf-8",
    )
    spec = load(tmp_path / "loop.yaml")
    assert spec.training["learning_rate"] == 2e-3
    assert spec.dataset.train_file == ["a.txt", "b.jsonl"]
    assert spec.dataset.held_out_fraction is None
    assert spec.dataset.origin_record == {"type": "human", "licence": "PSF-2.0"}
    assert spec.mixing.resample == "fixed"
    assert [gate.id for gate in spec.gates] == [
        "check_record",
        "group_rate",
        "narrow",
        "diversity",
    ]
    assert spec.steps.generate is not None
    assert spec.steps.train is not None
    assert spec.steps.generate.callable == "my.steps:write"
    assert spec.steps.train.command == "python train.py"
    assert spec.path("a.txt") == tmp_path / "a.txt"
    json.dumps(spec.resolved(), allow_nan=False)


def test_defaults(parse: Parse) -> None:
    """What a spec leaves out is what the reference says."""
    spec = parse()
    assert spec.num_threads == 1
    assert spec.dataset.held_out_fraction == 0.1
    assert spec.dataset.origin_record == {"type": "unknown"}
    assert spec.mixing.strategy == "accumulate"
    assert spec.model.successor_from == "parent"
    assert parse(model=FRESH).model.successor_from == "scratch"
    assert parse(model=FRESH | {"init_from": "base"}).model.successor_from == "base"


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {"do_sample": True, "max_new_tokens": 127}),
        ({"do_sample": False}, {"do_sample": False, "max_new_tokens": 127}),
        ({"max_new_tokens": 5}, {"do_sample": True, "max_new_tokens": 5}),
        ({"max_length": 32}, {"do_sample": True, "max_length": 32}),
    ],
)
def test_generation_fills_the_block(
    parse: Parse, given: dict[str, Any], fields: dict[str, Any]
) -> None:
    """Generation samples, up to the block size, unless the spec says otherwise."""
    spec = parse(generation={"generation_config": given})
    assert spec.generation_config == fields


def test_resolved_holds_defaults_but_no_path(parse: Parse, tmp_path: Path) -> None:
    """The config commit's content is complete and says nothing of this machine."""
    (tmp_path / "model").mkdir()
    (tmp_path / "checks.py").write_bytes(b"")
    spec = parse(
        model={"model_name_or_path": str(tmp_path / "model")},
        dataset={"train_file": str(tmp_path / "human.txt")},
        gates=[{"type": "check_record", "checks": str(tmp_path / "checks.py")}],
    )
    resolved = spec.resolved()
    assert str(tmp_path) not in json.dumps(resolved)
    assert resolved["model"]["model_name_or_path"] == "model"
    assert resolved["model"]["init_from"] == "parent"
    assert resolved["dataset"]["train_file"] == ["human.txt"]
    assert resolved["dataset"]["validation_split"] == 0.1
    assert resolved["generation"]["generation_config"]["max_new_tokens"] == 127
    assert resolved["gates"][0]["checks"] == {
        "file": "checks.py",
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }


def test_resolved_is_the_same_wherever_it_is(tmp_path: Path) -> None:
    """A copy of the spec and its files in another folder is the same config."""
    contents = []
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "checks.py").write_bytes(b"x = 1\n")
        (folder / "loop.yaml").write_text(
            "name: t\nnum_generations: 1\nmodel: {model_name_or_path: m}\n"
            "dataset: {train_file: a.txt}\ngates: [{type: check_record}]\n",
            encoding="utf-8",
        )
        contents.append(load(folder / "loop.yaml").resolved())
    assert contents[0] == contents[1]


def test_resolved_changes_with_what_shapes_a_generation(
    parse: Parse, tmp_path: Path
) -> None:
    """A setting or an edited checks file is another config; a longer loop is not."""
    checks = tmp_path / "checks.py"
    checks.write_bytes(b"x = 1\n")
    gates = [{"type": "check_record"}]
    before = parse(gates=gates).resolved()
    assert parse(gates=gates, num_generations=9, name="other").resolved() == before
    assert parse(gates=gates, seed=1).resolved() != before
    checks.write_bytes(b"x = 2\n")
    assert parse(gates=gates).resolved() != before


READ: dict[str, dict[str, Any]] = {  # what names a file, and how
    "lexicon.yaml": {"gates": [{"type": "group_rate", "lexicon": "lexicon.yaml"}]},
    "truth.jsonl": {"gates": [{"type": "fabrication", "truth": "truth.jsonl"}]},
    "verify.py": {"gates": [{"type": "fabrication", "verifier": "verify.py:true"}]},
    "gold.py": {"gates": [{"type": "over_optimisation", "gold": "gold.py"}]},
    "sets.jsonl": {"gates": [{"type": "contamination", "against": ["sets.jsonl"]}]},
    "schema.py": {"gates": [{"type": "schema", "pandera": "schema.py:S"}]},
    "predict.py": {"gates": [{"type": "fairness"}]},
    "pairs.csv": {"gates": [{"type": "preference", "pairs": "pairs.csv"}]},
    "suite.jsonl": {"gates": [{"type": "suite", "suite": "suite.jsonl"}]},
    "rewards.py": {"selection": {"by": "rewards.py:score", "keep": "weighted"}},
    "measures.py": {"evaluation": {"measures": ["measures.py:wit"]}},
    "prompts.txt": {"generation": {"prompts": {"file": "prompts.txt"}}},
    "values.jsonl": {
        "generation": {"prompts": {"template": "{a}", "values": "values.jsonl"}}
    },
}


@pytest.mark.parametrize("name", READ)
def test_a_changed_file_is_another_config(
    parse: Parse, tmp_path: Path, name: str
) -> None:
    """Whatever names it; its content counts, as it was when it was first read."""
    file = tmp_path / name
    file.write_bytes(b"x = 1\n")
    spec = parse(**READ[name])
    before = spec.resolved()
    file.write_bytes(b"x = 2\n")
    assert spec.resolved() == before
    assert parse(**READ[name]).resolved() != before


def test_every_gate_s_files_are_tried() -> None:
    """A gate that names a file of a new kind stands in the table above."""
    tried = {gate["type"] for each in READ.values() for gate in each.get("gates", ())}
    name_files = {n for n in GATES.names() if GATES[n].Section.files}
    same = {"check_record", "counterfactual", "counterfactual_rate"}
    assert name_files - same == tried


def test_resolved_needs_the_gates_files(parse: Parse) -> None:
    """A checks file that is not there is named."""
    spec = parse(gates=[{"type": "check_record"}])
    with pytest.raises(StoreError, match=r"checks\.py cannot be read: No such file"):
        spec.resolved()


def test_a_model_is_a_folder_or_a_revision(parse: Parse, tmp_path: Path) -> None:
    """What is no folder beside the spec is a revision of the registry."""
    given = {"config": None, "model_name_or_path": "model/tutor"}
    assert parse(model=given).model_folder is None
    (tmp_path / "model" / "tutor").mkdir(parents=True)
    assert parse().model_folder == (tmp_path / "model" / "tutor").resolve()


def test_how_long_a_command_may_take_is_no_part_of_the_config(parse: Parse) -> None:
    """Another timeout shapes no artifact, so ids stay."""
    slow, fast = (
        parse(steps={"train": {"command": "make it", "timeout": seconds}})
        for seconds in (60, 0.5)
    )
    assert slow.steps.train is not None
    assert slow.steps.train.timeout == 60
    assert slow.resolved() == fast.resolved()


def test_in_bfloat16_batches_are_part_of_the_config(parse: Parse) -> None:
    """There they shape the records; where the model lies never does."""
    half = SEED | {"dtype": "bfloat16"}
    usual = parse(model=half).resolved()
    assert parse(model=half, generation={"batch_size": 7}).resolved() != usual
    assert parse(model=half | {"device_map": "auto"}).resolved() == usual


def test_a_trainer_is_resolved_to_what_counts(parse: Parse) -> None:
    """Fields of another type are left out, defaults of its own filled in."""
    plain = {"completion_only": False, "type": "sft"}
    assert parse().resolved()["trainer"] == plain
    spec = parse(trainer={"type": "dpo"}, steps={"mix": "pairs:mix"})
    found = spec.resolved()["trainer"]
    assert found == plain | {"type": "dpo", "beta": 0.1, "reference": "base"}


def test_how_many_records_at_once_is_no_part_of_the_config(parse: Parse) -> None:
    """Another batch writes the same bytes; a shard or a held-out batch does not."""
    usual = parse().resolved()
    assert parse(generation={"batch_size": 7}).resolved() == usual
    assert parse(generation={"shard_size": 7}).resolved() != usual
    assert parse(evaluation={"batch_size": 7}).resolved() != usual


def test_a_step_of_one_s_own_may_search_beams(parse: Parse) -> None:
    """What the built-in step cannot do is for others to read."""
    fields = {"num_beams": 4, "stop_strings": ["."]}
    spec = parse(
        steps={"generate": "mine:write"}, generation={"generation_config": fields}
    )
    assert spec.generation_config.items() >= fields.items()
    parse(generation={"generation_config": {"num_beams": 1}})  # is no beam


def test_generation_0_has_settings_of_its_own(parse: Parse) -> None:
    """Fields of model.training go before those of training, for the first model."""
    fields = {"max_steps": 9, "learning_rate": 1e-3}
    model = FRESH | {"training": {"max_steps": 90}}
    spec = parse(model=model, training=fields)
    assert spec.training_of(0) == {"max_steps": 90, "learning_rate": 1e-3}
    assert spec.training_of(1) == fields
    assert spec.resolved()["model"]["training"] == {"max_steps": 90}
