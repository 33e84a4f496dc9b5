"""What the next level of a system wants, in words, with the page or the command that would supply it."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twin.coverage.cells import Cell
from twin.coverage.levels import HIGHEST
from twin.models import District

Text = str | Promise
FROM_MAP = frozenset({"buildings", "streets", "walking", "transit", "green", "services"})
COMMANDS = {
    "population": "import_district people.csv --slug {slug} --keep",
    "flood": "rain {slug} terrain.asc",
    "electricity": "import_community data/ --place {place}",
    "solar": "import_community data/ --place {place}",
}
LIVE: dict[str, Text] = {
    "buildings": gettext_lazy("Buildings become live by what is measured in them; no source of that is read yet."),
    "streets": gettext_lazy("Counts of cars that report by themselves; an enrolled counter is enough."),
    "walking": gettext_lazy("Counts of people on foot that report by themselves; an enrolled counter is enough."),
    "transit": gettext_lazy("A feed of where buses and trams are (GTFS Realtime); no source of that is read yet."),
    "electricity": gettext_lazy("Meters of members that deliver their days, nine of ten hours of the last week."),
    "solar": gettext_lazy("Meters or inverters that deliver what roofs make, nine of ten hours of the last week."),
    "production": gettext_lazy("Machines whose power is heard nine of ten quarters of an hour of the last week."),
    "services": gettext_lazy("Opening hours and what is full, from those who run them; no source is read yet."),
    "population": gettext_lazy(
        "How many people are here now; no source of that is read, and none should name anybody."
    ),
}
SENSOR = gettext_lazy("Enrol a sensor that everybody may read and that reports at least every ten minutes.")
FORECAST = gettext_lazy(
    "A forecast that beat “the same as yesterday” over 30 days. The clock makes one each night once 70 days of hours "
    "are known."
)
FORECAST_NONE = gettext_lazy("No engine foresees this system yet; a room may bring one through the socket of evidence.")
WHAT_IF_TRAFFIC = gettext_lazy("Have the hour reckoned with 20 seeds of SUMO, or run a scenario with seeds.")
WHAT_IF = gettext_lazy("A finished scenario that moves a figure of this system and says how sure it is.")
WHAT_IF_NONE = gettext_lazy("No engine answers “what if” for this system yet.")
LOOP = gettext_lazy(
    "A decision that changed something here, and what was measured after it held against what was expected."
)
FORESEEN = frozenset({"electricity", "solar", "production"})
ASKED = frozenset({"electricity", "solar", "streets", "walking"})


@dataclass(frozen=True, slots=True)
class Step:
    """What is missing for a system's next level. `why`: what its best evidence lacks, where there is some."""

    level: int
    words: Text
    why: Text = ""
    url: str = ""
    button: Text = ""
    command: str = ""


def next_step(cell: Cell, why: Text, district: District) -> Step | None:
    """What would raise a system by a level; None where it has the highest."""
    level = cell.level + 1
    if level > HIGHEST:
        return None
    slug = cell.system.slug
    words, url, button, command = _wanted(slug, level, cell, district)
    return Step(level, words, why, url, button, command)


def _wanted(slug: str, level: int, cell: Cell, district: District) -> tuple[Text, str, Text, str]:
    if level == 1:
        return (cell.system.wanted, *_inventory(slug, district))
    if level == 2:
        url, button = _live(slug, district)
        return LIVE.get(slug, SENSOR), url, button, ""
    if level == 3:
        there = page("district-ahead", district.slug)
        return (FORECAST, there, _("See the next 48 hours"), "") if slug in FORESEEN else (FORECAST_NONE, "", "", "")
    if level == 4:
        return _what_if(slug, district)
    return LOOP, page("decisions"), _("See what is being decided"), ""


def _what_if(slug: str, district: District) -> tuple[Text, str, Text, str]:
    if slug == "streets":
        return WHAT_IF_TRAFFIC, page("district-traffic", district.slug) + "#assumptions", _("Reckon traffic"), ""
    if slug in ASKED:
        return WHAT_IF, page("scenarios", district.slug), _("Try a change"), ""
    return WHAT_IF_NONE, "", "", ""


def _inventory(slug: str, district: District) -> tuple[str, Text, str]:
    if slug == "production":
        return page("labs"), _("See the labs"), ""
    if slug in {"electricity", "solar"}:
        return page("energy"), _("See the energy communities"), f"manage.py {_command(slug, district)}"
    if slug in FROM_MAP or slug == "population":
        command = COMMANDS.get(slug, "import_district map.osm.pbf --slug {slug}").format(slug=district.slug)
        return f"{page('district-new')}?slug={district.slug}", _("Import a new version"), f"manage.py {command}"
    if slug in COMMANDS:
        return "", "", f"manage.py {_command(slug, district)}"
    return "", "", ""


def _command(slug: str, district: District) -> str:
    place = district.place.slug if district.place else ""
    return COMMANDS[slug].format(slug=district.slug, place=place)


def _live(slug: str, district: District) -> tuple[str, Text]:
    if slug == "production":
        return page("labs"), _("See the labs")
    if slug in {"electricity", "solar"}:
        return page("energy"), _("See the energy communities")
    return "", ""


def page(name: str, *args: str) -> str:
    """The address of a page, where its room is there."""
    try:
        return reverse(f"rooms:{name}", args=args)
    except NoReverseMatch:
        return ""
