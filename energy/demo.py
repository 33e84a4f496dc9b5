"""The demonstration community of Kamppi: generated from standard profiles and a typical year's weather, and
labelled so.

Load profiles and weather are data files of the wheel `demandlib`, found without importing it.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext_noop

from commons.places import services as places
from commons.places.models import Place
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from energy import demo_bills, services, standards
from energy.kinds import GRID_KIND
from energy.models import Community, CommunityVersion
from energy.services import forecasts, grids

if TYPE_CHECKING:
    from energy.engine.community import Community as EngineCommunity
    from energy.engine.neighbourhood import Plan

Say = Callable[[str], None]

SLUG = "kamppi"
YEAR = 2026
SEED = 20260101
SOURCE = gettext_noop(
    "Generated for demonstration: BDEW 2025 standard load profiles and solar roofs computed from the typical "
    "year of Rostock "
    "(TRY 2010), hour by hour of local standard time. Prices and CO₂ are assumed."
)
GRID = Path(__file__).parent / "demogrid"
GRID_SOURCE = gettext_noop("Drawn for demonstration with common cables; no such lines lie there.")
HOLIDAYS = frozenset({(1, 1), (1, 6), (5, 1), (12, 6), (12, 24), (12, 25), (12, 26)})
RULES = ("owen", "shapley", "mid-market", "equal", "proportional")


def seed(say: Say) -> None:
    """Make the community and simulate it, unless the same one is there."""
    folder = standards.folder()
    if folder is None:
        say("energy: the wheel demandlib is not installed, so there is no demonstration community")
        return
    place = _place()
    community = Community.objects.filter(slug=SLUG).first()
    if community and not community.demo:
        say("energy: a community “kamppi” is there and is not a demonstration; left alone")
        return
    data = _generate(folder)
    sha256 = hashlib.sha256(data.load_kwh.tobytes() + data.pv_kwh.tobytes() + data.import_price.tobytes()).hexdigest()
    version = community.versions.order_by("-number").first() if community else None
    if version is None or version.content_sha256 != sha256:
        version = services.keep(data=data, slug=SLUG, sha256=sha256, place=place, source=SOURCE, demo=True)
        say(
            f"energy: {len(data.members)} members, {version.load_kwh:,.0f} kWh used, {version.pv_kwh:,.0f} "
            f"kWh made in a year"
        )
    wanted = [("rule", None), *(("none", rule) for rule in RULES), ("optimal", "owen")]
    for control, rule in wanted:
        there = version.simulations.filter(control=control)
        if (there.filter(sharing_rule=rule) if rule else there).exists():
            continue
        run = services.start_simulation(version=version, control=control, sharing=rule, full=True, demo=True)
        if not do(run.pk):
            runs.wait(run=run, timeout_s=300)
        say(f"energy: simulated by {control}" + (f", shared by {rule}" if rule else ""))
    _grid(version, say)
    from energy import demo_life  # noqa: PLC0415 numpy is loaded by the demonstration alone

    words = demo_life.seed(version)
    if words:
        say(words)
    demo_bills.seed(version.community, say)
    _forecast(version, say)


def _forecast(version: CommunityVersion, say: Say) -> None:
    """Ring for today's forecast, which the clock would do within the hour; nobody waits for it."""
    today = timezone.now().date()
    if Run.objects.filter(kind=forecasts.KIND, inputs__version=version.pk, inputs__day=today.isoformat()).exists():
        return
    forecasts.start_forecast(version=version, day=today, demo=True)
    say("energy: today's forecast is being made")


def _grid(version: CommunityVersion, say: Say) -> None:
    """The lines of the demonstration, and whether they hold with storage and without."""
    grid_version = grids.import_grid(
        folder=GRID,
        community=version.community,
        name="Kamppi, one transformer",
        valid_from=dt.date(YEAR, 1, 1),
        source=GRID_SOURCE,
        demo=True,
    )
    for control in ("none", "rule"):
        if version.grid_checks.filter(control=control, grid_version=grid_version).exists():
            continue
        run = grids.start_check(version=version, grid_version=grid_version, control=control, demo=True)
        if not do(run.pk):
            runs.wait(run=run, timeout_s=300)
        say(f"energy: checked the grid, storage {control}")


def remove(say: Say) -> None:
    """Take the demonstration away, with its runs."""
    from energy import demo_life  # noqa: PLC0415 as above

    Run.objects.filter(kind__in=[services.KIND, GRID_KIND, forecasts.KIND], demo=True).delete()
    demo_bills.remove()
    demo_life.remove()
    gone = Community.objects.filter(demo=True).delete()[0]
    if gone:
        say("energy: the demonstration community is gone")


def _place() -> Place:
    city = places.ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki", country="FI", demo=True)
    return places.ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city, demo=True)


def _generate(folder: Path) -> "EngineCommunity":
    from energy.engine.community import Battery  # noqa: PLC0415 numpy is loaded by the demonstration alone
    from energy.engine.neighbourhood import Setting, generate  # noqa: PLC0415 as above
    from energy.engine.profiles import read_bdew25  # noqa: PLC0415 as above
    from energy.engine.weather import read_try  # noqa: PLC0415 as above

    profiles = {name: read_bdew25(folder / "bdew" / "bdew_data" / f"{name}.csv") for name in ("h25", "g25")}
    weather = read_try(folder / "vdi" / "resources_weather" / "TRY2010_02_Jahr.dat")
    setting = Setting(
        name="Kamppi energy community",
        currency="EUR",
        timezone="Europe/Helsinki",
        utc_offset_h=2,
        year=YEAR,
        holidays=HOLIDAYS,
        day_price=0.21,
        night_price=0.15,
        export_price=0.05,
        co2_kg_per_kwh=0.04,
        battery=Battery(240.0, 120.0),
    )
    return generate(_plans(), setting, profiles, weather, SEED)


def _plans() -> "list[Plan]":
    from energy.engine.neighbourhood import Plan  # noqa: PLC0415 numpy is loaded by the demonstration alone

    faces = (180.0, 90.0, 270.0, 135.0, 225.0)
    homes = [
        Plan(
            id=f"house{i:02d}",
            name=f"House {i}",
            kind="home",
            profile="h25",
            mwh=24.0 + 7.0 * (i * 5 % 8),
            pv_kwp=(0.0, 38.0, 55.0, 72.0)[i % 4],
            tilt=(15.0, 25.0, 35.0)[i % 3],
            face=faces[i % 5],
            battery_kwh=30.0 if i % 6 == 1 else 0.0,
            moved=(i * 3 % 9) - 4,
        )
        for i in range(1, 19)
    ]
    return [
        *homes,
        Plan("lab1", "Kamppi Open Lab", "lab", "g25", 46.0, 40.0, 10.0, 180.0),
        Plan("lab2", "Library Workshop", "lab", "g25", 28.0, 25.0, 10.0, 180.0, moved=4),
        Plan("library", "Library", "public", "g25", 85.0, 90.0, 10.0, 180.0, battery_kwh=60.0),
        Plan("school", "School", "public", "g25", 120.0, 160.0, 10.0, 180.0),
        Plan("shop", "Grocery shop", "business", "g25", 140.0, 60.0, 10.0, 180.0, moved=2),
        Plan("cafe", "Café", "business", "g25", 38.0, moved=6),
    ]
