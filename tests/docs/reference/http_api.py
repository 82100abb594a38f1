"""docs/reference/http.md: the operations of the server, from its own description."""

from __future__ import annotations

from typing import Any

HEAD = """\
# The HTTP API, operation by operation

From the description that a server gives of itself at `/api/v1/openapi.json`.
[The HTTP API](../api.md) and [writing over HTTP](../writing.md) show how to use it.
Every operation but `GET /health` takes a token as `Authorization: Bearer …`. An error
is a [Problem](#problem); [the guide](../api.md#errors) says what each status means.
"""
_PREFIX = "/api/v1"


def page(described: dict[str, Any]) -> str:
    """The page of an OpenAPI description."""
    parts = [HEAD]
    for path, operations in sorted(described["paths"].items()):
        for method, operation in operations.items():
            parts.append(_operation(method.upper(), path, operation))
    parts.append("## Shapes\n")
    for name, schema in sorted(described["components"]["schemas"].items()):
        parts.append(_shape(name, schema))
    return "\n".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    shown = path.removeprefix(_PREFIX)
    parts = [f"## `{method} {shown}`\n", f"{_prose(operation['description'])}\n"]
    if asked := operation.get("parameters"):
        parts += ["| | in | type | default | |", "|---|---|---|---|---|"]
        parts += [_parameter(one) for one in asked]
        parts.append("")
    if body := operation.get("requestBody"):
        parts.append(f"Takes {_content(body)}.\n")
    for status, answer in operation["responses"].items():
        if status < "400":
            given = _content(answer)
            parts.append(
                f"{status}: {given}.\n" if given else f"{status}, without a body.\n"
            )
    failing = sorted(s for s in operation["responses"] if s >= "400")
    parts.append(f"Or a problem: {', '.join(failing)}.\n")
    return "\n".join(parts)


def _parameter(one: dict[str, Any]) -> str:
    schema = one["schema"]
    default = _default(schema, required=one.get("required", False))
    told = _cell(one.get("description", ""))
    return f"| `{one['name']}` | {one['in']} | {_type(schema)} | {default} | {told} |"


def _shape(name: str, schema: dict[str, Any]) -> str:
    parts = [f"### {name}\n"]
    if schema.get("description"):
        parts.append(f"{_prose(schema['description'])}\n")
    needed = schema.get("required", ())
    if fields := schema.get("properties"):
        parts += ["| field | type | default | |", "|---|---|---|---|"]
        for field, told in fields.items():
            default = _default(told, required=field in needed)
            words = _cell(told.get("description", ""))
            parts.append(f"| `{field}` | {_type(told)} | {default} | {words} |")
        parts.append("")
    return "\n".join(parts)


def _content(told: dict[str, Any]) -> str:
    """What a body is, by media type."""
    found = [
        f"{_type(content.get('schema', {})) or 'bytes'} as `{media}`"
        for media, content in told.get("content", {}).items()
    ]
    return ", or ".join(found)


def _type(schema: dict[str, Any]) -> str:
    """The type of a schema in words, with links to shapes."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if several:
        return " or ".join(dict.fromkeys(_type(one) for one in several))
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values:
        return ", ".join(f"`{value}`" for value in values)
    return _of_kind(schema)


def _of_kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "")
    inner = schema.get("items" if kind == "array" else "additionalProperties")
    held = _type(inner) if isinstance(inner, dict) else ""
    kind = {"array": "list"}.get(kind, kind)
    return f"{kind} of {held}" if held else kind + _limits(schema)


def _limits(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return ""
    if high is None:
        return f", from {low}"
    return f", {low} to {high}" if low is not None else f", up to {high}"


def _default(schema: dict[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    default = schema.get("default")
    return "" if default in (None, [], {}, "") else f"`{default}`"


def _cell(text: str) -> str:
    return " ".join(_prose(text).split()).replace("|", "\\|")


def _prose(text: str) -> str:
    return text.strip().replace("<", "&lt;")
