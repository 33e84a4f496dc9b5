"""Long work of the twin: a copy of a district run ahead of time, and held against what came."""

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.places.models import Place
from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import queries
from twin.engine import SANDBOX_VERSION
from twin.errors import NothingForeseen
from twin.models import Ahead, District, Sandbox
from twin.services import sandboxes
from twin.services.ahead import numbers

if TYPE_CHECKING:
    from twin.past import Past

HISTORY = 28
PER_KWH_KW = 0.5


@kind(sandboxes.KIND, queue="simulations", engine_version=SANDBOX_VERSION)
def simulate(job: Job, inputs: Inputs) -> Outcome:
    """Freeze what is known, run it, keep both."""
    import numpy as np  # noqa: PLC0415 a worker's

    from twin.engine import sandbox as engine  # noqa: PLC0415 as above
    from twin.engine.energy import Storage  # noqa: PLC0415 as above

    box = Sandbox.objects.select_related("district__place", "version").filter(pk=inputs["sandbox"]).first()
    if box is None:
        raise NothingForeseen(_("The sandbox was taken away before its run began."))
    job.progress(0.1, said(gettext_lazy("Freezing the district")))
    frozen = _frozen(box)
    if not frozen["history"]:
        raise NothingForeseen(_("Nobody’s hours are known here, so there is nothing to run ahead."))
    job.progress(0.4, said(gettext_lazy("Running ahead of time")))
    began = time.monotonic()
    known = engine.Frozen(
        {name: np.array(rows, dtype=float) for name, rows in frozen["history"].items()},
        box.day.weekday(),
        {name: np.array(line, dtype=float) for name, line in frozen["foreseen"].items()},
        Storage(frozen["storage"]["kwh"], frozen["storage"]["kw"]),
    )
    added = Storage(box.battery_kwh, box.battery_kwh * PER_KWH_KW) if box.battery_kwh else None
    found = engine.run(known, hours=box.hours, seed=box.seed, added=added, more_solar=box.solar_share)
    took = time.monotonic() - began
    answer = {
        "lines": {
            name: {"middle": numbers(line.middle), "low": numbers(line.low), "high": numbers(line.high)}
            for name, line in found.items()
        },
        "paths": engine.PATHS,
        "took_s": round(took, 3),
        "faster": float(f"{box.hours * 3600 / max(took, 1e-3):.1g}"),
    }

    def effect() -> None:
        sandboxes.keep_answer(sandbox=box, frozen=frozen, answer=answer, engine=SANDBOX_VERSION)

    return Outcome({"sandbox": str(box.pk), "district": box.district.slug, "took_s": answer["took_s"]}, effect)


def _frozen(box: Sandbox) -> dict[str, Any]:
    """Everything that the simulation reads, as JSON."""
    from twin import past as history  # noqa: PLC0415 as above

    place = box.district.place
    assert place is not None  # noqa: S101 a sandbox is branched of districts with a place
    rows: dict[str, Any] = {}
    shas: dict[str, str] = {}
    booked: list[float | None] = []
    for series in Ahead.Series.values:
        known = history.past(place, series, box.day)
        if known is None or not len(known.days):
            continue
        rows[series] = [numbers(day) for day in known.days[-HISTORY:]]
        shas[series] = known.sha256
        if known.booked is not None:
            booked = numbers(known.booked[-1])
    foreseen = {row.series: row.middle for row in queries.ahead_of(box.district, box.day) if row.series in rows}
    return {
        "version": box.version.number,
        "day": box.day.isoformat(),
        "history": rows,
        "foreseen": foreseen,
        "booked": booked,
        "data_sha256": shas,
        **_members(place),
    }


def _members(place: Place) -> dict[str, Any]:
    """The storage of the place's community, and how many members of each kind stand behind its hours."""
    nothing: dict[str, Any] = {"storage": {"kwh": 0.0, "kw": 0.0}, "members": {}}
    if not apps.is_installed("energy"):
        return nothing
    from energy import queries as energy  # noqa: PLC0415 only where the room is there
    from energy.queries import public  # noqa: PLC0415 as above

    community = energy.community_of(place)
    version = public.version(community, None) if community else None
    if version is None:
        return nothing
    kwh, kw = version.battery_kwh or 0.0, version.battery_kw or 0.0
    if public.standing(version, None).storage:
        for more_kwh, more_kw in version.members.values_list("battery_kwh", "battery_kw"):
            kwh, kw = kwh + (more_kwh or 0.0), kw + (more_kw or 0.0)
    counted = version.members.values_list("kind").annotate(n=Count("pk")).order_by("kind")
    return {"storage": {"kwh": kwh, "kw": kw}, "members": dict(counted)}


def scores(district: District, series: str, known: "Past", day: dt.date) -> list[tuple[Sandbox, dict[str, float]]]:
    """How far the sandboxes of a district are off in a series so far, as of a day: those that are not scored for good.
    Solar that was added in the copy is no forecast and is not scored.
    """
    import numpy as np  # noqa: PLC0415 a worker's

    from twin.engine import ahead as engine  # noqa: PLC0415 as above

    found = []
    for box in Sandbox.objects.filter(district=district, scored_at=None, day__lt=day, answer__isnull=False):
        line = (box.answer or {}).get("lines", {}).get(series)
        if line is None or (series == Ahead.Series.SOLAR and box.solar_share):
            continue
        count = len(line["middle"]) // 24
        came = known.of(box.day, min(count, (day - box.day).days))
        middle, low, high = (np.array(line[name][: len(came)], dtype=float) for name in ("middle", "low", "high"))
        last = np.array((box.frozen or {})["history"][series][-1], dtype=float)
        naive = np.tile(last, len(came) // 24)
        score = engine.score(came, middle=middle, low=low, high=high, naive=naive)
        if score:
            found.append((box, score))
    return found
