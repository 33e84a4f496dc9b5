"""OpenAPI: every operation names the refusals that any operation may give."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse
from rest_framework import serializers

PROBLEM_JSON = "application/problem+json"
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

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        """What the view says, and every problem that any operation may answer."""
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code, words in WORDS.items():
            if str(code) not in bodies:
                answer = OpenApiResponse(Problem, description=words)
                bodies[str(code)] = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    answer, str(code), media_types=[PROBLEM_JSON]
                )
        return bodies

    def get_response_serializers(self) -> Any:
        """201 for a POST and 204 for a DELETE, unless the view says otherwise."""
        answers: Any = super().get_response_serializers()
        if not isinstance(answers, dict):
            answers = {{"POST": 201, "DELETE": 204}.get(self.method, 200): answers}
        return answers
