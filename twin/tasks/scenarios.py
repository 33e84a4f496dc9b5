"""Runs of scenarios: at once by our own engines, with 20 seeds of SUMO, or vehicle by vehicle."""

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, gettext_noop

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.runs.services import canonical_json
from commons.said import said
from twin import map_files, queries, scenario_files
from twin.engine import SCENARIO_VERSION
from twin.errors import bad_measure
from twin.load_profiles import hourly_shares
from twin.models import DistrictVersion, ScenarioVersion
from twin.queries.scenarios import KIND
from twin.services import scenario_runs
from twin.typical_weather import typical

if TYPE_CHECKING:
    from twin.engine.scenario import Base, Comparison, Say
    from twin.engine.scenario import Outcome as Reckoned
    from twin.engine.whatif.energy import Known

_STAGES: dict[str, str | Promise] = {
    "city": gettext_lazy("The city under these measures"),
    "access": gettext_lazy("Minutes on foot and by bicycle"),
    "traffic": gettext_lazy("Who drives which way"),
    "energy": gettext_lazy("A year of power, hour by hour"),
    "risk": gettext_lazy("Power cuts and heat"),
}
_QUICK_SHARE = {"quick": 1.0, "seeds": 0.15, "deep": 0.05}
MOST_KEPT = 2
_kept: "OrderedDict[str, tuple[Base, Reckoned]]" = OrderedDict()


def warm_up() -> None:
    """Today in the districts whose scenarios were asked for last, and what is compiled for a variant of it; not in
    large ones, where it is a minute's work and more.
    """
    from twin.engine import measures, scenario  # noqa: PLC0415 engines load numpy, scipy and numba

    versions = ScenarioVersion.objects.filter(scenario__district__current__isnull=False)
    districts = versions.order_by("scenario__district", "-pk").distinct("scenario__district")
    quick = [one for one in districts if not map_files.is_large(queries.current(one.scenario.district))]
    for version in sorted(quick, key=lambda one: one.pk)[-MOST_KEPT:]:
        of, today = _today(queries.scenarios.inputs(version, "quick"))
        scenario.compare(of, today, scenario.reckon(of, measures.checked(version.measures), beside=today))


@kind(KIND, queue="simulations", engine_version=SCENARIO_VERSION, warm=warm_up)
def reckon_scenario(job: Job, inputs: Inputs) -> Outcome:
    """A list of measures beside today. What is kept is a pure function of the inputs, byte for byte."""
    from twin.engine import measures, scenario  # noqa: PLC0415 engines load numpy, scipy and numba

    began = time.monotonic()
    share = _QUICK_SHARE[inputs["depth"]]
    standing = said(gettext_lazy("The city as it stands"))
    job.progress(0.01, standing)
    of, today = _today(inputs, lambda part, _stage: job.progress(share * (0.02 + 0.28 * part), standing))
    try:
        variant = scenario.reckon(
            of,
            inputs["measures"],
            beside=today,
            say=lambda part, stage: job.progress(share * (0.3 + 0.6 * part), said(_STAGES[stage])),
        )
    except measures.Refused as fault:
        raise bad_measure(fault) from fault
    found = scenario.compare(of, today, variant)
    summary = found.document()
    if inputs["depth"] != "quick" and today.roads is not None:
        figures, engine = _deeper(job, inputs, today, variant)
        summary["figures"] = [*summary["figures"], *figures]
        summary["engines"] = [*summary["engines"], engine]
    sha256 = scenario_files.keep(_detail(found))
    result = {"district": inputs["district"], "inputs_hash": inputs["inputs_hash"], "depth": inputs["depth"]}

    def effect() -> None:
        scenario_runs.store(
            inputs=inputs,
            summary=summary,
            detail_sha256=sha256,
            took_s=round(time.monotonic() - began, 3),
            run=job.run,
        )

    return Outcome(result, effect)


def _detail(found: "Comparison") -> dict[str, Any]:
    return {"buildings": found.buildings, "streets": found.streets}


def _today(inputs: Inputs, say: "Say | None" = None) -> "tuple[Base, Reckoned]":
    """The district as it stands and what it comes to, kept in this process for the next scenario of it."""
    from twin.engine import demand, scenario, supposed  # noqa: PLC0415 as above

    version = queries.version(queries.district(inputs["district"]), inputs["city_version"])
    assumed = inputs["assumptions"]
    name = canonical_json(
        [version.pk, version.sources_sha256, inputs["roofs"], assumed, inputs.get("labs_kwh", 0)]
    ).decode()
    if name in _kept:
        _kept.move_to_end(name)
        return _kept[name]
    model = queries.as_model(version)
    west, south, east, north = version.bounds
    weather, _source = typical((south + north) / 2, (west + east) / 2)
    of = scenario.base(
        model,
        weather=weather,
        shares=hourly_shares(len(weather.ghi)),
        roofs=_roofs(version, inputs["roofs"]),
        traffic_=demand.assumptions(assumed.get("traffic", {})),
        energy_=supposed.energy(assumed.get("energy", {})),
        labs=_labs(version, model, float(inputs.get("labs_kwh", 0))),
    )
    _kept[name] = (of, scenario.reckon(of, [], say=say))
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return _kept[name]


def _roofs(version: DistrictVersion, engine: str) -> "Known | None":
    """What the roofs' run found, if it was there when the scenario was asked for."""
    from twin.engine.whatif.energy import Known  # noqa: PLC0415 as above

    kept = version.reckonings.filter(kind="roofs", engine_version=engine).first() if engine else None
    if kept is None:
        return None
    return Known(
        dict(zip(kept.keys, kept.columns["kwp"], strict=True)), dict(zip(kept.keys, kept.columns["kwh"], strict=True))
    )


def _labs(version: DistrictVersion, model: Any, kwh: float) -> dict[str, float]:
    """What the labs measured, laid in equal parts on the buildings nearest to them."""
    import numpy as np  # noqa: PLC0415 as above

    from twin.engine.district import anchor, places_m  # noqa: PLC0415 as above

    pins = [pin for pin in queries.lab_pins(version.district.place) if pin.get("lat") and pin.get("lon")]
    if kwh <= 0 or not pins or not model.buildings:
        return {}
    homes = places_m(model, [anchor(building) for building in model.buildings])
    found: dict[str, float] = {}
    for at in places_m(model, [(float(pin["lon"]), float(pin["lat"])) for pin in pins]):
        key = model.buildings[int(np.hypot(*(homes - at).T).argmin())].key
        found[key] = found.get(key, 0.0) + kwh / len(pins)
    return found


def _deeper(
    job: Job, inputs: Inputs, today: "Reckoned", variant: "Reckoned"
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """SUMO's figures for both sides, with the same seeds; and its name."""
    from twin import sumo  # noqa: PLC0415 a worker's
    from twin.sumo import paired  # noqa: PLC0415 loads numpy and scipy

    engine = sumo.version()
    share = _QUICK_SHARE[inputs["depth"]]
    words = gettext_lazy("SUMO, seed by seed") if inputs["depth"] == "seeds" else gettext_lazy(
        "SUMO, vehicle by vehicle"
    )  # fmt: skip

    def say(part: float) -> None:
        job.progress(share + (0.99 - share) * part, said(words))

    assert today.hour is not None and today.roads is not None  # noqa: S101 asked before
    assert variant.hour is not None and variant.roads is not None  # noqa: S101 the same network
    sides = [(each.roads.network, each.hour.found, each.roads.od) for each in (today, variant)]  # type: ignore[union-attr]
    if inputs["depth"] == "seeds":
        figures = paired.seeds(sides, inputs["seeds"], f"{engine}, mesoscopic", say)
        what = gettext_noop("20 seeds, the same for both sides")
    else:
        figures = paired.deep(sides, inputs["seeds"][0], f"{engine}, microscopic", say)
        what = gettext_noop("one seed, vehicle by vehicle, with emissions")
    mode = "mesoscopic" if inputs["depth"] == "seeds" else "microscopic"
    return figures, {"name": f"{engine}, {mode}", "version": engine, "what": what}
