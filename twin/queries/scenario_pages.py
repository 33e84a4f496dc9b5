"""Reads for the pages of scenarios: names of what measures mention, street names to choose from, comments."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from twin.errors import ThingNotFound
from twin.models import DistrictVersion, Scenario, ScenarioComment, ScenarioResult, ScenarioVersion
from twin.queries.districts import things
from twin.queries.districts import version as district_version
from twin.queries.scenarios import scenario_result

MOST_NAMES = 1500
MOST_BUILDINGS = 300


def street_names(of: DistrictVersion) -> list[str]:
    """Names of streets that are open to cars."""
    rows = things("streets", of).filter(car=True).exclude(name="").order_by("name")
    return list(rows.values_list("name", flat=True).distinct()[:MOST_NAMES])


def building_names(of: DistrictVersion) -> list[tuple[str, str]]:
    """Keys and names of the buildings that have one."""
    rows = things("buildings", of).exclude(name="").order_by("name")
    return list(rows.values_list("key", "name")[:MOST_BUILDINGS])


def names_of(of: DistrictVersion, measures: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What the streets and buildings that measures mention are called, by key; those without a name are left out."""
    found: dict[str, str] = {}
    given = list(measures)
    for layer, field in (("streets", "street"), ("buildings", "building")):
        keys = {str(one[field]) for one in given if one.get(field)}
        if keys:
            rows = things(layer, of).filter(key__in=keys).exclude(name="")
            found |= dict(rows.values_list("key", "name"))
    return found


def city_of(result: ScenarioResult) -> DistrictVersion:
    """The version of the district that an answer is of."""
    return district_version(result.version.scenario.district, result.city_version)


def names_by_key(result: ScenarioResult, layer: str, keys: Sequence[str]) -> dict[str, str]:
    """What things are called, by key: their name, else their address."""
    rows = things(layer, city_of(result)).filter(key__in=keys).values_list("key", "name", "properties__address")
    return {key: name or address or "" for key, name, address in rows if name or address}


def answer(version: ScenarioVersion, depth: str = "") -> tuple[ScenarioResult | None, bool]:
    """The answer for a version, and whether it is of the district as it stands: else the last one that was ever kept
    for the same measures and assumptions here, so that a shared link goes on answering when the city's data move on.
    """
    found = scenario_result(version, depth)
    if found is not None:
        return found, True
    same = ScenarioResult.objects.filter(
        version__measures=version.measures,
        version__assumptions=version.assumptions,
        version__scenario__district=version.scenario.district_id,
        **({"depth": depth} if depth else {}),
    )
    return same.select_related("version__scenario__district").order_by("-made_at").first(), False


def comments(of: Scenario) -> QuerySet[ScenarioComment]:
    """What was said of a scenario, first things first."""
    return of.comments.select_related("author").order_by("created_at", "pk")


def comment(of: Scenario, pk: int) -> ScenarioComment:
    """One of them. Raises ThingNotFound."""
    found = of.comments.filter(pk=pk).first()
    if found is None:
        raise ThingNotFound(_("There is no such comment."))
    return found


def counted(rows: Sequence[Scenario]) -> dict[str, int]:
    """How many comments each scenario has."""
    keys = [row.pk for row in rows]
    found: dict[str, int] = {}
    for pk in ScenarioComment.objects.filter(scenario__in=keys).values_list("scenario_id", flat=True):
        found[pk] = found.get(pk, 0) + 1
    return found
