"""Reads of scenarios: who sees which, what of a district measures may name, and what is kept of answers."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.services import canonical_json
from twin.engine import ENGINE_VERSION, SCENARIO_VERSION
from twin.engine.measures import Changes, changes
from twin.errors import NoAnswerYet, ScenarioNotFound
from twin.models import District, DistrictVersion, Scenario, ScenarioResult, ScenarioVersion
from twin.queries import reckonings
from twin.queries.districts import current, things

KIND = "twin.scenario"
SEEDS = tuple(range(1, 21))


class DistrictKnown:
    """A version of a district as measures ask it (`twin.engine.measures.Known`); asks the database for each name."""

    def __init__(self, of: DistrictVersion) -> None:
        self.of = of
        self._streets: dict[str, Sequence[str]] = {}

    def street(self, name: str) -> Sequence[str]:
        """The keys of its pieces."""
        if name not in self._streets:
            rows = things("streets", self.of).filter(Q(key=name) | Q(name=name))
            keys = list(rows.values_list("key", flat=True))
            self._streets[name] = [name] if name in keys else keys
        return self._streets[name]

    def building(self, key: str) -> bool:
        """Whether it is there."""
        found: bool = things("buildings", self.of).filter(key=key).exists()
        return found

    def inside(self, lon: float, lat: float) -> bool:
        """Whether a place lies within its bounds."""
        west, south, east, north = self.of.bounds
        return bool(west <= lon <= east and south <= lat <= north)


def closes_all(of: DistrictVersion, measures: Sequence[Mapping[str, Any]], known: DistrictKnown) -> bool:
    """Whether no street open to cars would be left."""
    made: Changes = changes(measures)
    if not made.closed:
        return False
    shut = {key for name in made.closed for key in known.street(name)}
    open_: bool = things("streets", of).filter(car=True).exclude(key__in=shut).exists()
    return not open_


def scenarios(of: District, user: Any = None) -> QuerySet[Scenario]:
    """Those of a district that are listed, and one's own, newest first."""
    mine = Q(owner=user) if isinstance(user, User) else Q(pk__in=[])
    rows = Scenario.objects.filter(Q(listed=True) | mine, district=of)
    return rows.select_related("district", "owner").order_by("-created_at")


def scenario(pk: str) -> Scenario:
    """By its id: the link is the right to see it. Raises ScenarioNotFound."""
    found = Scenario.objects.select_related("district__current", "owner", "parent_version__scenario").filter(pk=pk)
    one = found.filter(district__current__isnull=False).first()
    if one is None:
        raise ScenarioNotFound(_("There is no scenario of this address."))
    return one


def scenario_version(of: Scenario, number: int | None = None) -> ScenarioVersion:
    """A version by its number, or the newest. Raises ScenarioNotFound."""
    rows = of.versions.select_related("scenario__district__current").order_by("-number")
    found = rows.first() if number is None else rows.filter(number=number).first()
    if found is None:
        raise ScenarioNotFound(_("This scenario has no version %(n)s.") % {"n": number})
    return found


def inputs(version: ScenarioVersion, depth: str, city: DistrictVersion | None = None) -> dict[str, Any]:
    """All that an answer depends on. `city`: the district's version, the current one without it."""
    of = city or current(version.scenario.district)
    made = changes(version.measures)
    found: dict[str, Any] = {
        "district": of.district.slug,
        "city_version": of.number,
        "sources_sha256": of.sources_sha256,
        "measures": version.measures,
        "assumptions": version.assumptions,
        "roofs": reckonings.engine_of(of, "roofs"),
        "engines": [SCENARIO_VERSION, ENGINE_VERSION],
        "depth": depth,
        "seeds": {"quick": [], "seeds": list(SEEDS), "deep": [1]}[depth],
    }
    if made.labs_by_sun:
        found["labs_kwh"] = round(reckonings.measured_kwh(of.district.place, timezone.now().date()), 1)
    return found


def inputs_hash(found: Mapping[str, Any]) -> str:
    """What names an answer."""
    return hashlib.sha256(canonical_json(dict(found))).hexdigest()


def scenario_result(version: ScenarioVersion, depth: str = "") -> ScenarioResult | None:
    """The kept answer for a version as the district stands now: of this depth, else the deepest there is."""
    rows: list[ScenarioResult] = []
    for each in [depth] if depth else ["deep", "seeds", "quick"]:
        rows += ScenarioResult.objects.filter(depth=each, inputs_hash=inputs_hash(inputs(version, each)))
    return next(iter(rows), None)


def answered(version: ScenarioVersion, depth: str = "") -> ScenarioResult:
    """The kept answer. Raises NoAnswerYet."""
    found = scenario_result(version, depth)
    if found is None:
        raise NoAnswerYet(_("No engine has answered this version yet. Start a run of it."))
    return found


def scenario_results(of: Scenario) -> QuerySet[ScenarioResult]:
    """What was answered to any version of a scenario, newest first."""
    return ScenarioResult.objects.filter(version__scenario=of).select_related("version").order_by("-made_at")


def scenario_run(version: ScenarioVersion, depth: str) -> Run | None:
    """The run that works on it now, or the last one. One that was asked for before the district moved on (its roofs
    were reckoned meanwhile) still works on it: its answer is the next that there will be.
    """
    wanted = inputs_hash(inputs(version, depth))
    found: Run | None = Run.objects.filter(kind=KIND, inputs__inputs_hash=wanted).order_by("-created_at").first()
    return found or _begun_before(version, depth)


def _begun_before(version: ScenarioVersion, depth: str) -> Run | None:
    """A run that is at work on the same measures and assumptions here, whatever else has changed since."""
    same = open_runs(version.scenario.district).filter(
        inputs__depth=depth, inputs__measures=version.measures, inputs__assumptions=version.assumptions
    )
    return same.last()


def open_runs(of: District) -> QuerySet[Run]:
    """Runs of scenarios of a district that wait or work."""
    return Run.objects.filter(
        kind=KIND, inputs__district=of.slug, status__in=(Run.Status.QUEUED, Run.Status.RUNNING)
    ).order_by("created_at")
