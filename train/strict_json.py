"""JSON to frozen dataclasses and back, strictly, by the standard library alone.

A dataclass may hold numbers, strings, truth values, literals, other dataclasses, lists, tuples and
dictionaries of one of these, and None beside one of these. Only a field with a default may be
missing.
"""

from __future__ import annotations

import functools
import json
from dataclasses import MISSING, asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(content: Any) -> bytes:
    """A dataclass as indented JSON in UTF-8; bytes of paths that are not UTF-8 as \\udc.., which
    JSON reads back."""
    text = json.dumps(asdict(content), indent=2, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace")


def from_json(kind: type[T], content: bytes) -> T:
    """A dataclass of `kind`. ValueError names the key that is unknown, missing or of a wrong type,
    or says where the JSON is broken."""
    found: T = _read(kind, json.loads(content), "$")
    return found


def _read(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind):
        return _read_fields(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        present = next(option for option in inner if option is not NoneType)
        return None if value is None else _read(present, value, where)
    if origin is Literal:
        if value not in inner:
            raise ValueError(f"{where}: expected one of {', '.join(inner)}, found {value!r}")
        return value
    if origin in (list, tuple):
        _check(list, value, where)
        return origin(_read(inner[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        _check(dict, value, where)
        return {name: _read(inner[1], item, f"{where}.{name}") for name, item in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    _check(kind, value, where)
    return value


def _check(kind: type, value: Any, where: str) -> None:
    if type(value) is not kind:  # True is an int by isinstance
        raise ValueError(f"{where}: expected {kind.__name__}, found {type(value).__name__}")


def _read_fields(kind: Any, value: Any, where: str) -> Any:
    _check(dict, value, where)
    kinds, optional = _fields(kind)
    if unknown := sorted(set(value) - set(kinds)):
        raise ValueError(f"{where}: unknown key '{unknown[0]}'")
    if missing := sorted(set(kinds) - set(value) - optional):
        raise ValueError(f"{where}: the key '{missing[0]}' is missing")
    return kind(**{name: _read(kinds[name], item, f"{where}.{name}")
                   for name, item in value.items()})


@functools.cache
def _fields(kind: Any) -> tuple[dict[str, Any], set[str]]:
    """Types by name, and the names that have a default."""
    optional = {f.name for f in fields(kind)
                if f.default is not MISSING or f.default_factory is not MISSING}
    return get_type_hints(kind), optional
