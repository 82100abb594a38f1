"""The file of a policy: `.lineage/policy.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import Discriminator, Tag, ValidationError

from lineage.errors import UsageError
from lineage.loop.spec.budgets import BudgetsSpec
from lineage.loop.spec.errors import Section, sentence
from lineage.loop.spec.yaml_file import read_yaml

FILE = ".lineage/policy.yaml"
TIPS = "branches() ~ branches(loop/*@*) | tagged() | released()"


def _form(value: object) -> str:
    return "switch" if isinstance(value, bool) else "limit"


class Policy(Section):
    """What must hold; every rule is on, off, or on for the commits of a revset.

    `commits` are those that are checked. `signed` is on, unless something else is said,
    once the registry has keys.
    """

    commits: str = TIPS
    signed: bool | str | None = None
    untainted: bool | str = True
    reviewed: bool | str = "released()"
    budgets: Annotated[
        Annotated[bool, Tag("switch")] | Annotated[BudgetsSpec, Tag("limit")],
        Discriminator(_form),  # so that a mistake is told of the form that was meant
    ] = True


def read(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        StoreError: when it cannot be read.
        UsageError: when it is none; says what is wrong.
    """
    given = read_yaml(path)
    try:
        return Policy.model_validate({} if given is None else given)
    except ValidationError as error:
        hint = "`lineage check --help` names the rules"
        raise UsageError(f"{path}: {sentence(error)}", hint=hint) from None


def of(root: Path) -> Policy | None:
    """The policy of the registry at `root`; None where it has no file."""
    path = root / FILE
    return read(path) if path.exists() else None
