"""`steps`: what replaces a built-in step."""

import re

from pydantic import Field, field_validator, model_validator

from lineage.loop.spec.errors import Section, refuse

_STEP_FORMS = 'a step is "package.module:function" or {command: "…"}'


class StepSpec(Section):
    """A step of the user's own: a Python callable, or a command.

    `timeout` ends a command after so many seconds; it shapes no artifact.
    """

    callable: str | None = None
    command: str | None = Field(default=None, min_length=1)
    timeout: float | None = Field(default=None, gt=0, exclude=True)

    @field_validator("callable")
    @classmethod
    def _module_and_function(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[\w.]+:[\w.]+", name):
            refuse(_STEP_FORMS)
        return name

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: object) -> object:
        if isinstance(value, str):
            return {"callable": value}
        keys = set(value) if isinstance(value, dict) else set()
        if not {"command"} <= keys <= {"command", "timeout"}:
            refuse(_STEP_FORMS)
        return value


class StepsSpec(Section):
    """Built-in steps that are replaced; None is the built-in one."""

    generate: StepSpec | None = None
    check: StepSpec | None = None
    mix: StepSpec | None = None
    train: StepSpec | None = None
    evaluate: StepSpec | None = None
