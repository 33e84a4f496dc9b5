"""The API of a participant's own tariff."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from energy import policies
from energy.api.participants import Base, _person
from energy.errors import BadTerms, UnknownParticipant
from energy.models import Participant, TariffChoice
from energy.queries import choices as reads
from energy.queries import participants
from energy.services import choices


class ChoiceSerializer(serializers.ModelSerializer[TariffChoice]):
    """A tariff by its name, and the local day from which it is the participant's."""

    tariff = serializers.CharField(source="tariff.name", max_length=120)

    class Meta:
        model = TariffChoice
        fields = ("id", "tariff", "since")
        read_only_fields = ("id",)


def _found(request: Request, slug: str, pk: int) -> Participant:
    found = participants.participant(slug, pk, request.user)
    if not policies.may_see_bills(request.user, found):
        raise UnknownParticipant("There is no such participant, or it is not yours to see.")
    return found


class Choices(Base):
    """Tariffs that a participant chose."""

    serializer_class: ClassVar[type[ChoiceSerializer]] = ChoiceSerializer

    @extend_schema(operation_id="participant_tariffs_list", responses={200: ChoiceSerializer(many=True)})
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """Newest first; on days before the oldest the community's usual tariff holds."""
        return Response(ChoiceSerializer(reads.choices(_found(request, slug, pk)), many=True).data)

    @extend_schema(request=ChoiceSerializer, responses={201: ChoiceSerializer})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Choose a tariff of the community from a day on; days of which there is a statement stay."""
        found = _found(request, slug, pk)
        asked = ChoiceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        name: str = asked.validated_data["tariff"]["name"]
        tariff = found.community.tariffs.filter(name=name).first()
        if tariff is None:
            raise BadTerms(f"There is no tariff “{name}” in this community.")
        since = asked.validated_data["since"]
        made = choices.choose_tariff(participant=found, tariff=tariff, since=since, by=_person(request))
        return Response(ChoiceSerializer(made).data, status=status.HTTP_201_CREATED)


class Choice(Base):
    """One choice."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, pk: int, number: int) -> Response:
        """Take it back while nothing was billed by it."""
        found = _found(request, slug, pk)
        choices.take_back_choice(participant=found, number=number, by=_person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
