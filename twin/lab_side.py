"""Buildings of the twin as what labs stand in: found by the lab's position or by words, confirmed by stewards."""

from collections.abc import Iterable, Mapping, Sequence
from math import cos, radians
from typing import Any

from django.db.models import F, FloatField, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from labs.models import Lab, LabTie
from labs.queries import lab_days, standing, ties
from labs.sides import Other, Side, sides
from twin import policies, queries
from twin.models import Building, District

MOST = 12


def register() -> None:
    """Plug buildings in."""
    sides.register(
        Side(
            LabTie.Kind.BUILDING,
            gettext_lazy("Building"),
            gettext_lazy("In which building of the twin does it work?"),
            find,
            near,
            stewards,
            may_answer,
            order=20,
        )
    )


def target(district: District, key: str) -> str:
    """The address of a building among all districts."""
    return f"{district.slug}/{key}"


def find(address: str, _person: User | None) -> Other | None:
    """The building that stands under “district/key” now."""
    slug, _slash, key = address.partition("/")
    district = queries.districts().filter(slug=slug).first()
    if district is None or not key:
        return None
    row = queries.things("buildings", queries.current(district)).filter(key=key).defer("geometry").first()
    return _other(district, row) if row is not None else None


def _other(district: District, row: Building) -> Other:
    address = str(row.properties.get("address", ""))
    title = row.name or address or _("Building %(key)s") % {"key": row.key}
    url = reverse("rooms:building", args=[district.slug, row.key])
    return Other(target(district, row.key), title, url, address if row.name and address else district.name)


def near(lab: Lab, _person: User | None, words: str) -> Sequence[Other]:
    """Buildings with these words in name or address; without words those with a corner nearest to the lab."""
    district = queries.of_place(lab.place).first() if lab.place else None
    if district is None:
        return []
    rows = queries.things("buildings", queries.current(district)).defer("geometry")
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(properties__address__icontains=words)).order_by("name", "key")
    elif lab.lat is not None and lab.lon is not None:
        rows = rows.annotate(lon=_corner("0"), lat=_corner("1")).order_by(_distance(lab.lat, lab.lon), "key")
    else:
        rows = rows.exclude(name="").order_by("name", "key")
    return [_other(district, row) for row in rows[:MOST]]


def _corner(axis: str) -> Cast:
    """A coordinate of the first corner of a building."""
    path: Any = F("geometry")
    for step in ("coordinates", "0", "0", "0", axis):
        path = KeyTextTransform(step, path)
    return Cast(path, FloatField())


def _distance(lat: float, lon: float) -> Any:
    """Squared distance in degrees of latitude, small enough to order by."""
    east, north = (F("lon") - lon) * cos(radians(lat)), F("lat") - lat
    return east * east + north * north


def stewards(_address: str) -> Iterable[User]:
    """Who looks after the city's model."""
    return policies.stewards()


def may_answer(person: User | None, _address: str) -> bool:
    """Who decides on corrections of the model also says which lab stands in which building."""
    return person is not None and policies.may_decide(person)


def in_building(district: District, key: str) -> list[Mapping[str, Any]]:
    """The labs that stand in a building with their load: now, booked and measured today."""
    labs = ties.labs_of(LabTie.Kind.BUILDING, target(district, key))
    if not labs:
        return []
    now = timezone.now()
    loads = lab_days.of_labs(labs, now)
    return [{"now": one, "load": loads[one.lab.pk]} for one in standing.of_labs(labs, now)]


def spots(district: District, labs: Iterable[Lab]) -> dict[int, tuple[float, float, str]]:
    """Where labs that stand in a building of the district are: lon and lat of its middle, and its name."""
    held = {tie.lab_id: tie for tie in _ties(district, labs)}
    keys = {tie.target.partition("/")[2] for tie in held.values()}
    if not keys:
        return {}
    rows = queries.things("buildings", queries.current(district)).filter(key__in=keys)
    middles = {key: _middle(geometry) for key, geometry in rows.values_list("key", "geometry")}
    return {
        pk: (*middles[key], tie.title) for pk, tie in held.items() if (key := tie.target.partition("/")[2]) in middles
    }


def _ties(district: District, labs: Iterable[Lab]) -> Iterable[LabTie]:
    rows = LabTie.objects.filter(kind=LabTie.Kind.BUILDING, state=LabTie.State.HOLDS, lab__in=list(labs))
    return rows.filter(target__startswith=f"{district.slug}/")


def _middle(geometry: Mapping[str, Any]) -> tuple[float, float]:
    ring = geometry["coordinates"][0][0][:-1]
    return sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)
