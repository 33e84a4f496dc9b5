"""Energy of closed days: whole hours and quarters from the rollups, parts of them by time."""

from collections.abc import Iterable
from dataclasses import dataclass

from commons.devices import channels
from commons.devices.models import HOUR_S, QUARTER_S, Device, Rollup
from commons.devices.queries import raw

HOUR_US, QUARTER_US = HOUR_S * 1_000_000, QUARTER_S * 1_000_000


@dataclass(slots=True)
class Sum:
    """What is known of a window: energy, µs that a counter and that power alone knows, µs of dense readings, and by how
    much the energy may be wrong."""

    energy_wh: float = 0.0
    counter_us: int = 0
    power_us: int = 0
    dense_us: int = 0
    uncertain_wh: float = 0.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A row of the rollups, times in µs."""

    start: int
    energy_wh: float
    covered_us: int
    dense_us: int


def add(device: Device, low: int, high: int, into: Sum) -> None:
    """Add the energy from `low` until `high` (µs), all of it closed."""
    first, last = -(-low // HOUR_US) * HOUR_US, high - high % HOUR_US
    if last - first < HOUR_US:
        _parts(device, low, high, into)
        return
    _parts(device, low, first, into)
    counter, power = _cells(device, HOUR_S, first, last)
    for start in sorted(counter.keys() | power.keys()):
        mine = counter.get(start)
        if mine is not None and 0 < mine.covered_us < HOUR_US and start in power:
            _parts(device, start, start + HOUR_US, into)
        else:
            _take(mine, power.get(start), HOUR_US, 1.0, into)
    _parts(device, last, high, into)


def _parts(device: Device, low: int, high: int, into: Sum) -> None:
    """A window by quarters; by hours where the quarters are gone too."""
    if high <= low:
        return
    for hour in range(low - low % HOUR_US, high, HOUR_US):
        for step_s in (QUARTER_S, HOUR_S):
            step = step_s * 1_000_000
            counter, power = _cells(device, step_s, hour, hour + HOUR_US)
            for start in sorted(counter.keys() | power.keys()):
                inside = min(high, start + step) - max(low, start)
                if inside > 0:
                    _take(counter.get(start), power.get(start), step, inside / step, into)
            if counter or power:
                break


def _cells(device: Device, step_s: int, low: int, high: int) -> tuple[dict[int, Cell], dict[int, Cell]]:
    """The rows of the counter and of power from `low` (an edge of the steps) until `high`, by their start."""
    rows: Iterable[Rollup] = Rollup.objects.filter(
        device=device,
        channel__in=[channels.POWER_W, channels.ENERGY_WH_TOTAL],
        step_s=step_s,
        start__gte=raw.from_us(low),
        start__lt=raw.from_us(high),
    )
    found: dict[int, dict[int, Cell]] = {channels.ENERGY_WH_TOTAL: {}, channels.POWER_W: {}}
    for row in rows:
        start = raw.to_us(row.start)
        covered, dense = round(row.covered_s * 1e6), round(row.dense_s * 1e6)
        found[row.channel][start] = Cell(start, row.energy_wh or 0.0, covered, dense)
    return found[channels.ENERGY_WH_TOTAL], found[channels.POWER_W]


def _take(counter: Cell | None, power: Cell | None, step: int, part: float, into: Sum) -> None:
    """Add `part` (0..1) of one step: what the counter knows, and power for the share of time that it does not."""
    known = counter.covered_us if counter else 0
    energy = counter.energy_wh if counter else 0.0
    dense = counter.dense_us if counter else 0
    unsure = 0.0
    if power is not None and known < step:
        share = 1 - known / step
        energy += power.energy_wh * share
        unsure = power.energy_wh * max(share, 1 - share) if known else 0.0
        into.power_us += round(min(power.covered_us, step - known) * part)
        dense += round(power.dense_us * share)
    into.counter_us += round(known * part)
    into.dense_us += round(dense * part)
    into.energy_wh += energy * part
    into.uncertain_wh += unsure * part + (energy * max(part, 1 - part) if part < 1 else 0.0)
