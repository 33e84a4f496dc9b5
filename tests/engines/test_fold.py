"""The compiled fold says what the columns say, to the last bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from commons.devices.engine import fold
from commons.devices.engine.energy import Cells, Grid, segments_of_many, share_in_grid

MINUTE = 60_000_000
GAPS = st.sampled_from([0, 1, MINUTE // 7, MINUTE, 5 * MINUTE, 5 * MINUTE + 1, 90 * MINUTE, 40 * 24 * 60 * MINUTE])
VALUES = st.one_of(st.sampled_from([0.0, -0.0, 0.1, 65_535.0, 3.0]), st.floats(-1e6, 1e6))
READING = st.tuples(GAPS, VALUES)
STREAM = st.tuples(
    st.sampled_from([0, 1, 2]), st.sampled_from([np.nan, 65_536.0]), st.booleans(), st.lists(READING, min_size=1)
)


def bits(cells: Cells) -> list[bytes]:
    names = ("count", "total", "low", "high", "energy_wh", "covered_us", "dense_us")
    return [(getattr(cells, name) + 0).tobytes() for name in names]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(STREAM, min_size=1, max_size=4),
    st.sampled_from([15 * MINUTE, 60 * MINUTE]),
    st.integers(-(10**15), 10**15),
)
def test_the_fold_is_the_columns(streams: list, step: int, begin: int) -> None:
    """Of counters that wrap or start over, power, gaps, instants, with and without a reading before."""
    meaning = np.array([one[0] for one in streams])
    wraps = np.array([one[1] for one in streams])
    has = np.array([one[2] for one in streams]).astype(np.int64)
    head_ts = np.full(len(streams), begin)
    head_value = np.array([7.5] * len(streams))
    of = np.repeat(np.arange(len(streams)), [len(one[3]) for one in streams])
    ts = np.concatenate([begin + np.cumsum([gap for gap, _v in one[3]]) for one in streams])
    value = np.array([v if one[0] != 2 else abs(v) for one in streams for _gap, v in one[3]])
    first = np.searchsorted(of, np.arange(len(streams)))
    high = ts[np.append(first[1:], len(of)) - 1]

    at = first[has > 0]
    segments = segments_of_many(
        np.insert(of, at, np.flatnonzero(has)), np.insert(ts, at, head_ts[has > 0]),
        np.insert(value, at, head_value[has > 0]), meaning=meaning, wraps_wh=wraps,
    )  # fmt: skip
    low = ts[first].copy()
    np.minimum.at(low, segments.stream, segments.start)
    grid = Grid.over(low, high, step)
    told = Cells.empty(grid.size)
    told.add(grid.cell(of, ts), value)
    share_in_grid(segments, grid, told)

    found = fold.Fold(of, ts, value, (head_ts, head_value, has), meaning, wraps)
    assert found.low().tolist() == low.tolist()
    folded = Cells.empty(grid.size)
    found.into(grid, folded)
    assert bits(folded) == bits(told)
