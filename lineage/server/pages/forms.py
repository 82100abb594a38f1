"""What people send by forms."""

from typing import Annotated, TypeAlias
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from lineage.errors import UsageError

_FORM = "application/x-www-form-urlencoded"
_LONGEST = 200_000  # bytes
_FIELDS = 2000


async def _sent(request: Request) -> dict[str, str]:
    """The fields of a form by name; of several with one name the last."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise UsageError(f"this takes a form, {_FORM}", hint="send it from its page")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST:
            hint = f"a form takes {_LONGEST:,} bytes"
            raise UsageError("the form is too large", hint=hint)
    try:
        text = body.decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        hint = "send it from its page"
        raise UsageError("the form is malformed", hint=hint) from None


Form: TypeAlias = Annotated[dict[str, str], Depends(_sent)]
