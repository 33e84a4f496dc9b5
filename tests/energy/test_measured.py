"""What meters measured: days of 23 and 25 hours, gaps that stay gaps, who belonged when."""

import datetime as dt
import math
from array import array

import pytest
from django.db import IntegrityError, transaction

from commons.places.models import Place
from energy import series
from energy.models import Community, MeterDay, MeterPoint, Participant
from energy.queries import measured

pytestmark = pytest.mark.django_db
SPRING, AUTUMN = dt.date(2026, 3, 29), dt.date(2026, 10, 25)


@pytest.fixture
def street(kamppi: Place) -> Community:
    return Community.objects.create(slug="street", name="Our street", place=kamppi)


def home(street: Community, name: str = "Aino", joined: dt.date = dt.date(2026, 1, 1), **more: object) -> Participant:
    return Participant.objects.create(community=street, name=name, joined_on=joined, **more)


def meter(person: Participant, direction: str = "use", **more: object) -> MeterPoint:
    rest = {"number": f"M{person.pk}", "proof": "steward", "valid_from": person.joined_on} | more
    return MeterPoint.objects.create(participant=person, direction=direction, **rest)


def day(of: MeterPoint, on: dt.date, values: "array[float] | list[float]", step: int = 15, **more: object) -> MeterDay:
    known = [v for v in values if not math.isnan(v)]
    return MeterDay.objects.create(
        meter=of,
        day=on,
        step_minutes=step,
        packed=series.pack(values),
        kwh=sum(known),
        missing=len(values) - len(known),
        source="file",
        **more,
    )


@pytest.mark.parametrize(("on", "quarters"), [(SPRING, 92), (AUTUMN, 100), (dt.date(2026, 6, 1), 96)])
def test_days_have_as_many_quarters_as_the_clock_gives_them(street: Community, on: dt.date, quarters: int) -> None:
    mine = meter(home(street))
    day(mine, on, [0.25] * quarters)
    found = measured.curves(street, start=on, end=on + dt.timedelta(days=1))
    assert (found.step_minutes, found.steps) == (15, quarters)
    assert sum(found.use_kwh[mine.participant_id]) == pytest.approx(quarters / 4)
    assert found.missing == {mine.participant_id: 0}
    assert found.complete


def test_what_nobody_measured_is_nan_and_counted(street: Community) -> None:
    mine = meter(home(street))
    day(mine, SPRING, [math.nan if 4 <= i < 10 else 0.1 for i in range(92)])
    found = measured.curves(street, start=SPRING, end=SPRING + dt.timedelta(days=2))
    values = found.use_kwh[mine.participant_id]
    assert [i for i in range(92) if math.isnan(values[i])] == [4, 5, 6, 7, 8, 9]
    assert all(math.isnan(v) for v in values[92:])
    assert found.missing[mine.participant_id] == 6 + 96


def test_hours_swallow_quarters_only_whole(street: Community) -> None:
    fine, coarse = meter(home(street)), meter(home(street, "Onni"))
    on = dt.date(2026, 6, 1)
    day(fine, on, [math.nan if i == 5 else 0.25 for i in range(96)])
    day(coarse, on, [1.5] * 24, step=60)
    found = measured.curves(street, start=on, end=on + dt.timedelta(days=1))
    assert found.step_minutes == 60
    values = found.use_kwh[fine.participant_id]
    assert math.isnan(values[1])
    assert [v for v in values if not math.isnan(v)] == [1.0] * 23
    assert list(found.use_kwh[coarse.participant_id]) == [1.5] * 24


def test_only_days_of_membership_and_of_proved_meters_count(street: Community) -> None:
    on = dt.date(2026, 6, 1)
    leaver = home(street, left_on=on + dt.timedelta(days=1))
    mine = meter(leaver)
    stranger = home(street, "Väinö")
    claimed = meter(stranger, proof="claimed")
    for of in (mine, claimed):
        for i in range(2):
            day(of, on + dt.timedelta(days=i), [0.5] * 96)
    found = measured.curves(street, start=on, end=on + dt.timedelta(days=2))
    assert list(found.use_kwh[leaver.pk]) == [0.5] * 96 + [0.0] * 96
    assert found.present[leaver.pk] == (0, 96)
    assert all(math.isnan(v) for v in found.use_kwh[stranger.pk])
    assert found.missing == {leaver.pk: 0, stranger.pk: 192}


def test_a_register_is_proved_for_one_participant_at_a_time(street: Community) -> None:
    first = meter(home(street), number="DE1", valid_until=dt.date(2026, 6, 1))
    second = home(street, "Onni")
    with pytest.raises(IntegrityError), transaction.atomic():
        meter(second, number="DE1", valid_from=dt.date(2026, 5, 31))
    meter(second, number="DE1", valid_from=dt.date(2026, 5, 31), proof="claimed")
    assert meter(second, number="DE1", valid_from=first.valid_until).proved


def test_older_revisions_can_be_read_again(street: Community) -> None:
    on = dt.date(2026, 6, 1)
    mine = meter(home(street))
    day(mine, on, [0.5] * 96, current=False)
    day(mine, on, [0.6] * 96, revision=2)
    end = on + dt.timedelta(days=1)
    assert measured.curves(street, start=on, end=end).revisions == {(mine.pk, on): 2}
    before = measured.curves(street, start=on, end=end, as_of={(mine.pk, on): 1})
    assert list(before.use_kwh[mine.participant_id]) == [0.5] * 96
