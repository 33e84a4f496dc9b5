"""Who should hear of what happens to a design: those who look after it and those who watch it."""

from collections.abc import Iterable

from django.db.models import Q

from commons.people.models import Handle, Membership, User
from designs.models import Collaborator, Design, Watch
from designs.policies import WRITERS, seen_by


def owners_of(handle: Handle) -> list[User]:
    """The people behind a handle: the person, or who manages the organisation."""
    if handle.user_id is not None:
        return list(User.objects.filter(pk=handle.user_id, is_active=True))
    managing = Membership.objects.filter(organisation=handle.organisation_id, role__in=WRITERS).values("user")
    return list(User.objects.filter(pk__in=managing, is_active=True))


def audience(design: Design, *, level: str = Watch.Level.ALL, also: Iterable[User] = ()) -> list[User]:
    """Owners, maintainers, watchers of that level and `also`; not those who want nothing or may not see it.

    `level` is "all" for what happens every day and "releases" for releases, of which both kinds of watchers hear.
    """
    levels = [Watch.Level.ALL] if level == Watch.Level.ALL else [Watch.Level.ALL, Watch.Level.RELEASES]
    watches = dict(design.watches.values_list("user", "level"))
    maintaining = design.collaborators.filter(role=Collaborator.Role.MAINTAINER).values_list("user", flat=True)
    asked = {person.pk for person in owners_of(design.owner)} | set(maintaining)
    asked |= {person.pk for person in also} | {pk for pk, wanted in watches.items() if wanted in levels}
    deaf = {pk for pk, wanted in watches.items() if wanted not in levels}
    return seeing(design, User.objects.filter(pk__in=asked - deaf))


def seeing(design: Design, people: Iterable[User]) -> list[User]:
    """Those of the people who may see the design."""
    active = [person for person in people if person.is_active]
    if design.is_public and design.deleted_at is None and design.hidden_at is None:
        return active
    return [person for person in active if Design.objects.filter(Q(pk=design.pk) & seen_by(person)).exists()]
