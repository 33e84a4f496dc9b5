"""Long work of the twin: what may go wrong in a version, and its greenhouse gases."""

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import gettext_lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import queries, services
from twin.engine import CARBON_VERSION, RISK_VERSION
from twin.load_profiles import hourly_shares
from twin.models import DistrictVersion
from twin.tasks.roofs import potential_of

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import NDArray

    from twin.engine.carbon import Ledger, Span
    from twin.engine.heat import Floats
    from twin.engine.model import CityModel
    from twin.engine.outage import Tally
    from twin.engine.roofs import Part, Potential

    Bools = NDArray[bool_]

BATTERY_KWH_A_KWP = 1.0
CAR_KWH_A_HOME = 9.0
"""A car for every second home, 30 kWh of it to spare, at home six hours of ten (assumption)."""
HOME_M2 = 75.0
ESSENTIAL = 0.25
HOURS = (4, 24, 72)
HOURS_A_YEAR = 8760
EQUIPMENT = ("solar", "batteries", "cars")
CASES = tuple((name, essential) for name in EQUIPMENT for essential in (1.0, ESSENTIAL))
"""The last one, all equipment and a quarter of the load, is the one that each building is told of."""
MOST_PIECES = 40


class _District(NamedTuple):
    """What all questions read."""

    of: DistrictVersion
    model: "CityModel"
    roofs: "Potential"
    homes: "Floats"


@kind("twin.risk", queue="simulations", engine_version=RISK_VERSION)
def reckon_risk(job: Job, inputs: Inputs) -> Outcome:
    """Power cuts, heat, closed streets, the bicycle's access, and the ledger of carbon."""
    import numpy as np  # noqa: PLC0415 the web process never runs this

    of = queries.version(queries.district(inputs["district"]), inputs["version"])
    model = queries.as_model(of)
    home = np.array([_is_home(b.properties) for b in model.buildings])
    cuts = _Cuts(home)

    def take(part: "Part") -> None:
        done = part.rows.stop / len(model.buildings)
        job.progress(0.1 + 0.55 * done, said(gettext_lazy("Power cuts at every hour of the year")))
        cuts.take(part)

    job.progress(0.1, said(gettext_lazy("Sun, shade and light on each roof")))
    roofs, weather = potential_of(of, model, each=take)
    district = _District(of, model, roofs, roofs.floor_m2 * home)
    summary: dict[str, Any] = {"buildings": len(roofs.keys)}
    columns: dict[str, list[Any]] = {}
    _outage(district, cuts, summary, columns)
    job.progress(0.7, said(gettext_lazy("Heat, and streets that the district leans on")))
    people = _heat(district, summary, columns)
    _streets(district, summary)
    made = queries.measured_kwh(of.district.place, dt.date.fromisoformat(inputs["until"]))
    ledger, about = _ledger(district, people, made)

    def effect() -> None:
        keep = services.store_reckoning
        common: dict[str, Any] = {"of": of, "inputs": weather}
        keep(**common, kind="risk", engine_version=RISK_VERSION, summary=summary, keys=roofs.keys, columns=columns)
        keep(
            **common,
            kind="carbon",
            engine_version=CARBON_VERSION,
            summary=_written(ledger) | about,
            keys=[],
            columns={},
        )
        services.prepare_map(of=of, tiles_alone=True)

    return Outcome({"district": inputs["district"], "version": of.number}, effect)


def _is_home(about: dict[str, Any]) -> float:
    """The share of a building's floor that people live on: all of homes, half where the use is not stated."""
    from twin.engine.floors import HOME, MIXED, benchmark  # noqa: PLC0415 with the engines

    found = benchmark(str(about.get("use", "")))
    return 1.0 if found is HOME else 0.5 if found is MIXED else 0.0


# --- power cut ----------------------------------------------------------------------------------------------
class _Cuts:
    """Power cuts of a district, with solar on every roof, batteries, and cars: its buildings one part after the other,
    for the hours of a whole city are never in memory at once. `home`: the share of each floor that people live on.
    """

    def __init__(self, home: "Floats") -> None:
        import numpy as np  # noqa: PLC0415 as above

        from twin.engine import outage  # noqa: PLC0415 as above

        self.home = home
        self.shares: dict[str, Floats] = {}
        self.solar = np.zeros(1)
        self.homes_kwh = self.works_kwh = 0.0
        self.tallies: dict[tuple[str, float], Tally] = {case: outage.Tally.empty() for case in CASES}
        self.own, self.worst, self.day = (np.full(len(home), np.nan) for _ in range(3))
        self.stored = dict.fromkeys(EQUIPMENT, 0.0)
        self.used = 0

    def take(self, part: "Part") -> None:
        """Reckon these buildings too: each by itself, and what they add to the whole."""
        import numpy as np  # noqa: PLC0415 as above

        from twin.engine import outage  # noqa: PLC0415 as above

        if not self.shares:
            self.shares = hourly_shares(part.hourly_kwh.shape[1])
        used = np.flatnonzero(part.use_kwh > 0)
        use, solar, home = part.use_kwh[used], part.hourly_kwh[used], self.home[part.rows][used]
        is_home = home * part.floor_m2[used] > 0
        load = use[:, None] * np.where(is_home[:, None], self.shares["home"][None], self.shares["work"][None])
        self.used += len(used)
        self.homes_kwh += float(use[is_home].sum())
        self.works_kwh += float(use[~is_home].sum())
        self.solar = self.solar + solar.sum(axis=0)
        kwh = _stored(part.kwp[used], home * part.floor_m2[used])
        for name, essential in CASES:
            alone = outage.supplied(load, solar, kwh[name], essential=essential)
            self.tallies[name, essential].add(alone)
        for name in EQUIPMENT:
            self.stored[name] += float(kwh[name].sum())
        at = part.rows.start + used
        self.own[at], self.worst[at], self.day[at] = alone.quantile(0.5), alone.quantile(0.1), alone.share(24)

    def rows(self) -> list[dict[str, Any]]:
        """What stays on with each equipment: alone, and with the whole district as one grid."""
        import numpy as np  # noqa: PLC0415 as above

        from twin.engine import outage  # noqa: PLC0415 as above

        shares = self.shares or hourly_shares(HOURS_A_YEAR)
        load = (self.homes_kwh * shares["home"] + self.works_kwh * shares["work"])[None]
        solar = np.ascontiguousarray(np.broadcast_to(self.solar, load.shape))
        found = []
        for name, essential in CASES:
            alone = self.tallies[name, essential]
            shared = outage.supplied(load, solar, np.array([self.stored[name]]), essential=essential)
            found.append(
                {
                    "name": name,
                    "essential": essential,
                    "alone": [round(alone.share(h), 4) for h in HOURS],
                    "shared": [round(float(shared.share(h)[0]), 4) for h in HOURS],
                    "median_h": alone.median(),
                    "shared_median_h": float(np.median(shared.hours)),
                }
            )
        return found


def _stored(kwp: "Floats", homes_m2: "Floats") -> "dict[str, Floats]":
    """What buildings can store by equipment, kWh."""
    battery = kwp * BATTERY_KWH_A_KWP
    return {"solar": battery * 0, "batteries": battery, "cars": battery + homes_m2 / HOME_M2 * CAR_KWH_A_HOME}


def _outage(district: _District, cuts: _Cuts, summary: dict[str, Any], columns: dict[str, list[Any]]) -> None:
    """What stays on: of the district, of each building, and of its services."""
    import numpy as np  # noqa: PLC0415 as above

    summary["outage"] = {"rows": cuts.rows(), "hours": list(HOURS), "used": cuts.used}
    columns["hours_own"] = [None if np.isnan(h) else float(h) for h in cuts.own]
    columns["hours_worst"] = [None if np.isnan(h) else float(h) for h in cuts.worst]
    summary["outage"]["services"] = _services(district.model, district.of.epsg, np.nan_to_num(cuts.day))


def _services(model: "CityModel", epsg: int, day: "Floats") -> list[dict[str, Any]]:
    """By kind: how many services stand in a building, and the mean share of cuts in which it lasts a day."""
    import numpy as np  # noqa: PLC0415 as above
    import shapely  # noqa: PLC0415 as above

    from twin.engine import sun  # noqa: PLC0415 as above
    from twin.engine.district import places_m  # noqa: PLC0415 as above

    if not model.services:
        return []
    tree = shapely.STRtree(np.array(sun.outlines(model.buildings, epsg), dtype=object))
    at = places_m(model, [service.geometry["coordinates"] for service in model.services])
    which, house = tree.query(shapely.points(at), predicate="within")
    found: dict[str, list[float]] = {}
    for service, building in zip(which.tolist(), house.tolist(), strict=True):
        found.setdefault(model.services[service].properties["kind"], []).append(float(day[building]))
    rows = [{"kind": k, "count": len(v), "day": round(sum(v) / len(v), 4)} for k, v in sorted(found.items())]
    return sorted(rows, key=lambda row: -row["count"])


# --- heat and streets ---------------------------------------------------------------------------------------
def _heat(district: _District, summary: dict[str, Any], columns: dict[str, list[Any]]) -> "float | None":
    """Classes of exposure, and who lives in each; answers the district's people where a grid of them is given."""
    import numpy as np  # noqa: PLC0415 as above

    from twin.engine import heat, sun  # noqa: PLC0415 as above

    model, epsg = district.model, district.of.epsg
    shapes = sun.outlines(model.buildings, epsg)
    tall = np.array([float(b.properties.get("height_m") or 0) for b in model.buildings])
    green = sun.outlines(model.areas, epsg)
    found = heat.exposure(shapes, tall, green)
    columns["heat"] = found.level.tolist()
    columns["green"] = found.green.round(3).tolist()
    columns["built"] = found.built.round(3).tolist()
    cells = [c for c in getattr(model, "people", []) if c.geometry["type"] in {"Polygon", "MultiPolygon"}]
    total: float | None = None
    if cells:
        at = sun.outlines([_as_multi(cell) for cell in cells], epsg)
        old = np.array([_frail(cell.properties) for cell in cells])
        everybody = np.array([float(cell.properties.get("population") or 0) for cell in cells])
        who, _nobody = heat.spread(at, old, shapes, district.homes)
        total = float(heat.spread(at, everybody, shapes, district.homes)[0].sum())
    else:
        who = district.homes / HOME_M2
    by_class = [
        {
            "level": level,
            "buildings": int((found.level == level).sum()),
            "who": round(float(who[found.level == level].sum())),
        }
        for level in (heat.STRONG, heat.MODERATE, heat.WEAK)
    ]
    summary["heat"] = {"rows": by_class, "people": bool(cells), "areas": len(green)}
    return total


def _as_multi(cell: Any) -> Any:
    from twin.engine.model import Thing  # noqa: PLC0415 with the engines

    if cell.geometry["type"] == "MultiPolygon":
        return cell
    return Thing(cell.key, {"type": "MultiPolygon", "coordinates": [cell.geometry["coordinates"]]}, cell.properties)


def _frail(about: dict[str, Any]) -> float:
    """People over 65 and under 15 of a cell, as far as it says."""
    return float(about.get("over_65") or 0) + float(about.get("under_15") or 0)


def _streets(district: _District, summary: dict[str, Any]) -> None:
    """The pieces that most buildings lean on, and the access by bicycle."""
    from twin.engine import criticality, gains  # noqa: PLC0415 as above

    model = district.model
    rows = criticality.of_district(model)
    named = {street.key: street.properties.get("name", "") for street in model.streets}
    pieces = [{"key": key, "name": named.get(key, ""), **asdict(row)} for key, row in rows[:MOST_PIECES]]
    for piece in pieces:
        piece["worst_min"] = round(piece["worst_min"], 1)
    foot = sum(bool(street.properties["foot"]) for street in model.streets)
    summary["streets"] = {"rows": pieces, "pieces": foot, "leaning": len(rows), "farther_min": criticality.FARTHER_MIN}
    ridden = gains.by_bicycle(model)
    if ridden:
        kinds = {kind: asdict(reach) for kind, reach in ridden.summary.items()}
        city = {str(limit): share for limit, share in gains.city_shares(ridden.minutes).items()}
        summary["bicycle"] = {"kinds": kinds, "city": city}


# --- carbon -------------------------------------------------------------------------------------------------
def _ledger(district: _District, people: "float | None", made_kwh: float) -> "tuple[Ledger, dict[str, Any]]":
    """The ledger, and how people and kilometres are known."""
    from twin.engine import carbon  # noqa: PLC0415 as above
    from twin.engine.floors import benchmark  # noqa: PLC0415 as above

    roofs, model = district.roofs, district.model
    heat = sum(
        floor * benchmark(str(b.properties.get("use", ""))).heat
        for floor, b in zip(roofs.floor_m2.tolist(), model.buildings, strict=True)
    )
    hour = queries.default_traffic(district.of)
    driven = float(hour.summary.get("vehicle_km") or 0.0) if hour else 0.0
    who = carbon.around(people, 1.0, 1.0) if people is not None else _estimated(district)
    about = {
        "people": {**asdict(who), "how": "floor" if people is None else "grid"},
        "driven": {"how": "traffic" if driven else "people", "peak_km": round(driven)},
    }
    found = carbon.ledger(
        heat_kwh=heat,
        power_kwh=float(roofs.use_kwh.sum()),
        people=who,
        home_floor_m2=float(district.homes.sum()),
        vehicle_km=carbon.driven_in_a_year(driven) if driven else None,
        production_kwh=made_kwh,
    )
    return found, about


def _estimated(district: _District) -> "Span":
    """About how many live here, by floor, where there is no grid of people."""
    from twin.engine import carbon, sun  # noqa: PLC0415 as above
    from twin.engine.floors import HOME, MIXED, benchmark  # noqa: PLC0415 as above
    from twin.engine.model import Thing  # noqa: PLC0415 as above

    home = stated = unstated = 0.0
    for floor, building in zip(district.roofs.floor_m2.tolist(), district.model.buildings, strict=True):
        found = benchmark(str(building.properties.get("use", "")))
        if found is MIXED:
            unstated += floor
        else:
            stated += floor
            home += floor if found is HOME else 0.0
    west, south, east, north = district.of.bounds
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    (area,) = sun.outlines([Thing("bounds", {"type": "MultiPolygon", "coordinates": [[ring]]}, {})], district.of.epsg)
    return carbon.people_of_floor(home_m2=home, stated_m2=stated, unstated_m2=unstated, area_km2=area.area / 1e6)


def _written(ledger: "Ledger") -> dict[str, Any]:
    lines = [
        {
            "part": line.part,
            "amount": asdict(line.amount),
            "unit": line.factor.unit,
            "factor": asdict(line.factor.kg),
            "source": line.factor.source,
            "year": line.factor.year,
            "kg": asdict(line.kg),
        }
        for line in ledger.lines
    ]
    return {"lines": lines, "total": asdict(ledger.total_kg)}
