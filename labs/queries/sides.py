"""Energy communities as what labs belong to."""

from collections.abc import Iterable, Sequence

from django.db.models import Case, IntegerField, Q, Value, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commons.people.models import User
from labs.models import Lab, LabTie
from labs.sides import Other, Side, sides

MOST = 20


def register() -> None:
    """Plug communities in."""
    sides.register(
        Side(
            LabTie.Kind.COMMUNITY,
            _("Energy community"),
            _("Whose power does it share?"),
            find,
            near,
            stewards,
            may_answer,
            order=10,
        )
    )


def find(target: str, person: User | None) -> Other | None:
    """The community of that slug, if the person may know of it."""
    from energy import policies  # noqa: PLC0415 the room may be left out
    from energy.models import Community  # noqa: PLC0415 as above

    rows = policies.visible(person) if person is not None else Community.objects.all()
    found = rows.filter(slug=target).select_related("place").first()
    return _other(found) if found is not None else None


def _other(community: "object") -> Other:
    from energy.models import Community  # noqa: PLC0415 as above

    assert isinstance(community, Community)  # noqa: S101 a narrowing for the reader
    url = reverse("rooms:community", args=[community.slug])
    return Other(community.slug, community.name, url, community.place.name if community.place else "")


def near(lab: Lab, person: User | None, words: str) -> Sequence[Other]:
    """Communities that the person may know of: those of the lab's place first, then of its city, then by name."""
    from energy import policies  # noqa: PLC0415 as above

    rows = policies.visible(person).select_related("place")
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(slug__icontains=words))
    place = lab.place
    if place is not None:
        close = Case(
            When(place=place, then=Value(0)),
            When(place__parent=place.parent_id or place.pk, then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        )
        rows = rows.order_by(close, "name")
    else:
        rows = rows.order_by("name")
    return [_other(one) for one in rows[:MOST]]


def stewards(target: str) -> Iterable[User]:
    """Who keeps the community's books."""
    from energy.models import Community  # noqa: PLC0415 as above
    from energy.services import founding  # noqa: PLC0415 as above

    found = Community.objects.filter(slug=target).first()
    return founding.stewards(found) if found is not None else ()


def may_answer(person: User | None, target: str) -> bool:
    """Whether the person keeps the community's books."""
    from energy import policies  # noqa: PLC0415 as above
    from energy.models import Community  # noqa: PLC0415 as above

    found = Community.objects.filter(slug=target).first()
    return found is not None and policies.is_steward(person, found)
