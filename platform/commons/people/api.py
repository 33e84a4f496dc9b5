"""The API of people: who I am, and the public facts of a handle."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people import queries
from commons.people.models import Handle
from commons.web.api import requires


class MembershipSerializer(serializers.Serializer[Any]):
    """A role somewhere."""

    organisation = serializers.CharField()
    role = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    """The caller: the account and what its token may do (null for a session)."""

    name = serializers.CharField()
    title = serializers.CharField()
    staff = serializers.BooleanField()
    home = serializers.CharField(allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)
    memberships = MembershipSerializer(many=True)


class HandleSerializer(serializers.Serializer[Any]):
    """A person or an organisation as everyone may see it."""

    name = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.CharField(help_text="person, or the kind of the organisation")
    about = serializers.CharField()


class Me(APIView):
    """Who is calling."""

    permission_classes = requires()

    @extend_schema(responses={200: MeSerializer})
    def get(self, request: Request) -> Response:
        """The account behind the token or session."""
        user = queries.person(request.user.get_username())
        roles = [{"organisation": m.organisation.handle.name, "role": m.role} for m in queries.memberships_of(user)]
        document = {
            "name": user.username,
            "title": str(user),
            "staff": user.is_staff,
            "home": user.home.slug if user.home else None,
            "scopes": getattr(request.auth, "scopes", None),
            "memberships": roles,
        }
        return Response(MeSerializer(document).data)


class PersonOrOrganisation(APIView):
    """A handle."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(responses={200: HandleSerializer})
    def get(self, request: Request, name: str) -> Response:
        """Its public facts."""
        return Response(HandleSerializer(_public(queries.handle(name))).data)


def _public(handle: Handle) -> dict[str, str]:
    organisation = handle.organisation
    return {
        "name": handle.name,
        "title": handle.title,
        "kind": organisation.kind if organisation else "person",
        "about": organisation.about if organisation else "",
    }
