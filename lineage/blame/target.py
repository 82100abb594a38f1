"""The dataset that somebody means who names a commit."""

from lineage.errors import Ambiguous, NotFound
from lineage.registry import Registry


def dataset_of(registry: Registry, revision: str) -> str:
    """The full id of a dataset, or of the one that a generation or model has.

    Of a generation: what its model was trained on, where it includes several.

    Raises:
        NotFound: when it has none.
        Ambiguous: when it has several.
    """
    id_ = registry.resolve(revision)
    commit = registry.load(id_)
    if commit.kind == "dataset":
        return id_
    found = _trained_on(registry, id_)
    if commit.kind == "generation":
        parts = _of_kind(registry, commit.ids("includes"), "dataset")
        trained = [part for part in parts if part in found]
        found = trained or parts
    if len(found) == 1:
        return found[0]
    what = f"the {commit.kind} {id_[:12]}"
    if not found:
        raise NotFound(f"{what} has no dataset", hint="name the dataset itself")
    names = [f"{each[:12]} ({registry.load(each).name})" for each in found]
    raise Ambiguous(f"{what} has {len(found)} datasets", names)


def _trained_on(registry: Registry, id_: str) -> list[str]:
    commit = registry.load(id_)
    models = [id_]
    if commit.kind == "generation":
        models = _of_kind(registry, commit.ids("includes"), "model")
    found = (d for model in models for d in registry.load(model).ids("trained_on"))
    return list(dict.fromkeys(found))


def _of_kind(registry: Registry, ids: tuple[str, ...], kind: str) -> list[str]:
    return [id_ for id_ in ids if registry.load(id_).kind == kind]
