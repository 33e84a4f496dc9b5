"""Times as people type them, by a lab's own clock, and years that no clock can show."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.core.exceptions import ValidationError
from rest_framework import serializers

from energy.errors import BadPeriod
from energy.services.statements import month_of
from labs.views.bookings import _moment
from labs.views.common import in_utc, moment

HELSINKI, ANGELES = ZoneInfo("Europe/Helsinki"), ZoneInfo("America/Los_Angeles")


def test_a_typed_time_is_by_the_labs_clock() -> None:
    noon = dt.datetime(2026, 6, 18, 9, tzinfo=dt.UTC)
    assert moment({"d": "2026-06-18", "t": "12:00"}, "d", "t", HELSINKI) == noon
    assert in_utc(dt.datetime(2026, 6, 18, 12), HELSINKI) == noon
    assert in_utc(noon.astimezone(ANGELES), HELSINKI) == noon
    assert _moment("2026-06-18T09:00:00 00:00") == noon
    assert forms.DateTimeField().clean("2026-06-18T09:00:00Z") == noon
    assert serializers.DateTimeField().run_validation("2026-06-18T09:00:00Z") == noon


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_a_time_too_far_away_is_none(day: str) -> None:
    for zone in (HELSINKI, ANGELES):
        assert moment({"d": day, "t": "00:00"}, "d", "t", zone) is None
        with pytest.raises(ValueError, match=day[:4]):
            in_utc(dt.datetime.fromisoformat(f"{day}T23:59"), zone)
    assert _moment(f"{day}T00:00:00+14:00") is None
    text = f"{day}T12:00:00Z"
    for field, said in ((forms.DateField(), day), (forms.DateTimeField(), text)):
        with pytest.raises(ValidationError, match="too far away"):
            field.clean(said)
    for asked, said in ((serializers.DateField(), day), (serializers.DateTimeField(), text)):
        with pytest.raises(serializers.ValidationError, match="too far away"):
            asked.run_validation(said)


@pytest.mark.parametrize("month", ["9999-12", "0000-01", "2026-13", "²026-01"])
def test_a_month_that_no_calendar_has_is_refused(month: str) -> None:
    with pytest.raises(BadPeriod):
        month_of(month)
