"""`steps`: what replaces a built-in step."""

import inspect
import re
from typing import Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from lineage.loop.plugins import Plugins
from lineage.loop.spec.errors import Section, check_keys, mistake, nearest, refuse

STEP_PLUGINS = Plugins("lineage.steps", {})

_STEP_FORMS = (
    'a step is "package.module:function" or {callable: …, timeout: …} or '
    '{command: "…"} or {use: an installed step, its options}'
)


class StepSpec(Section):
    """A step of the user's own: a Python callable, a command, or an installed step.

    `timeout` ends it after so many seconds, for which a callable gets a process of
    its own; it shapes no artifact. `options`
    stand beside `use` in the file, and are checked by the step itself.
    """

    callable: str | None = None
    """A Python function, `package.module:function`."""
    command: str | None = Field(default=None, min_length=1)
    """A command line of yours."""
    use: str | None = None
    """A step that an installed package adds; its options stand beside it."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Those options."""
    timeout: float | None = Field(default=None, gt=0, exclude=True)
    """It is ended after so many seconds."""

    @field_validator("callable")
    @classmethod
    def _module_and_function(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[\w.]+:[\w.]+", name):
            refuse(_STEP_FORMS)
        return name

    @field_validator("command")
    @classmethod
    def _some_word(cls, command: str | None) -> str | None:
        if command is not None and not command.strip():
            refuse("must not be empty")
        return command

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: object) -> object:
        if isinstance(value, str):
            return {"callable": value}
        if isinstance(value, dict) and "use" in value:
            ours = {key: value[key] for key in ("use", "timeout") if key in value}
            options = {key: value[key] for key in value if key not in ours}
            return ours | {"options": options}
        keys = set(value) if isinstance(value, dict) else set()
        keys.discard("timeout")
        if keys not in ({"command"}, {"callable"}):
            refuse(_STEP_FORMS)
        return value

    @model_validator(mode="after")
    def _options_of_the_step(self) -> Self:
        if self.use is None:
            return self
        if self.use not in STEP_PLUGINS:
            near = nearest(self.use, STEP_PLUGINS.names())
            refuse(f"no installed package adds this step{near}", "use")
        self.options.update(_checked(STEP_PLUGINS[self.use], self.options))
        return self


class StepsSpec(Section):
    """Built-in steps that are replaced; None is the built-in one."""

    generate: StepSpec | None = None
    check: StepSpec | None = None
    mix: StepSpec | None = None
    train: StepSpec | None = None
    evaluate: StepSpec | None = None


def _checked(step: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Options as the step's `Section` reads them, or its keyword parameters."""
    section = getattr(step, "Section", None)
    if section is None:
        return _keywords(step, options)
    try:
        filled: dict[str, Any] = section.model_validate(options).model_dump(mode="json")
    except ValidationError as error:
        refuse(*mistake(error))
    return filled


def _keywords(step: Any, options: dict[str, Any]) -> dict[str, Any]:
    _, *rest = inspect.signature(step).parameters.values()
    known = {p.name: p.default for p in rest if p.kind != p.VAR_KEYWORD}
    if len(known) == len(rest):
        check_keys(options, known)
    given = known | options
    for name, value in given.items():
        if value is inspect.Parameter.empty:
            refuse("is missing", name)
    return given
