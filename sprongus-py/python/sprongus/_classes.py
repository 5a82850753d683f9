"""Definitions of presets made of classes."""

from __future__ import annotations

import builtins
import dataclasses
import enum
import types
import typing
from typing import Any

from .errors import InvalidArgumentError

_PLAIN = {"str": {"type": "string"}, "int": {"type": "integer"}, "float": {"type": "number"}, "bool": {"type": "boolean"}}


def definition(model: type) -> dict[str, Any]:
    """The JSON Schema of a Pydantic model or a dataclass."""
    schema_of = getattr(model, "model_json_schema", None)
    if schema_of is not None:
        schema: dict[str, Any] = schema_of()
        return schema
    if dataclasses.is_dataclass(model):
        return _object(model, ())
    raise InvalidArgumentError(f"{model.__qualname__} is neither a dataclass nor a Pydantic model")


def _object(model: Any, above: tuple[Any, ...]) -> dict[str, Any]:
    if model in above:
        raise InvalidArgumentError(f"{model.__qualname__} holds itself; write its JSON Schema with $ref")
    hints = typing.get_type_hints(model)
    properties: dict[str, Any] = {}
    required = []
    for field in dataclasses.fields(model):
        schema = _of(hints[field.name], (*above, model))
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            required.append(field.name)
        elif isinstance(field.default, (str, int, float, bool)):
            schema = {**schema, "default": field.default}
        properties[field.name] = schema
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _of(hint: Any, above: tuple[Any, ...]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {}
    if hint is None or hint is type(None):
        return {"type": "null"}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(one, above) for one in arguments]}
    if origin is typing.Literal:
        return {"enum": builtins.list(arguments)}
    if origin in (builtins.list, tuple, set, frozenset) or hint in (builtins.list, tuple):
        items = [one for one in arguments if one is not ...]
        return {"type": "array", "items": _of(items[0], above)} if len(items) == 1 else {"type": "array"}
    if origin is dict or hint is dict:
        return {"type": "object", "additionalProperties": _of(arguments[1], above) if arguments else True}
    return _of_class(hint, above)


def _of_class(hint: Any, above: tuple[Any, ...]) -> dict[str, Any]:
    if not isinstance(hint, type):
        raise InvalidArgumentError(f"{hint} has no JSON Schema here; write the definition yourself")
    if dataclasses.is_dataclass(hint):
        return _object(hint, above)
    if issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    text_formats = {"datetime": "date-time", "date": "date", "UUID": "uuid"}
    if hint.__module__ in ("datetime", "uuid") and hint.__name__ in text_formats:
        return {"type": "string", "format": text_formats[hint.__name__]}
    if hint.__module__ == "decimal" and hint.__name__ == "Decimal":
        return {"type": "string"}
    if hint.__module__ == "builtins" and hint.__name__ in _PLAIN:
        return dict(_PLAIN[hint.__name__])
    raise InvalidArgumentError(f"{hint.__qualname__} has no JSON Schema here; write the definition yourself")
