"""The figures of reliability against a count of minutes, and their identities."""

import datetime as dt

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.engine.hours import Span
from labs.engine.reliability import reliability

ZERO = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
SPANS = st.lists(st.tuples(st.integers(-300, 900), st.one_of(st.none(), st.integers(1, 400))), max_size=8)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SPANS, st.integers(1, 600))
def test_down_time_is_what_a_count_of_minutes_finds(spans: list[tuple[int, int | None]], length: int) -> None:
    window = Span(ZERO, ZERO + length * MINUTE)
    outages = [(ZERO + a * MINUTE, None if n is None else ZERO + (a + n) * MINUTE) for a, n in spans]
    found = reliability(window, outages, worked_h=10)
    down = {m for a, n in spans for m in range(max(a, 0), min(length, length if n is None else a + n))}
    failures = sum(0 <= a < length for a, _n in spans)
    ended = [n for a, n in spans if n is not None and 0 < a + n <= length]
    assert abs(found.down_h * 60 - len(down)) < 1e-6
    assert (found.failures, found.restored) == (failures, len(ended))
    assert found.availability is not None
    assert abs(found.availability - (length - len(down)) / length) < 1e-9
    if failures:
        assert found.mtbf_h is not None
        assert abs(found.mtbf_h * failures + found.down_h - found.window_h) < 1e-6
        assert found.work_mtbf_h == 10 / failures
    else:
        assert found.mtbf_h is None
    assert found.mttr_h is None if not ended else abs((found.mttr_h or 0) * 60 - sum(ended) / len(ended)) < 1e-6


def test_an_empty_window_says_nothing() -> None:
    found = reliability(Span(ZERO, ZERO), [], 0)
    assert (found.availability, found.mtbf_h, found.mttr_h, found.work_mtbf_h) == (None, None, None, None)
