"""OpenAPI: every operation names the refusals that any operation may give."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

WORDS = {
    400: "What was sent cannot be read",
    401: "Sign in or send a token",
    403: "Not allowed",
    404: "Not found, or not yours to see",
    405: "This address does not do that",
    406: "No such format",
    409: "It collides with what is there",
    415: "No such content type",
    422: "It can be read but not be done",
    429: "Too many requests",
}


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

    def get_response_serializers(self) -> Any:
        answers: Any = super().get_response_serializers()
        if not isinstance(answers, dict):
            status = {"POST": 201, "DELETE": 204}.get(self.method, 200)
            answers = {status: answers}
        problems = {
            (code, "application/problem+json"): OpenApiResponse(Problem, description=words)
            for code, words in WORDS.items()
        }
        return {**problems, **answers}
