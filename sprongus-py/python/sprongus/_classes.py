"""Definitions of presets made of classes: Pydantic models, and dataclasses by their types.

Keywords that types do not say (`x-ref`, `x-unique`, `title`, …) come from where Pydantic has them, `json_schema_extra`; of a
dataclass from a field's metadata (`x-…` themselves, others under `json_schema_extra`), from a dict in `Annotated`, and for the
whole from `__json_schema_extra__`.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing
from typing import Any

from .errors import InvalidArgumentError

_SCALARS: dict[str, dict[str, Any]] = {
    "builtins.str": {"type": "string"},
    "builtins.int": {"type": "integer"},
    "builtins.float": {"type": "number"},
    "builtins.bool": {"type": "boolean"},
    "builtins.object": {},
    "builtins.list": {"type": "array"},
    "builtins.tuple": {"type": "array"},
    "builtins.dict": {"type": "object"},
    "builtins.set": {"type": "array", "uniqueItems": True},
    "builtins.frozenset": {"type": "array", "uniqueItems": True},
    "datetime.datetime": {"type": "string", "format": "date-time"},
    "datetime.date": {"type": "string", "format": "date"},
    "uuid.UUID": {"type": "string", "format": "uuid"},
    "decimal.Decimal": {"type": "string"},
}
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_SEQUENCES = (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_EMPTY_FACTORIES = (list, dict, tuple, set, frozenset)
# As `annotated_types` and Pydantic's Field name them, and the keyword by the type of what is bounded.
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "multiple_of": "multipleOf"}
_LENGTHS = {"string": "Length", "array": "Items", "object": "Properties"}


def definition(model: type) -> dict[str, Any]:
    """The JSON Schema of a Pydantic model or a dataclass."""
    try:
        if hasattr(model, "model_json_schema"):
            return dict(model.model_json_schema())
        if dataclasses.is_dataclass(model) and hasattr(model, "__pydantic_core_schema__"):
            from pydantic import TypeAdapter

            return dict(TypeAdapter(model).json_schema())
    except InvalidArgumentError:
        raise
    except Exception as error:
        raise InvalidArgumentError(f"{model.__qualname__} has no JSON Schema: {error}") from error
    if dataclasses.is_dataclass(model):
        return _Schemas().whole(model)
    raise InvalidArgumentError(f"{model.__qualname__} is neither a dataclass nor a Pydantic model")


class _Schemas:
    """The schemas of one definition; dataclasses below its own stand under `$defs`, once each, so that they may be recursive."""

    def __init__(self) -> None:
        self.names: dict[type, str] = {}
        self.defs: dict[str, Any] = {}

    def whole(self, model: type) -> dict[str, Any]:
        self.names[model] = ""
        schema = self.of_dataclass(model)
        return {**schema, "$defs": self.defs} if self.defs else schema

    def of_dataclass(self, model: type) -> dict[str, Any]:
        hints = _hints(model)
        properties: dict[str, Any] = {}
        required = []
        for field in dataclasses.fields(model):
            schema = {**self.of(hints[field.name], f"{model.__qualname__}.{field.name}"), **_extra(field.metadata)}
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                required.append(field.name)
            elif field.default_factory in _EMPTY_FACTORIES:
                schema["default"] = {} if field.default_factory is dict else []
            elif field.default is not dataclasses.MISSING and field.default is not None:
                schema["default"] = field.default
            properties[field.name] = schema
        schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        return {**schema, **vars(model).get("__json_schema_extra__", {})}

    def reference(self, model: type) -> dict[str, Any]:
        """A `$ref` to a dataclass, whose schema is made on the first one."""
        if model not in self.names:
            name = model.__name__
            while name in self.defs:
                name += "_"
            self.names[model] = name
            self.defs[name] = {}  # takes the name while those below are made
            self.defs[name] = self.of_dataclass(model)
        name = self.names[model]
        return {"$ref": f"#/$defs/{name}" if name else "#"}

    def of(self, hint: Any, where: str) -> dict[str, Any]:
        """The schema of a type."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hint is Any:
            return {}
        if hint is None or hint is type(None):
            return {"type": "null"}
        if hasattr(hint, "__supertype__"):  # NewType
            return self.of(hint.__supertype__, where)
        if origin is typing.Annotated:
            return _annotated(self.of(arguments[0], where), arguments[1:])
        if origin in (typing.Union, types.UnionType):
            return {"anyOf": [self.of(one, where) for one in arguments]}
        if origin is typing.Literal:
            return _enumerated([value.value if isinstance(value, enum.Enum) else value for value in arguments])
        if origin is tuple:
            return self.of_tuple(arguments, where)
        if origin in _SEQUENCES or origin in _SETS:
            unique = {"uniqueItems": True} if origin in _SETS else {}
            return {"type": "array", "items": self.of(arguments[0], where), **unique}
        if origin in _MAPPINGS:
            if arguments[0] not in (str, Any):
                raise InvalidArgumentError(f"{where}: the keys of a JSON object are str")
            return {"type": "object", "additionalProperties": self.of(arguments[1], where)}
        return self.of_class(hint, where)

    def of_tuple(self, arguments: tuple[Any, ...], where: str) -> dict[str, Any]:
        if len(arguments) == 2 and arguments[1] is ...:
            return {"type": "array", "items": self.of(arguments[0], where)}
        items = [self.of(one, where) for one in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    def of_class(self, hint: Any, where: str) -> dict[str, Any]:
        if isinstance(hint, type):
            if dataclasses.is_dataclass(hint):
                return self.reference(hint)
            if issubclass(hint, enum.Enum):
                return _enumerated([member.value for member in hint])
            scalar = _SCALARS.get(f"{hint.__module__}.{hint.__qualname__}")
            if scalar is not None:
                return dict(scalar)
        raise InvalidArgumentError(f"{where}: {hint} has no JSON Schema here; write the definition yourself")


def _hints(model: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(model, include_extras=True)
    except Exception as error:
        raise InvalidArgumentError(f"the types of {model.__qualname__} cannot be read: {error}") from error


def _enumerated(values: list[Any]) -> dict[str, Any]:
    kinds = {_JSON_TYPES.get(type(value)) for value in values}
    return {"enum": values} if len(kinds) > 1 or None in kinds else {"type": kinds.pop(), "enum": values}


def _annotated(schema: dict[str, Any], notes: tuple[Any, ...]) -> dict[str, Any]:
    """With what `Annotated` says: dicts of keywords, bounds of `annotated_types`, Pydantic's Field."""
    for note in notes:
        if isinstance(note, dict):
            schema = {**schema, **note}
            continue
        schema = _annotated(schema, tuple(getattr(note, "metadata", ()) or ()))
        schema = {**schema, **_bounds(schema, note), **_extra({"json_schema_extra": getattr(note, "json_schema_extra", None)})}
        description = getattr(note, "description", None)
        if isinstance(description, str):
            schema["description"] = description
    return schema


def _bounds(schema: dict[str, Any], note: Any) -> dict[str, Any]:
    found = {keyword: value for name, keyword in _BOUNDS.items() if (value := getattr(note, name, None)) is not None}
    length = _LENGTHS.get(schema.get("type", ""))
    if length is not None:
        for name, keyword in (("min_length", f"min{length}"), ("max_length", f"max{length}")):
            if isinstance(value := getattr(note, name, None), int):
                found[keyword] = value
    if isinstance(pattern := getattr(note, "pattern", None), str):
        found["pattern"] = pattern
    return found


def _extra(metadata: typing.Mapping[Any, Any]) -> dict[str, Any]:
    """The keywords among a field's metadata, which holds other libraries' too."""
    own = {name: value for name, value in metadata.items() if isinstance(name, str) and name.startswith("x-")}
    extra = metadata.get("json_schema_extra")
    return {**own, **extra} if isinstance(extra, dict) else own
