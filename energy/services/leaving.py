"""What a person who leaves the city lets go of in energy."""

from django.db import transaction
from django.utils.translation import gettext as _

from commons.devices.models import Device
from commons.devices.services.forgetting import forget_readings
from commons.notices.models import Notice
from commons.people.models import User
from energy import series
from energy.models import Dwelling, MarketView, Member, MeterFile, ModelledYear, Participant
from energy.queries.participants import today
from energy.services import participants


@transaction.atomic
def leave(user: User) -> None:
    """End the person's own memberships today, with their final statements, and delete what the law lets delete. What an
    organisation owns stays with it. Raises what the hooks of leaving raise."""
    for row in Participant.objects.filter(person=user).select_related("community", "community__place"):
        now = today(row.community)
        if row.left_on is None or row.left_on > now:
            Participant.objects.filter(pk=row.pk).update(left_on=None)
            participants.leave(participant=row, on=max(now, row.joined_on), by=None)
        row.refresh_from_db()
        if row.left_on is not None and row.left_on > now:  # it had not begun yet
            Participant.objects.filter(pk=row.pk).update(joined_on=now, left_on=now)
            row.meters.update(valid_from=now, valid_until=now)
        forget_readings(devices=list(Device.objects.filter(meter_points__participant=row).distinct()))
        called = row.name
        participants.forget(participant=row, by=None)
        for model in (Dwelling, ModelledYear, MarketView):
            model._base_manager.filter(participant=row).delete()
        row.refresh_from_db()
        _call_otherwise(row, called)
    for member in Member.objects.filter(person=user):
        _forget_member(member)
    user.energy_views.clear()
    MeterFile.objects.filter(by=user, state=MeterFile.State.WAITING).delete()


def _call_otherwise(row: Participant, called: str) -> None:
    """In what stewards were told of it, the household has the name that is left to it."""
    for notice in Notice.objects.filter(kind__startswith="energy.", text__contains=called):
        Notice.objects.filter(pk=notice.pk).update(text=notice.text.replace(called, row.name), kept=None)


def _forget_member(member: Member) -> None:
    """Delete a household's curves from a version of a community's data, and its name.

    What was published of the version are sums that were reckoned before (`VersionSeries`), and they stay as they were:
    a sum without the household beside the one with it would be the household. For the same reason the version is not
    simulated any more (`energy.services.communities.start_simulation`).
    """
    name, nothing = _("Former member"), series.NOTHING
    Member.objects.filter(pk=member.pk).update(
        name=name, person=None, load=nothing, pv=nothing, heat=None, load_kwh=0.0, pv_kwh=0.0
    )


def keeps(_user: User) -> bool:
    """No: books name the participant, not the account."""
    return False
