"""The sun of the pages against the sun of the energy engine."""

import datetime as dt

import numpy as np
import pytest

from energy.engine import sun
from twin import sun_path


@pytest.mark.parametrize(("lat", "lon"), [(60.17, 24.94), (52.0, 4.36), (-33.9, 151.2), (0.1, -78.5)])
def test_the_suns_of_pages_and_engine_stand_in_one_place(lat: float, lon: float) -> None:
    moments = [dt.datetime(2026, month, 21, hour, tzinfo=dt.UTC) for month in range(1, 13) for hour in range(24)]
    theirs = sun.positions(np.array([at.timestamp() for at in moments]), lat, lon)
    compared = 0
    for at, zenith, azimuth in zip(moments, theirs.apparent_zenith, theirs.azimuth, strict=True):
        mine = sun_path.position(at, lat, lon)
        if not 5 < 90 - zenith < 85:  # near the horizon air differs, near the zenith an azimuth says little
            continue
        compared += 1
        assert mine[1] == pytest.approx(90 - zenith, abs=0.05)
        assert abs((mine[0] - azimuth + 180) % 360 - 180) < 0.3
    assert compared > 50


def test_a_day_is_told_by_half_hours_while_the_sun_is_up() -> None:
    year = sun_path.of_year(60.17, 24.94)
    assert list(year) == list(range(1, 13))
    assert len(year[6]) == pytest.approx(38, abs=1)
    assert len(year[12]) == pytest.approx(12, abs=1)
    assert all(day[0].elevation > 0 and day[-1].elevation > 0 for day in year.values())
    assert sun_path.of_day(dt.date(2026, 12, 21), 78.2, 15.6) == []
