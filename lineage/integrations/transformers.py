"""A callback for the trainers of transformers and TRL: two added lines record a run.

    from lineage.integrations.transformers import LineageCallback

    trainer = Trainer(..., callbacks=[LineageCallback(".", name="tutor")])

When training begins it notes the data and the model that training starts from, when
it ends it saves the model and commits it. It changes nothing about the training.
"""

from __future__ import annotations

import atexit
import sys
import warnings
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

import lineage
from lineage.errors import LineageError, NotFound, UsageError
from lineage.integrations.training_facts import metrics_of, notes_of, params_of
from lineage.observing.run import Run
from lineage.store.canonical import canonical, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lineage.registry import Registry

_FOLDER = "save it with `trainer.save_model` and commit it in a `registry.run`"


class LineageCallback(TrainerCallback):
    """Records what a trainer trains, on what, from what, and how.

    Args:
        registry: the registry, or a path in it.
        name: what the model is called: it goes on the branch ``model/NAME``.
        dataset: what it is trained on, a revision or a path, or several. Without it
            the trainer's own `datasets.Dataset` is committed as ``NAME-train``.
        base: the model that training starts from, as a revision, where its config
            does not say.
        checkpoints: commit the model at each save too, on ``model/NAME@checkpoints``.
    """

    def __init__(
        self,
        registry: Registry | str | Path = ".",
        *,
        name: str,
        dataset: str | Path | Sequence[str | Path] | None = None,
        base: str | None = None,
        checkpoints: bool = False,
    ) -> None:
        if isinstance(registry, str | Path):
            served = str(registry).startswith(("http://", "https://"))
            registry = (lineage.connect if served else lineage.open)(str(registry))
        self.registry = registry
        self.name, self.base, self.checkpoints = name, base, checkpoints
        named = [dataset] if isinstance(dataset, (str, Path)) else dataset
        with self.registry:  # its git process ends; the next question starts another
            self._datasets = (
                None if named is None else [self._known(each) for each in named]
            )
            if base is not None:
                self.registry.resolve(base)
        self._run: Run | None = None

    def on_train_begin(
        self, args: Any, state: Any, control: Any, model: Any = None, **given: Any
    ) -> None:
        """Note data and base; what cannot be recorded is refused before any work."""
        del control
        if not state.is_world_process_zero:
            return
        self._abandon()
        if args.fsdp or args.deepspeed or not hasattr(model, "save_pretrained"):
            message = "LineageCallback saves whole models of transformers and peft"
            raise UsageError(message, hint=_FOLDER)
        run = Run(
            self.registry, f"train {self.name}", params=params_of(args), seed=args.seed
        )
        with self.registry:
            run.__enter__()
            try:
                run.note({"resumed_from_step": state.global_step or None})
                self._note_data(run, given.get("train_dataloader"))
                self._note_base(run, model, resumed=state.global_step > 0)
            except BaseException:
                run.__exit__(*sys.exc_info())
                raise
        self._run = run
        atexit.register(self._abandon)

    def on_save(
        self, args: Any, state: Any, control: Any, model: Any = None, **given: Any
    ) -> None:
        """Commit the model as it is at a save, if that is wanted."""
        del args, control
        if self.checkpoints and self._run is not None:
            branch, step = f"model/{self.name}@checkpoints", {"step": state.global_step}
            with self.registry:
                self._save(
                    model, given.get("processing_class"), branch=branch, params=step
                )

    def on_train_end(
        self, args: Any, state: Any, control: Any, model: Any = None, **given: Any
    ) -> None:
        """Commit the model. A failure to is a warning: the training was not in vain."""
        del control
        run, self._run = self._run, None
        if run is None:
            return
        atexit.unregister(self._abandon)
        self._run = run
        try:
            run.note(notes_of(args, state))
            run.log_metrics(metrics_of(state.log_history))
            self._save(model, given.get("processing_class"))
            run.__exit__(None, None, None)
        except (LineageError, OSError) as error:
            run.__exit__(type(error), error, None)
            warnings.warn(f"lineage did not record the model: {error}", stacklevel=2)
        finally:
            self._run = None
            self.registry.close()

    def _save(self, model: Any, tokenizer: Any, **more: Any) -> None:
        assert self._run is not None
        folder = self._run.folder / "model"
        with _without_paths(model):
            model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)  # peft's own, of this machine
        if hasattr(tokenizer, "save_pretrained"):
            tokenizer.save_pretrained(folder)
        self._run.commit("model", self.name, folder, **more)
        _remove(folder)

    def _known(self, dataset: str | Path) -> str | Path:
        """A revision, or a path where there is no such revision.

        Raises:
            NotFound: it is neither.
        """
        if isinstance(dataset, str):
            try:
                return str(self.registry.resolve(dataset))
            except NotFound:
                if not Path(dataset).exists():
                    raise
        return Path(dataset).absolute()

    def _note_data(self, run: Run, loader: Any) -> None:
        data: Any = getattr(loader, "dataset", None)
        plain = type(data).__module__ == "datasets.arrow_dataset"
        if plain:
            facts = {"rows": len(data), "fingerprint": data._fingerprint}  # noqa: SLF001
            run.note({"train_dataset": facts})
        if self._datasets is None and not plain:
            message = f"the trainer's data are a {type(data).__name__}"
            hint = "say which: LineageCallback(…, dataset='dataset/seed')"
            raise UsageError(f"{message}, which cannot be recorded", hint=hint)
        if self._datasets is None:
            path = run.folder / "records.jsonl"
            with path.open("wb") as out:
                out.writelines(canonical(normalise(r, "row")) + b"\n" for r in data)
            run.reads(path, name=f"{self.name}-train")
        for each in self._datasets or ():
            _ = run.reads(each) if isinstance(each, Path) else run.cite(each)

    def _note_base(self, run: Run, model: Any, *, resumed: bool) -> None:
        """The model that training starts from: hashed, and compared with its files."""
        if self.base is not None:
            run.cite(self.base, role="fine_tuned_from")
            return
        name = getattr(model.config, "_name_or_path", "")
        folder = Path(name) if name else None
        if folder is None:
            return
        if not folder.is_dir():
            revision = getattr(model.config, "_commit_hash", None)
            uri = f"hf://{name}@{revision}" if revision else f"hf://{name}"
            made = self.registry.commit("model", name, external={"uri": uri})
            run.cite(made.id, role="fine_tuned_from")
            return
        same = None if resumed else _has_weights_of(model, folder)
        if same is False:
            run.note({"base": f"the weights are not those of {folder.name}"})
            return
        title = folder.absolute().name
        run.reads(folder, kind="model", name=title, role="fine_tuned_from")
        if same is None:  # the config says so, and nobody could look
            run.inputs[-1] = replace(run.inputs[-1], payload=None)

    def _abandon(self) -> None:
        """End a run whose training never came to its end."""
        run, self._run = self._run, None
        atexit.unregister(self._abandon)
        if run is not None:
            error = getattr(sys, "last_value", None)
            with self.registry:
                failed = error or LineageError("training was not ended")
                run.__exit__(None, failed, None)


def _has_weights_of(model: Any, folder: Path) -> bool | None:
    """Whether a model has the weights of a folder's safetensors; None: cannot tell.

    A model that was made of a folder's config alone has not. Tensors that were
    resized, and those of an adapter, are not compared.
    """
    import torch
    from safetensors import safe_open

    base = model.get_base_model() if hasattr(model, "peft_config") else model
    ours = {key.replace(".base_layer.", "."): t for key, t in base.state_dict().items()}
    compared = 0
    for file in sorted(folder.glob("*.safetensors")):
        with suppress(OSError), safe_open(file, framework="pt") as weights:
            for key in weights.keys():  # noqa: SIM118 - it is no mapping
                here = ours.get(key)
                if here is None or here.is_meta:
                    continue
                there = weights.get_tensor(key)
                if there.shape == here.shape:
                    there = there.to(here.device, here.dtype)
                    if not torch.equal(there, here):
                        return False
                    compared += 1
    return True if compared else None


@contextmanager
def _without_paths(model: Any) -> Iterator[None]:
    """Let a model and its adapters name their base without a path of this machine."""
    adapters = getattr(model, "peft_config", {}).values()
    bases = [(each, each.base_model_name_or_path) for each in adapters]
    name, model.config.name_or_path = model.config.name_or_path, ""
    try:
        for adapter, base in bases:
            adapter.base_model_name_or_path = base and Path(base).name
        yield
    finally:
        model.config.name_or_path = name
        for adapter, base in bases:
            adapter.base_model_name_or_path = base


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
