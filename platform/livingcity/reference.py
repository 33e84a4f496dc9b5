"""The API's OpenAPI document, and the reference read from it: chapters by noun, with their operations and fields."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from rest_framework.renderers import BaseRenderer

from commons.errors import CityError

PREFIX = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a member of a body."""

    name: str
    kind: str
    where: str = ""
    required: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path."""

    slug: str
    method: str
    path: str
    title: str
    words: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[tuple[str, tuple[Field, ...]], ...]


@dataclass(slots=True)
class Chapter:
    """All operations below one noun."""

    slug: str
    operations: list[Operation] = field(default_factory=list)


@cache
def openapi(language: str) -> Mapping[str, Any]:
    """The document in a language; made once a process, for it is code and takes seconds."""
    with translation.override(language):
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        document: Mapping[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


@cache
def written(language: str, renderer: Callable[[], BaseRenderer]) -> bytes:
    """The document as bytes; YAML takes seconds too."""
    text = renderer().render(openapi(language), renderer_context={})
    return text.encode() if isinstance(text, str) else text


@cache
def chapters() -> tuple[Chapter, ...]:
    """The chapters in order of their nouns."""
    document = openapi(settings.LANGUAGE_CODE)
    found: dict[str, Chapter] = {}
    for path, methods in sorted(document["paths"].items()):
        noun = path.removeprefix(PREFIX).partition("/")[0] or "api"
        for method, operation in methods.items():
            if isinstance(operation, Mapping) and "responses" in operation:
                chapter = found.setdefault(noun, Chapter(noun))
                chapter.operations.append(_operation(document, path, method, operation))
    return tuple(found.values())


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    title, _line, words = operation.get("description", "").partition("\n")
    answers = [(code, _fields(document, answer)) for code, answer in operation["responses"].items() if code < "300"]
    return Operation(
        slug=operation["operationId"],
        method=method.upper(),
        path=path,
        title=title,
        words=words.strip(),
        parameters=tuple(_parameter(document, p) for p in operation.get("parameters", ())),
        body=_fields(document, operation.get("requestBody", {})),
        answers=tuple(answers),
    )


def _parameter(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Field:
    kind = _kind(document, parameter.get("schema", {}))
    return Field(
        parameter["name"],
        kind,
        parameter["in"],
        parameter.get("required", False),
        parameter.get("description", ""),
    )


def _fields(document: Mapping[str, Any], holder: Mapping[str, Any]) -> tuple[Field, ...]:
    """The members of the first body form that a request or an answer has."""
    for content in holder.get("content", {}).values():
        return tuple(_members(document, content.get("schema", {})))
    return ()


def _members(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Field]:
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        schema = _resolved(document, schema.get("items", {}))
    if "results" in schema.get("properties", {}):
        yield from (Field(name, "address or null") for name in ("next", "previous"))
        yield Field("results", _kind(document, schema["properties"]["results"]))
        schema = _resolved(document, schema["properties"]["results"].get("items", {}))
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        yield Field(name, _kind(document, member), required=name in required, words=member.get("description", ""))


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        target = _resolved(document, schema)
        return " | ".join(map(str, target["enum"])) if "enum" in target else schema["$ref"].rpartition("/")[2]
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_kind(document, one) for one in schema[several]))
    if "enum" in schema:
        return " | ".join("null" if one is None else str(one) for one in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    words = " | ".join(kind) if isinstance(kind, list) else kind
    return f"{words} ({schema['format']})" if "format" in schema else words


@cache
def refusals() -> tuple[type[CityError], ...]:
    """Every refusal of every installed room, by code."""
    found: dict[str, type[CityError]] = {}
    stack: list[type[CityError]] = [CityError]
    while stack:
        kind = stack.pop()
        found.setdefault(kind.code, kind)
        stack.extend(kind.__subclasses__())
    return tuple(found[code] for code in sorted(found))
