"""Writes about whose tariff is which. What a statement was made by stays."""

import datetime as dt

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from commons.people.models import User
from energy import policies
from energy.errors import BadTerms, TermsInUse, UnknownParticipant
from energy.models import Community, Participant, Tariff, TariffChoice
from energy.queries import choices as reads


@transaction.atomic
def choose_tariff(*, participant: Participant, tariff: Tariff, since: dt.date, by: User | None = None) -> TariffChoice:
    """A participant's own tariff from a day on; a second choice of the same day takes the place of the first. Locks the
    community, as settling does. Raises UnknownParticipant (not theirs), BadTerms, TermsInUse.
    """
    _held(participant, by)
    if tariff not in reads.to_choose(participant):
        raise BadTerms(_("That tariff is of another community or currency, or has no prices yet."))
    if not tariff.versions.filter(valid_from__lte=since).exists():
        first = tariff.versions.order_by("valid_from").values_list("valid_from", flat=True)[0]
        raise BadTerms(
            _("“%(name)s” has prices from %(day)s on; choose that day or a later one.")
            % {"name": tariff, "day": date_format(first, "j F Y")}
        )
    if since < participant.joined_on or (participant.left_on and since >= participant.left_on):
        raise BadTerms(_("That day is not one of this membership; choose one while you belong."))
    _open(participant, since)
    choice, _made = TariffChoice.objects.update_or_create(
        participant=participant, since=since, defaults={"tariff": tariff}
    )
    return choice


@transaction.atomic
def take_back_choice(*, participant: Participant, number: int, by: User | None = None) -> None:
    """Undo a choice of which nothing was billed. Locks the community. Raises UnknownParticipant, TermsInUse."""
    _held(participant, by)
    choice = participant.tariff_choices.filter(pk=number).first()
    if choice is None:
        raise UnknownParticipant(_("There is no such choice here."))
    _open(participant, choice.since)
    choice.delete()


def _held(participant: Participant, by: User | None) -> None:
    if by is not None and not policies.may_change_participant(by, participant):
        raise UnknownParticipant(_("There is no such participant, or it is not yours to change."))
    Community.objects.select_for_update(no_key=True).get(pk=participant.community_id)


def _open(participant: Participant, since: dt.date) -> None:
    last = reads.billed_until(participant)
    if last is not None and since <= last:
        raise TermsInUse(
            _("Statements were made until %(last)s; what held until then stays. Choose a later day.")
            % {"last": date_format(last, "j F Y")}
        )
