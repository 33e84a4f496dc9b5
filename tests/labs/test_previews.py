"""What a price by surplus and a quota would have meant: for each member with a range, for all, and since."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from commons.people.models import User
from commons.people.services import set_role
from commons.places.models import Place
from labs.deciding import quota, sunny, surplus, weeks
from labs.models import Booking, Machine, Tariff, Till
from tests.labs.conftest import lab, machine, person
from tests.labs.test_sunshine import DAY, HOUR, midnight
from tests.twin.test_came_of import measured

pytestmark = pytest.mark.django_db
VALUE = {"discount_percent": 20.0, "above_surplus_share": 0.5}


@pytest.fixture
def laser(db: None) -> Machine:
    """A machine of 10 € an hour where 4 kW are to spare from twelve to two, for a hundred days."""
    place = Place.objects.create(slug="kamppi", name="Kamppi", timezone="UTC")
    measured(place, days=100, since=0, pv_before=5.0, pv_since=5.0)
    made = machine(lab(place=place), unattended=True, rated_w=1000, cls="laser-cutter")
    Till.objects.create(lab=made.lab, mode=Till.Mode.MONEY, currency="EUR", seller="The lab")
    Tariff.objects.create(lab=made.lab, per_hour=Decimal(10), since=timezone.now() - 200 * DAY)
    return made


def booked(of: Machine, who: User, start: dt.datetime, hours: float = 1) -> Booking:
    end = start + hours * HOUR
    return Booking.objects.create(
        machine=of, user=who, booked_by=who, start=start, end=end, blocked=DateTimeTZRange(start, end), status="done"
    )


def plain(words: object) -> str:
    """With plain spaces between number and unit."""
    return str(words).replace("\u202f", " ").replace("\xa0", " ")


def at(days: int, hour: int) -> dt.datetime:
    return midnight(days) + hour * HOUR


def test_the_same_bookings_priced_again(laser: Machine) -> None:
    """Anna has two sunny hours in the last four weeks and one dark in those before; Mikko one dark hour."""
    anna, mikko = person(), person()
    booked(laser, anna, at(-2, 12), 2)
    booked(laser, anna, at(-40, 20))
    booked(laser, mikko, at(-3, 21))
    found = surplus.reckon(laser.lab.slug, VALUE)
    assert found is not None
    figures, people = found["figures"], found["people"]
    assert figures["sunny_hours"] == pytest.approx(2 / 4)
    assert figures["taken_off"] == pytest.approx(4 / 3, abs=0.01), "20 % of 20 €, in three times four weeks"
    assert figures["taken_off_most"] == pytest.approx(8 / 3, abs=0.01)
    mine = people[str(anna.pk)]
    assert (mine["low"], mine["high"]) == (0.0, 4.0) and mine["month"] == pytest.approx(4 / 3, abs=0.01)
    assert mine["moved"] == pytest.approx(2.0), "a fifth of 30 € in three spans"
    assert people[str(mikko.pk)] == {"month": 0.0, "low": 0.0, "high": 0.0, "moved": pytest.approx(0.67)}
    shown = surplus.EFFECT.preview
    assert shown is not None
    said = shown(laser.lab.slug, VALUE, anna, found)
    assert said is not None and "For you: 1.33 € less in four weeks" in plain(said.you)
    assert shown(laser.lab.slug, VALUE, None, found).you == "", "a stranger is told of nobody"  # type: ignore[union-attr]
    assert any("sunny enough" in str(row["title"]) for row in said.figures)


def test_without_sun_or_bookings_only_the_use_is_said(laser: Machine) -> None:
    found = surplus.reckon(laser.lab.slug, VALUE)
    assert found is not None and "people" not in found and "sunny_hours" not in found["figures"]
    said = sunny.preview(laser.lab.slug, VALUE, person(), found)
    assert said is not None and said.you == ""
    assert surplus.reckon("no-such-lab", VALUE) is None


def test_since_it_holds_the_same_is_measured(laser: Machine) -> None:
    anna = person()
    booked(laser, anna, at(-5, 12))
    booked(laser, anna, at(-4, 20))
    since, until = midnight(-14), midnight()
    found = surplus.measure(laser.lab.slug, {}, VALUE, since, until)
    assert found is not None and found["system"] == "production"
    assert found["figures"]["sunny_hours"] == pytest.approx(0.5)
    assert found["figures"]["taken_off"] == pytest.approx(4.0), "2 € in two weeks are 4 € in four"
    titles = [row["title"] for row in sunny.shows("", found["figures"])]
    assert "booked hours that are sunny enough" in titles


def test_a_quota_says_how_many_hours_a_week_one_had(laser: Machine) -> None:
    anna = person()
    booked(laser, anna, at(-2, 8), 12)
    booked(laser, anna, at(-9, 8), 3)
    set_role(organisation=laser.lab.organisation, user=anna, role="member")
    found = weeks.reckon(laser.lab.slug, {"per_week_h": 10})
    assert found is not None
    assert found["people"][str(anna.pk)] == {"mean": 1.25, "low": 0.0, "high": 12.0, "beyond": 1}
    shown = quota.preview(laser.lab.slug, {"per_week_h": 10}, anna, found)
    assert shown is not None
    assert "from 0.0 to 12.0" in str(shown.you) and "In 1 week it was beyond it." in str(shown.you)
    loose = {"per_week_h": 20}
    calm = quota.preview(laser.lab.slug, loose, anna, weeks.reckon(laser.lab.slug, loose) or {})
    assert calm is not None and "Never beyond it." in str(calm.you)
