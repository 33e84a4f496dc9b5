"""The devices' engine without a database: ranges, columns, segments."""

import random
import struct

import numpy as np
import pytest

from commons.devices.engine import energy, parse, seqs

FIXED = ("power_w", "energy_wh_total", "state", "progress", "temperature_c", "voltage_v")


def test_ranges_behave_like_sets() -> None:
    how = random.Random(7)
    for _ in range(300):
        left, right = ({how.randrange(40) for _ in range(how.randrange(30))} for _ in range(2))
        both = seqs.union(seqs.ranges_of(left), seqs.ranges_of(right))
        assert both == seqs.ranges_of(left | right)
        assert [n for n in range(-1, 42) if seqs.holds(both, n)] == sorted(left | right)
        expected = 0
        while expected + 1 in left | right:
            expected += 1
        assert seqs.acknowledged(both) == expected
        assert seqs.next_free(both) == max({0, *left, *right}) + 1


def test_the_fast_and_the_slow_path_read_the_same() -> None:
    items = [
        {"seq": i, "ts": f"2026-11-22T10:{i:02d}:07.{i:06d}Z", "channel": FIXED[i % 3 * 2], "value": i / 7}
        for i in range(60)
    ]
    fast = parse.parse(items, fixed=FIXED, states={})
    slow = parse.parse([*items, None], fixed=FIXED, states={})
    assert fast.faults == ()
    assert [f.index for f in slow.faults] == [60]
    assert fast.channels == slow.channels
    for name in ("seq", "ts", "value", "channel"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))


def test_the_copy_buffer_is_what_postgresql_documents() -> None:
    made = parse.copy_binary(
        seq=np.array([7]),
        ts=np.array([946_684_800_000_001]),
        value=np.array([2.5]),
        channel=np.array([3], dtype=np.int16),
        flags=np.array([1], dtype=np.int16),
        device=9,
        received_us=946_684_800_000_002,
    )
    head = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
    row = struct.pack(">h iq iq iq id ii ih ih", 7, 8, 7, 8, 1, 8, 2, 8, 2.5, 4, 9, 2, 3, 2, 1)
    assert made == head + row + struct.pack(">h", -1)


def shared(segments: energy.Segments, edges: list[int]) -> energy.Cells:
    cells = energy.Cells.empty(len(edges) - 1)
    energy.share(segments, np.array(edges), cells)
    return cells


def test_a_line_of_power_is_cut_at_the_edges() -> None:
    """0 W rising to 3600 W in 100 s is 50 Wh; up to a fifth of the time it is a 25th of that."""
    second = 1_000_000
    line = energy.segments_of(np.array([0, 100 * second]), np.array([0.0, 3600.0]), "power")
    cells = shared(line, [0, 20 * second, 100 * second, 200 * second])
    assert cells.energy_wh == pytest.approx([2.0, 48.0, 0.0])
    assert cells.covered_us.tolist() == [20 * second, 80 * second, 0]


@pytest.mark.parametrize(("gap_s", "known"), [(299, True), (300, True), (301, False)])
def test_power_holds_for_five_minutes_and_no_longer(gap_s: int, known: bool) -> None:
    found = energy.segments_of(np.array([0, gap_s * 1_000_000]), np.array([60.0, 60.0]), "power")
    assert len(found.start) == int(known)


def test_steps_within_one_microsecond_are_not_lost() -> None:
    counter = energy.segments_of(np.array([50, 50, 50]), np.array([1.0, 4.0, 6.0]), "counter")
    assert shared(counter, [0, 50, 100]).energy_wh.tolist() == [0.0, 5.0]


def test_uncovered_parts() -> None:
    found = energy.segments_of(np.array([10, 20, 30]), np.array([0.0, 1.0, 2.0]), "counter")
    assert energy.uncovered(found, 0, 50) == [(0, 10), (30, 50)]
    assert energy.uncovered(found, 12, 28) == []
    assert energy.uncovered(found, 40, 50) == [(40, 50)]
    nothing = energy.segments_of(np.array([], dtype=np.int64), np.array([]), "power")
    assert energy.uncovered(nothing, 0, 5) == [(0, 5)]


@pytest.mark.parametrize(
    ("values", "wraps", "energy_wh"),
    [
        ([10, 30, 5, 9], None, 24),
        ([95, 99, 3], 100, 8),
        ([60, 5], 100, 45),
        ([40, 5], 100, 0),
        ([5, 5], 100, 0),
    ],
)
def test_resets_and_rollovers(values: list[float], wraps: float | None, energy_wh: float) -> None:
    ts = np.arange(len(values)) * 1_000_000
    found = energy.segments_of(ts, np.array(values, dtype=float), "counter", wraps)
    assert found.energy_wh.sum() == pytest.approx(energy_wh)
    assert (found.energy_wh >= 0).all()
