"""Long work of the twin: a district's power over a year as it is today."""

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.utils.translation import gettext_lazy

from commons.places.models import Place
from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import queries, services
from twin.engine import ENERGY_VERSION
from twin.load_profiles import hourly_shares
from twin.models import DistrictVersion

if TYPE_CHECKING:
    from energy.engine.community import Floats
    from twin.engine.energy import Storage

WINTER, SUMMER = (*range(59), *range(334, 365)), tuple(range(151, 243))


@kind("twin.energy", queue="simulations", engine_version=ENERGY_VERSION)
def reckon_energy(job: Job, inputs: Inputs) -> Outcome:
    """Use by parts, solar, storage, what the grid gives: the year of a version, hour by hour."""
    import numpy as np  # noqa: PLC0415 the web process never runs this

    from twin.engine import energy as engine  # noqa: PLC0415 as above
    from twin.engine import supposed  # noqa: PLC0415 as above

    of = queries.version(queries.district(inputs["district"]), inputs["version"])
    place = of.district.place
    job.progress(0.1, said(gettext_lazy("What the buildings use")))
    homes, work, groups = _buildings(of)
    clock = place.timezone if place else "UTC"
    shapes = hourly_shares(engine.HOURS, clock)
    job.progress(0.5, said(gettext_lazy("What members and labs use, and what roofs make")))
    load, solar, storage, source = _members(place)
    labs = queries.measured_kwh(place, dt.date.fromisoformat(inputs["until"]))
    assumed = supposed.Energy()
    prices = engine.Prices(assumed.buy_ct, assumed.sell_ct, assumed.power_kg_per_kwh)
    used = engine.parts(home_kwh=homes, work_kwh=work, shapes=shapes, members=load, labs_kwh=labs)
    found = engine.year(used, solar if solar is not None else np.zeros(engine.HOURS), storage=storage, prices=prices)
    at, kw = found.peak
    begin = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    lines = {**found.parts, "solar": found.solar, "bought": found.bought, "sent": found.sent}
    summary: dict[str, Any] = {
        "parts": {name: round(float(values.sum())) for name, values in found.parts.items()},
        "groups": groups,
        "use_kwh": round(float(found.load.sum())),
        "solar_kwh": round(float(found.solar.sum())),
        "bought_kwh": round(float(found.bought.sum())),
        "sent_kwh": round(float(found.sent.sum())),
        "ratio": round(found.ratio, 4),
        "own": round(found.own, 4),
        "peak_kw": round(kw, 1),
        "peak_at": (begin + dt.timedelta(hours=at)).isoformat(),
        "cost": round(found.cost),
        "co2_kg": round(found.co2_kg),
        "months": {name: engine.by_month(values) for name, values in lines.items()},
        "days": {
            season: {name: engine.mean_day(values, days, shift) for name, values in lines.items()}
            for season, days, shift in (("winter", WINTER, _shift(clock, 1)), ("summer", SUMMER, _shift(clock, 7)))
        },
        "community": source,
        "storage_kwh": round(storage.kwh, 1),
    }
    known = {"buy_ct": prices.buy_ct, "sell_ct": prices.sell_ct, "power_kg_per_kwh": prices.kg, "clock": clock}

    def effect() -> None:
        services.store_reckoning(
            of=of, kind="energy", engine_version=ENERGY_VERSION, inputs=known, summary=summary, keys=[], columns={}
        )

    return Outcome({"district": inputs["district"], "version": of.number, "ratio": summary["ratio"]}, effect)


def _shift(clock: str, month: int) -> int:
    """Hours by which the clock is ahead of UTC in a month."""
    offset = dt.datetime(2025, month, 15, tzinfo=ZoneInfo(clock)).utcoffset()
    return round(offset.total_seconds() / 3600) if offset else 0


def _buildings(of: DistrictVersion) -> tuple[float, float, list[dict[str, Any]]]:
    """kWh a year of homes and of work by benchmark, and rows by group of use: floor, kWh, buildings."""
    from twin.engine import sun  # noqa: PLC0415 as above
    from twin.engine.floors import HOME, MIXED, benchmark, storeys  # noqa: PLC0415 as above

    model = queries.as_model(of)
    homes, work = 0.0, 0.0
    groups: dict[str, dict[str, Any]] = {}
    for building, shape in zip(model.buildings, sun.outlines(model.buildings, of.epsg), strict=True):
        about = building.properties
        found = benchmark(str(about.get("use", "")))
        floor = float(shape.area) * storeys(about)
        kwh = floor * found.power
        at_home = kwh if found is HOME else kwh / 2 if found is MIXED else 0.0
        homes, work = homes + at_home, work + kwh - at_home
        row = groups.setdefault(found.group, {"group": found.group, "buildings": 0, "floor_m2": 0.0, "kwh": 0.0})
        row["buildings"] += 1
        row["floor_m2"] += floor
        row["kwh"] += kwh
    rows = sorted(groups.values(), key=lambda row: -row["kwh"])
    return homes, work, [{**row, "floor_m2": round(row["floor_m2"]), "kwh": round(row["kwh"])} for row in rows]


def _members(place: Place | None) -> "tuple[Floats | None, Floats | None, Storage, str]":
    """Use and solar of the place's energy community, as everybody may see them, as a calendar year in UTC; its storage
    and its name.
    """
    import numpy as np  # noqa: PLC0415 as above

    from twin.engine.energy import Storage, laid  # noqa: PLC0415 as above

    nothing = (None, None, Storage(), "")
    if place is None or not apps.is_installed("energy"):
        return nothing
    from energy import queries as energy  # noqa: PLC0415 only where the room is there
    from energy.queries import public  # noqa: PLC0415 as above

    community = energy.community_of(place)
    version = public.version(community, None) if community else None
    if community is None or version is None:
        return nothing
    shown = public.curves(version, None, "load", "pv")
    if "load" not in shown:
        return nothing
    begin = version.start.astimezone(dt.UTC)
    first = (begin.timetuple().tm_yday - 1, begin.hour)
    load = laid(np.array(shown["load"]), first, version.step_minutes)
    solar = laid(np.array(shown["pv"]), first, version.step_minutes) if "pv" in shown else None
    kwh, kw = version.battery_kwh or 0.0, version.battery_kw or 0.0
    if public.standing(version, None).storage:
        for more_kwh, more_kw in version.members.values_list("battery_kwh", "battery_kw"):
            kwh, kw = kwh + (more_kwh or 0.0), kw + (more_kw or 0.0)
    return load, solar, Storage(kwh, kw), community.name
