"""`loop.yaml`: what a loop is made of, read and checked before anything runs.

Field names are those of transformers (`TrainingArguments`, `GenerationConfig`,
`run_clm`) and datasets, so what a reader knows already holds here. A key that
nobody reads is an error with the nearest valid name, because a misspelt
`learning_rte` that is silently left out is a wrong experiment.

Start at `load`. Each section has a module of its name, gates have theirs in
`lineage.loop.gates`; `docs/loop.md` is the reference for people.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from lineage.errors import UsageError
from lineage.loop.branches import REJECTED, branch_of
from lineage.loop.spec.budgets import BudgetsSpec
from lineage.loop.spec.dataset import DatasetSpec
from lineage.loop.spec.errors import Section, endings_of_text, refuse, sentence, shown
from lineage.loop.spec.evaluation import (
    OWN_MEASURES,
    EvaluationSpec,
    in_file,
    measure_name,
)
from lineage.loop.spec.files import installed_content, parted
from lineage.loop.spec.gates import GATES, GateSection, parse_gate
from lineage.loop.spec.generation import HUMAN, GenerationSpec, TemplatePrompts
from lineage.loop.spec.launcher import LauncherSpec
from lineage.loop.spec.mixing import MixingSpec
from lineage.loop.spec.model import ModelSpec
from lineage.loop.spec.names import check_built_in, check_training
from lineage.loop.spec.review import ReviewSpec
from lineage.loop.spec.selection import SelectionSpec
from lineage.loop.spec.steps import StepsSpec
from lineage.loop.spec.trainer import TrainerSpec
from lineage.loop.spec.yaml_file import read_yaml
from lineage.store import names
from lineage.store.canonical import normalise
from lineage.store.disk import read_file

# Checked by the class of its type, which may be an installed package's.
Gate = Annotated[SerializeAsAny[GateSection], BeforeValidator(parse_gate)]

# What a loop is called, how far it runs, where its models lie, how many records it
# writes at once and which of them a person is shown shape none of its artifacts.
_NOT_CONFIG: Mapping[str, bool | Mapping[str, bool]] = {
    "name": True,
    "num_generations": True,
    "model": {"device_map": True},
    "generation": {"batch_size": True},
    "launcher": True,
    "review": {"sample": True},
}


class LoopSpec(Section):
    """A whole `loop.yaml`. Paths in it are relative to the file."""

    name: str = Field(min_length=1)
    """The loop's name: its branch is `loop/NAME`. It must not end in `@rejected`."""
    num_generations: int = Field(ge=0)  # 0: only the first model, to start from
    """How many generations follow generation 0."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Every choice is derived from it by SHA-256."""
    num_threads: int = Field(default=1, ge=1)
    """Threads of torch. Another number rounds differently, so it is part of the
    config."""
    num_processes: int = Field(default=1, ge=1)
    """Processes that train one model together, by torchrun."""
    model: ModelSpec
    dataset: DatasetSpec
    generation: GenerationSpec = Field(default_factory=GenerationSpec)
    selection: SelectionSpec | None = None
    mixing: MixingSpec = Field(default_factory=MixingSpec)
    training: dict[str, Any] = Field(default_factory=dict)
    """Fields of `TrainingArguments` that successors are trained with."""
    trainer: TrainerSpec = Field(default_factory=TrainerSpec)
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec)
    gates: list[Gate] = Field(default_factory=list)
    """What a generation must pass, in this order."""
    retries: int = Field(default=2, ge=0)
    """How often a generation is tried again by itself."""
    budgets: BudgetsSpec | None = None
    review: ReviewSpec | None = None
    steps: StepsSpec = Field(default_factory=StepsSpec)
    launcher: LauncherSpec = Field(default_factory=LauncherSpec)
    _base: Path = PrivateAttr()
    _files: dict[str | tuple[str, str], bytes] = PrivateAttr(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _own_branch(cls, name: str) -> str:
        if name.endswith(REJECTED):
            refuse("must not end in @rejected, where its loop keeps what was stopped")
        try:
            names.check(branch_of(name), "branch")
        except UsageError as error:
            refuse(f"cannot be a loop's: {error}")
        return name

    @field_validator("training")
    @classmethod
    def _training_names(cls, fields: dict[str, Any]) -> dict[str, Any]:
        check_training(fields)
        return fields

    @field_validator("gates")
    @classmethod
    def _one_id_each(cls, gates: list[GateSection]) -> list[GateSection]:
        ids = [gate.id for gate in gates]
        for name in ids:
            if ids.count(name) > 1:
                refuse(f"two gates have the id {name!r}; give one of them another")
        return gates

    @model_validator(mode="after")
    def _room_for_the_prompt(self) -> Self:
        if self.generation.prompt_length >= self.dataset.block_size:
            refuse(
                f"must be less than dataset.block_size, {self.dataset.block_size}",
                "generation.prompt_length",
            )
        return self

    @model_validator(mode="after")
    def _what_the_step_can_do(self) -> Self:
        if self.steps.generate is None:
            check_built_in(self.generation.generation_config)
        return self

    @model_validator(mode="after")
    def _prompts_to_have(self) -> Self:
        section, asked = self.generation, self.dataset.has_prompts
        if self.asks_whole_prompts and "prompt_length" in section.model_fields_set:
            refuse(
                "is for slices of text; prompts are whole", "generation.prompt_length"
            )
        if section.chat and not self.asks_whole_prompts:
            refuse(
                "needs whole prompts: name their column, or give prompts",
                "generation.chat",
            )
        chats = self.dataset.messages_column and section.prompts == HUMAN
        if chats and not section.chat and self.steps.generate is None:
            refuse("must be true to answer human chats", "generation.chat")
        if section.instructs and not asked:
            refuse(
                "needs human prompts to show: set dataset.prompt_column",
                "generation.prompts.self_instruct",
            )
        return self

    @model_validator(mode="after")
    def _labels_to_smooth(self) -> Self:
        smooth = self.training.get("label_smoothing_factor")
        if smooth and self.trainer.type == "dpo" and not self.steps.train:
            what = "is for labels, and preferences (dpo) have none"
            refuse(what, "training.label_smoothing_factor")
        return self

    @model_validator(mode="after")
    def _something_to_select_from(self) -> Self:
        if self.selection is None:
            return self
        if self.steps.check is not None:
            refuse("is for the built-in check step, not one of your own", "selection")
        alone = self.generation.num_candidates == 1 and self.steps.generate is None
        if self.selection.needs_candidates and alone:
            what = (
                f"keep: {self.selection.keep} needs generation.num_candidates above 1"
            )
            refuse(what, "selection")
        return self

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> Self:
        """Built-in steps write preferences and rewards by a selection, or never."""
        steps, trainer = self.steps, self.trainer.type
        if trainer == "sft" or steps.generate or steps.check or steps.mix:
            return self
        keep = self.selection and self.selection.keep
        if trainer == "reward_weighted" and keep in (None, "pairs"):
            what = "reward_weighted needs a selection that keeps single records"
            refuse(what, "trainer")
        if trainer == "dpo" and keep != "pairs":
            refuse("dpo needs selection.keep: pairs", "trainer")
        if trainer == "dpo" and self.mixing.trains_on_human:
            what = "dpo learns from pairs, which human records are not"
            refuse(f"{what}: set mixing.strategy: replace", "trainer")
        return self

    @classmethod
    def parse(cls, mapping: object, base: Path) -> Self:
        """Check a mapping whose paths are relative to the folder `base`.

        Raises:
            UsageError: one sentence that names the key and what is wrong with it.
        """
        if not isinstance(mapping, Mapping):
            raise UsageError(f"a loop spec is a mapping, not {shown(mapping)}")
        plain = normalise(mapping, "spec")
        for place in endings_of_text(plain):
            raise UsageError(f"{place}: has a NUL, which no name and no path can have")
        try:
            return cls.model_validate(plain, context=base)
        except ValidationError as error:
            raise UsageError(sentence(error)) from None

    def model_post_init(self, base: Path) -> None:
        """Keep the folder, which is not part of the content."""
        self._base = base

    def path(self, name: str) -> Path:
        """Where a file that the spec names is."""
        return self._base / name

    def content(self, name: str | Mapping[str, str]) -> bytes:
        """What a gate's file has in it, as it was when it was first asked for.

        So what a run uses is what its config has by hash, whatever is edited
        meanwhile. A mapping names a `file` of an installed `distribution`.

        Raises:
            StoreError: when it cannot be read.
            UsageError: when no such package is installed, or it has no such file.
        """
        key = name if isinstance(name, str) else (name["distribution"], name["file"])
        if key not in self._files:
            self._files[key] = self._read(name)
        return self._files[key]

    def _read(self, name: str | Mapping[str, str]) -> bytes:
        if not isinstance(name, str):
            return installed_content(**name)
        return read_file(self.path(name))

    @property
    def generation_config(self) -> dict[str, Any]:
        """The fields of GenerationConfig: sample, and fill the block, unless said."""
        given = self.generation.generation_config
        fields: dict[str, Any] = {"do_sample": True}
        if self.asks_whole_prompts and "max_new_tokens" not in given:
            fields["max_length"] = self.dataset.block_size
        elif "max_length" not in given:
            room = self.dataset.block_size - self.generation.prompt_length
            fields["max_new_tokens"] = room
        return fields | given

    def resolved(self) -> dict[str, Any]:
        """The config commit's content: plain JSON data, defaults filled in.

        Files stand by their last name only, so that no path of this machine gets
        into an id: what data and models are is said by edges, what `checks`,
        `lexicon` and measures are by their SHA-256, and what packages add by theirs.

        Raises:
            StoreError: when a gate's file cannot be read.
        """
        data = self.model_dump(mode="json", exclude=_NOT_CONFIG)
        model, dataset = data["model"], data["dataset"]
        model["init_from"] = self.model.successor_from
        if self.model_folder is not None:
            model["model_name_or_path"] = self.model_folder.name
        for key in ("train_file", "validation_file"):
            dataset[key] = dataset[key] and [Path(name).name for name in dataset[key]]
        dataset["validation_split"] = self.dataset.held_out_fraction
        if self.model.dtype != "float32":  # then batches shape records: see `sampling`
            data["generation"]["batch_size"] = self.generation.batch_size
        data["trainer"] = self.trainer.resolved()
        data["generation"]["generation_config"] = self.generation_config
        for section, gate in zip(self.gates, data["gates"], strict=True):
            for key in section.files:
                gate[key] = gate[key] and self.identity(gate[key])
            if origin := GATES.identity(section.type):
                gate["from"] = origin
        measures = self.evaluation.measures
        data["evaluation"]["measures"] = {
            measure_name(measure): self.measure_origin(measure) for measure in measures
        }
        data["generation"]["prompts"] = self._asked()
        if self.selection is not None:
            data["selection"]["by"] = self._selector()
        return data

    def _asked(self) -> Any:
        """Where prompts are from; a file of them stands by its SHA-256."""
        section = self.generation.prompts
        if section == HUMAN:
            return HUMAN
        data = section.model_dump(mode="json")
        for key in section.files:
            data[key] = self.identity(data[key])
        if isinstance(section, TemplatePrompts) and isinstance(section.values, str):
            data["values"] = self.identity(section.values)
        return data

    def _selector(self) -> Any:
        """What selects, as the config has it: which model is said by an edge."""
        assert self.selection is not None
        section = self.selection.model
        if section is None:
            return self.identity(self.selection.by)
        name = Path(section.model_name_or_path).name
        return section.model_dump(mode="json") | {"model_name_or_path": name}

    @property
    def asks_whole_prompts(self) -> bool:
        """Whether models answer prompts, rather than go on with a slice of text."""
        return self.dataset.has_prompts or self.generation.prompts != HUMAN

    def training_of(self, generation: int) -> dict[str, Any]:
        """The fields of TrainingArguments that a generation's model is trained with."""
        first = self.model.training if generation == 0 else None
        return self.training | (first or {})

    @property
    def model_folder(self) -> Path | None:
        """The `save_pretrained` folder, or None for a config or a revision."""
        name = self.model.model_name_or_path
        folder = self.path(name) if name else None
        return folder.resolve() if folder and folder.is_dir() else None

    def identity(self, place: str | list[str] | Mapping[str, str]) -> Any:
        """A file, or `file.py:name`, or several, by last name and SHA-256."""
        if isinstance(place, list):
            return [self.identity(each) for each in place]
        if isinstance(place, Mapping):
            return {**place, "sha256": sha256(self.content(place)).hexdigest()}
        file, name = parted(place)
        digest = sha256(self.content(file)).hexdigest()
        plain = {"file": Path(file).name, "sha256": digest}
        return plain | {"name": name} if name else plain

    def measure_origin(self, measure: str) -> dict[str, str]:
        """What a measure is: a file or a package, by hash."""
        if in_file(measure) is None:
            return OWN_MEASURES.identity(measure) or {}
        found: dict[str, str] = self.identity(measure)
        return found


def load(path: Path) -> LoopSpec:
    """Read and check a `loop.yaml`.

    Raises:
        StoreError: when the file cannot be read.
        UsageError: when it is no valid spec; one sentence with the key or the line.
    """
    mapping = read_yaml(path)
    try:
        return LoopSpec.parse(mapping, path.parent.absolute())
    except UsageError as error:
        raise UsageError(f"{path}: {error}", hint=error.hint) from None
