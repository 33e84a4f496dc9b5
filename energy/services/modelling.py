"""Curves of participants of whom nothing was measured, worked out from what they own. Loads numpy: for workers.

What is not said has a default: 1,500 kWh a year and 700 for each person, 20,000 for anything that is no home;
a heat pump makes 1,800 hours' worth of heat at three times its power, and 700 kWh of hot water for each person.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from energy import series, standards
from energy.errors import BadParticipant, from_engine
from energy.kinds import HOME_KIND
from energy.models import Asset, Community, Dwelling, ModelledYear, Participant
from energy.queries import measured
from energy.services.assets import KWH_PER_KM
from energy.services.participants import check_own

if TYPE_CHECKING:
    from energy.engine.home import Home, Modelled

HOME_KWH, PERSON_KWH, OTHER_KWH = 1500.0, 700.0, 20_000.0
PUMP_HOURS, PUMP_GAIN, WATER_KWH = 1800.0, 3.0, 700.0
MOST_PEOPLE, MOST_KWH = 12, 2_000_000.0
STEP_MINUTES = 60


@transaction.atomic
def say(
    *,
    participant: Participant,
    by: User,
    people: int,
    kwh_per_year: float | None = None,
    heating_kwh: float | None = None,
) -> Dwelling:
    """Say how many live there and what is used in a year. Raises NotSteward, BadParticipant."""
    check_own(by, participant)
    if not 1 <= people <= MOST_PEOPLE:
        raise BadParticipant(_("Give 1 to %(n)d people.") % {"n": MOST_PEOPLE})
    for value in (kwh_per_year, heating_kwh):
        if value is not None and not 0 <= value <= MOST_KWH:
            raise BadParticipant(_("%(value)s kWh a year cannot be; check the unit.") % {"value": value})
    return Dwelling.objects.update_or_create(
        participant=participant,
        defaults={"people": people, "kwh_per_year": kwh_per_year, "heating_kwh": heating_kwh},
    )[0]


def start_home(*, participant: Participant, by: User) -> Run:
    """Ring for the year of a participant. Raises NotSteward."""
    check_own(by, participant)
    return runs.start(
        kind=HOME_KIND,
        inputs={"participant": participant.pk, "year": timezone.now().year},
        title=said(gettext_lazy("What %(name)s would look like"), name=participant.name),
        subject=f"energy.participant:{participant.pk}",
        owner=by,
        demo=participant.demo,
    )


def home_of(person: Participant, on: dt.date) -> "Home":
    """A participant as the engine takes it, with what it owns on a day."""
    from energy.engine import pv  # noqa: PLC0415 numpy is loaded by workers alone
    from energy.engine.home import Car, Home  # noqa: PLC0415 as above

    told = Dwelling.objects.filter(participant=person).first()
    people = told.people if told else 2
    owned = [a for a in person.assets.all() if (not a.since or a.since <= on) and (not a.until or on < a.until)]
    usual = HOME_KWH + PERSON_KWH * people if person.kind == "home" else OTHER_KWH
    pump_kw = sum(a.kw or 0.0 for a in owned if a.kind == Asset.Kind.HEAT_PUMP)
    said_heat = told.heating_kwh if told else None
    car = next((a for a in owned if a.kind == Asset.Kind.VEHICLE), None)
    return Home(
        kind=person.kind,
        kwh_per_year=told.kwh_per_year if told and told.kwh_per_year is not None else usual,
        people=people,
        roofs=tuple(
            pv.Roof(
                a.kwp or 0.0,
                30.0 if a.tilt_deg is None else a.tilt_deg,
                180.0 if a.azimuth_deg is None else a.azimuth_deg,
            )
            for a in owned
            if a.kind == Asset.Kind.SOLAR
        ),
        heat_pump_kw=pump_kw,
        heating_kwh=pump_kw * PUMP_HOURS * PUMP_GAIN if said_heat is None else said_heat,
        water_kwh=WATER_KWH * people,
        car=Car(car.kwh or 60.0, car.kw or 11.0, (car.kwh_per_day or 0.0) * 365 / KWH_PER_KM, car.v2g) if car else None,
        seed=person.pk,
    )


@dataclass(frozen=True, slots=True)
class Curves:
    """Participants' curves over a time, and the weather they were made with, in words."""

    made: "list[Modelled]"
    weather: str


def curves(
    community: Community, people: Sequence[Participant], *, start: dt.datetime, step_minutes: int, steps: int
) -> Curves:
    """Work out what these participants would use and make from `start` (UTC). Raises BadCommunity, BadValue."""
    from energy.engine import holidays, home  # noqa: PLC0415 numpy is loaded by workers alone
    from energy.engine.clock import clock  # noqa: PLC0415 as above
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above
    from energy.services import weather  # noqa: PLC0415 as above

    zone = measured.zone(community)
    end = start + dt.timedelta(minutes=step_minutes * steps)
    country = (community.place.country or getattr(community.place.parent, "country", "")) if community.place else ""
    off = holidays.between(country, start.astimezone(zone).date(), end.astimezone(zone).date())
    reading, words = weather.for_place(community.place)
    try:
        when = clock(start, step_minutes, steps, str(zone), off)
        over = home.sky(reading, when, start, str(zone))
        homes = [home_of(person, when.dates[-1]) for person in people]
        share = step_minutes * steps / (365 * 24 * 60)
        made = home.modelled(homes, when, over, home.read(standards.needed()), share_of_year=share)
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    return Curves(made, words)


def build_home(participant: Participant, year: int) -> ModelledYear:
    """A calendar year of a participant in hours, not saved yet. Raises BadCommunity, BadValue."""
    import numpy as np  # noqa: PLC0415 numpy is loaded by workers alone

    zone = measured.zone(participant.community)
    start = measured.midnight(dt.date(year, 1, 1), zone)
    steps = (measured.midnight(dt.date(year + 1, 1, 1), zone) - start) // dt.timedelta(minutes=STEP_MINUTES)
    found = curves(participant.community, [participant], start=start, step_minutes=STEP_MINUTES, steps=steps)
    [one] = found.made
    return ModelledYear(
        participant=participant,
        start=start,
        timezone=str(zone),
        step_minutes=STEP_MINUTES,
        steps=steps,
        weather=found.weather[:200],
        load_kwh=float(one.load_kwh.sum()),
        pv_kwh=float(one.pv_kwh.sum()),
        heat_pump_kwh=float(one.heat_pump_kwh.sum()),
        car_kwh=float(one.car_kwh.sum()),
        own_kwh=float(np.minimum(one.load_kwh + one.car_kwh, one.pv_kwh).sum()),
        load=series.pack(one.load_kwh),
        pv=series.pack(one.pv_kwh),
    )


@transaction.atomic
def keep_home(made: ModelledYear) -> ModelledYear:
    """Keep it in the place of the one before."""
    ModelledYear.objects.filter(participant=made.participant).delete()
    made.save()
    return made
