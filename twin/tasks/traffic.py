"""Runs of traffic: the equilibrium in a second, several seeds of SUMO, and the deep run."""

from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import queries, services
from twin.errors import NoRoads
from twin.models import DistrictVersion
from twin.models.traffic import Traffic

if TYPE_CHECKING:
    from twin.engine.traffic import Solved

VERSION = "twin traffic 1"
SUMO_VERSION = "twin traffic 1, SUMO 1.28"
SEEDS = 20

_STAGES: dict[str, str | Promise] = {
    "network": gettext_lazy("Roads and junctions"),
    "trips": gettext_lazy("Who drives from where to where"),
    "answer": gettext_lazy("What it comes to"),
    "picture": gettext_lazy("Drawing"),
}


def _version(inputs: Inputs) -> DistrictVersion:
    return queries.version(queries.district(inputs["district"]), inputs["version"])


def _keep(  # noqa: PLR0917 the parts of an answer
    job: Job, inputs: Inputs, method: str, engine: str, summary: dict[str, Any], found: Any = None
) -> Outcome:
    """The outcome that stores the answer when the run ends."""
    result: dict[str, Any] = {"district": inputs["district"], "version": inputs["version"], "method": method}
    outcome = Outcome(result | {"summary": summary})

    def effect() -> None:
        kept = services.store_traffic(
            version=_version(inputs),
            method=method,
            assumptions=inputs["assumptions"],
            engine_version=engine,
            summary=summary,
            found=found,
            run=job.run,
        )
        outcome.result["answer"] = kept.pk

    return Outcome(outcome.result, effect)


@kind("twin.traffic", queue="simulations", engine_version=VERSION)
def equilibrium(job: Job, inputs: Inputs) -> Outcome:
    """An hour of traffic by our own user equilibrium."""
    from twin.engine import demand, traffic  # noqa: PLC0415 engines load numpy, scipy and numba

    model = queries.as_model(_version(inputs))
    try:
        found = traffic.traffic(
            model,
            demand.assumptions(inputs["assumptions"]),
            lambda share, stage: job.progress(share, said(_STAGES[stage])),
        )
    except ValueError as fault:
        raise _no_roads() from fault
    return _keep(job, inputs, Traffic.Method.EQUILIBRIUM, VERSION, found.summary, found)


def _no_roads() -> NoRoads:
    return NoRoads(
        _("No streets that are open to cars hang together in this district, so there is no traffic to reckon.")
    )


def _solved(inputs: Inputs) -> "Solved":
    from twin.engine import demand, traffic  # noqa: PLC0415 engines load numpy, scipy and numba

    try:
        return traffic.solve(queries.as_model(_version(inputs)), demand.assumptions(inputs["assumptions"]))
    except ValueError as fault:
        raise _no_roads() from fault


@kind("twin.traffic_seeds", queue="simulations", engine_version=SUMO_VERSION)
def seeds(job: Job, inputs: Inputs) -> Outcome:
    """The same hour by SUMO's mesoscopic model, with several seeds: how far chance alone moves the figures."""
    from dataclasses import asdict  # noqa: PLC0415 with the rest

    from twin import sumo  # noqa: PLC0415 a worker's
    from twin.sumo import runs  # noqa: PLC0415 loads numpy and scipy

    engine = sumo.version()
    job.progress(0.02, said(_STAGES["trips"]))
    solved = _solved(inputs)
    numbers = [job.seed + k for k in range(SEEDS)]
    (found,) = runs.seeds(
        [runs.Side(solved.network, solved.found)],
        solved.od,
        numbers,
        lambda share: job.progress(0.05 + 0.95 * share, said(gettext_lazy("SUMO, seed by seed"))),
    )
    figures = {name: asdict(each) for name, each in found.items()}
    summary = {"engine": f"{engine}, mesoscopic", "seeds": numbers, "figures": figures}
    return _keep(job, inputs, Traffic.Method.SEEDS, SUMO_VERSION, summary)


@kind("twin.traffic_deep", queue="simulations", engine_version=SUMO_VERSION)
def deep(job: Job, inputs: Inputs) -> Outcome:
    """The same hour by SUMO, vehicle by vehicle, with emissions."""
    from twin import sumo  # noqa: PLC0415 a worker's
    from twin.sumo import runs  # noqa: PLC0415 loads numpy and scipy

    engine = sumo.version()
    job.progress(0.02, said(_STAGES["trips"]))
    solved = _solved(inputs)
    found = runs.deep(
        runs.Side(solved.network, solved.found),
        solved.od,
        job.seed,
        lambda share: job.progress(0.05 + 0.94 * share, said(gettext_lazy("SUMO, vehicle by vehicle"))),
    )
    summary = {"engine": f"{engine}, microscopic", "seeds": [job.seed], "figures": found}
    return _keep(job, inputs, Traffic.Method.DEEP, SUMO_VERSION, summary)
