"""Writes of scenarios: made, revised, copied."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import BadInput
from commons.people.models import User
from twin import assumptions as traffic_assumptions
from twin import policies, queries
from twin.engine import measures as registry
from twin.engine import supposed
from twin.errors import BadMeasure, NotYourScenario, TooManyScenarios, bad_measure
from twin.models import District, Scenario, ScenarioVersion
from twin.queries import scenarios as reads

MOST_AN_HOUR = 60
MOST_NAMELESS_AN_HOUR = 600
"""Of one person, and of all without an account together; the API counts those by address too."""
MOST_VERSIONS = 200
LONGEST_TITLE, LONGEST_QUESTION, LONGEST_NOTE = 120, 500, 300


def fingerprint(edit_key: str) -> str:
    """What is kept of an edit key; nothing of none."""
    return hashlib.sha256(edit_key.encode()).hexdigest() if edit_key else ""


@transaction.atomic
def create(
    *,
    district: District,
    by: User | None,
    title: str,
    question: str = "",
    measures: Sequence[Mapping[str, Any]],
    edit_key: str = "",
    assumptions: Mapping[str, Any] | None = None,
    listed: bool = True,
    demo: bool = False,
) -> Scenario:
    """A new scenario with its first version. `by` is None for somebody without an account, whose `edit_key` then lets
    them go on. Raises BadInput, BadMeasure, TooManyScenarios.
    """
    if not demo:
        _within_pace(by)
    made = Scenario(
        district=district,
        owner=by,
        edit_key_sha256=fingerprint(edit_key),
        title=_title(title),
        question=_text(question, LONGEST_QUESTION, "question"),
        listed=listed,
        demo=demo,
    )
    kept, supposed_ = checked(district, measures), checked_assumptions(assumptions or {})
    made.save(force_insert=True)
    ScenarioVersion.objects.create(scenario=made, number=1, measures=kept, assumptions=supposed_)
    return made


@transaction.atomic
def revise(
    *,
    scenario: Scenario,
    by: User | None,
    edit_key: str = "",
    measures: Sequence[Mapping[str, Any]] | None = None,
    assumptions: Mapping[str, Any] | None = None,
    title: str | None = None,
    question: str | None = None,
    listed: bool | None = None,
    note: str = "",
) -> ScenarioVersion:
    """Change a scenario; measures or assumptions that differ make a new version, which is answered, else the newest.

    Locks the scenario. Raises NotYourScenario, BadInput, BadMeasure, TooManyScenarios.
    """
    held = Scenario.objects.select_for_update(of=("self",)).select_related("district__current").get(pk=scenario.pk)
    if not policies.may_edit_scenario(by, held, edit_key):
        raise NotYourScenario(_("Only who made this scenario may change it. Make a copy, and change that."))
    if title is not None:
        held.title = _title(title)
    if question is not None:
        held.question = _text(question, LONGEST_QUESTION, "question")
    if listed is not None:
        held.listed = listed
    held.save()
    newest = queries.scenarios.scenario_version(held)
    kept = newest.measures if measures is None else checked(held.district, measures)
    supposed_ = newest.assumptions if assumptions is None else checked_assumptions(assumptions)
    if kept == newest.measures and supposed_ == newest.assumptions:
        return newest
    number = 1 + (held.versions.aggregate(most=Max("number"))["most"] or 0)
    if number > MOST_VERSIONS:
        raise TooManyScenarios(_("A scenario has at most %(n)d versions; go on in a copy.") % {"n": MOST_VERSIONS})
    return ScenarioVersion.objects.create(
        scenario=held,
        number=number,
        measures=kept,
        assumptions=supposed_,
        note=_text(note, LONGEST_NOTE, "note"),
    )


@transaction.atomic
def fork(
    *, version: ScenarioVersion, by: User | None, title: str = "", edit_key: str = "", listed: bool = True
) -> Scenario:
    """A copy of a version that somebody goes on with; it names its origin. Raises BadInput, TooManyScenarios."""
    _within_pace(by)
    origin = version.scenario
    made = Scenario.objects.create(
        district=origin.district,
        owner=by,
        edit_key_sha256=fingerprint(edit_key),
        title=_title(title or origin.title),
        question=origin.question,
        parent_version=version,
        listed=listed,
    )
    ScenarioVersion.objects.create(scenario=made, number=1, measures=version.measures, assumptions=version.assumptions)
    return made


def checked(district: District, measures: Any) -> list[dict[str, Any]]:
    """Measures as they are kept, against the district as it stands. Raises BadMeasure."""
    of = queries.current(district)
    known = reads.DistrictKnown(of)
    try:
        kept = registry.checked(measures, known)
    except registry.Refused as fault:
        raise bad_measure(fault) from fault
    if reads.closes_all(of, kept, known):
        raise BadMeasure(
            _("This closes every street of the district, so nobody could drive anywhere. Leave some open."),
            field="street",
        )
    return kept


def checked_assumptions(given: Any) -> dict[str, Any]:
    """{"traffic": {…}, "energy": {…}}, only what differs from ours. Raises BadInput, BadAssumption, BadMeasure."""
    if not isinstance(given, Mapping) or set(given) - {"traffic", "energy"}:
        raise BadInput(_("Assumptions stand under “traffic” and “energy”."), where="assumptions")
    for name in given:
        if not isinstance(given[name], Mapping):
            raise BadInput(_("Assumptions are values by name."), where=f"assumptions.{name}")
    try:
        energy = supposed.checked(given.get("energy", {}))
    except registry.Refused as fault:
        raise bad_measure(fault) from fault
    kept = {"traffic": traffic_assumptions.checked(given.get("traffic", {})), "energy": energy}
    return {name: values for name, values in kept.items() if values}


def _within_pace(by: User | None) -> None:
    since = timezone.now() - dt.timedelta(hours=1)
    most = MOST_AN_HOUR if by else MOST_NAMELESS_AN_HOUR
    if Scenario.objects.filter(owner=by, created_at__gt=since).count() >= most:
        raise TooManyScenarios(_("Too many scenarios were made within the hour. Go on a little later."))


def _title(text: Any) -> str:
    title = " ".join(str(text).split())
    if not title:
        raise BadInput(_("A scenario needs a title: say what you would change."), where="title")
    return _text(title, LONGEST_TITLE, "title")


def _text(text: Any, most: int, where: str) -> str:
    found = str(text).strip()
    if len(found) > most:
        raise BadInput(_("“%(name)s” has at most %(n)d characters.") % {"name": where, "n": most}, where=where)
    return found
