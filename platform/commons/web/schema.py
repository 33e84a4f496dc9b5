"""OpenAPI: every operation names the refusals that any operation may give."""

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse, inline_serializer
from rest_framework import serializers

PROBLEM_JSON = "application/problem+json"
WORDS = {
    301: "It has moved",
    308: "It has moved; send it there",
    400: "What was sent cannot be read",
    401: "Sign in or send a token",
    402: "The wallet does not hold what it costs",
    403: "Not allowed",
    404: "Not found, or not yours to see",
    405: "This address does not do that",
    406: "No such format",
    409: "It collides with what is there",
    410: "It was here and is over",
    413: "More than is taken at once",
    415: "No such content type",
    422: "It can be read but not be done",
    429: "Too many requests",
    503: "Something that is needed is away; try again",
    507: "There is no room left",
}
#: What only reading, and what only writing may be answered.
ONLY_READING, ONLY_WRITING = frozenset({301}), frozenset({308, 402, 413, 507})


class Problem(serializers.Serializer[Any]):
    """RFC 9457 problem document."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class BearerToken(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # it registers itself
    """People's tokens in the document: `Authorization: Bearer lcu_…`."""

    target_class = "commons.people.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A person's API token, made on the page “My things”.",
        }


class CitySchema(AutoSchema):
    """drf-spectacular's schema with the common refusals on every operation."""

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        """What the view says, and every problem that any operation may answer."""
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        said = self.get_response_serializers()
        if self.method == "DELETE" and not isinstance(said, dict) and "200" not in bodies and said is not None:
            del bodies["204"]
            bodies["200"] = self._get_response_for_code(said, "200")  # type: ignore[no-untyped-call]
        elsewhere = ONLY_WRITING if self.method == "GET" else ONLY_READING
        for code, words in WORDS.items():
            if str(code) not in bodies and code not in elsewhere:
                answer = OpenApiResponse(Problem, description=words)
                bodies[str(code)] = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    answer, str(code), media_types=[PROBLEM_JSON]
                )
        return bodies

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        """An address that may be left empty is answered as an empty text, which no format allows."""
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        if field.read_only and isinstance(field, serializers.URLField | serializers.EmailField) and _blank(field):
            schema.pop("format", None)

    def get_response_serializers(self) -> Any:
        """201 for a POST and 204 for a DELETE, unless the view says otherwise."""
        answers: Any = super().get_response_serializers()
        if not isinstance(answers, dict):
            answers = {{"POST": 201, "DELETE": 204}.get(self.method, 200): answers}
        return answers


def _blank(field: Any) -> bool:
    """Whether the column behind a field may be empty; what only reads forgets it."""
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    columns = {column.name: column for column in model._meta.get_fields()} if model else {}
    return bool(getattr(columns.get(field.source), "blank", False))


@cache
def page_of(shape: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """What a view answers that cuts its own cursor pages: next, previous, and the results of that shape."""
    fields: dict[str, Any] = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": shape(many=True),
    }
    return inline_serializer(name=f"{shape.__name__.removesuffix('Serializer')}Page", fields=fields)


def null_once(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """`oneOf` with null becomes `anyOf`, since anything may be null already: null would fit two and be refused."""
    _anyof(result)
    return result


def _anyof(node: Any) -> None:
    if isinstance(node, dict):
        if {"type": "null"} in node.get("oneOf", ()):
            node["anyOf"] = node.pop("oneOf")
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            _anyof(inner)
