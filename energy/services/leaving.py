"""What a person who leaves the city lets go of in energy."""

from django.db import transaction

from commons.people.models import User
from energy.models import MeterFile, Participant
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
        participants.forget(participant=row, by=None)
    user.energy_views.clear()
    MeterFile.objects.filter(by=user, state=MeterFile.State.WAITING).delete()


def keeps(_user: User) -> bool:
    """No: books name the participant, not the account."""
    return False
