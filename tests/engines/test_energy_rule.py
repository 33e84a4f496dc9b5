"""Batteries and vehicles by rule: every strategy against its words in plain Python, home by home and step by
step.
"""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import fleet, rule, simulate, slices, strategies
from energy.engine.community import Battery, Community, Member, Vehicle
from energy.engine.refusals import NotDefined, NotYet

FLOWS = ("net", "charge", "discharge", "vehicles", "stored")


def street(
    seed: int, homes: int, days: int = 3, step_minutes: int = 60, *, cyclic: bool = False, shared: bool = False
) -> Community:
    """Homes that own anything: batteries, vehicles of all hours, roofs, or nothing."""
    dice = np.random.default_rng(seed)
    steps = days * 24 * 60 // step_minutes
    hours = step_minutes / 60
    minute = np.arange(steps) * step_minutes % 1440

    def car() -> Vehicle | None:
        if dice.random() < 0.5:
            return None
        first, until = (int(x) * 15 for x in dice.integers(0, 96, 2))
        kwh = float(dice.uniform(10, 60))
        return Vehicle(kwh, float(dice.uniform(2, 11)), float(dice.uniform(0, kwh)), first, until, 0.95)

    def battery() -> Battery | None:
        if dice.random() < 0.3:
            return None
        return Battery(float(dice.uniform(1, 15)), float(dice.uniform(0.5, 7)), float(dice.uniform(0.6, 1)))

    members = tuple(
        Member(f"m{i}", f"M {i}", pv_kwp=float(dice.uniform(0, 9)), battery=battery(), vehicle=car())
        for i in range(homes)
    )
    sun = np.maximum(0, np.sin((minute - 360) / 720 * np.pi)) * dice.uniform(0.1, 1, (homes, steps))
    price = np.where((minute >= 1020) & (minute < 1260), 0.5, np.where(minute < 360, 0.15, 0.25))
    return Community(
        name="street",
        currency="EUR",
        timezone="UTC",
        start=dt.datetime(2026, 5, 4, tzinfo=dt.UTC),
        step_minutes=step_minutes,
        members=members,
        load_kwh=dice.gamma(1.5, 0.5, (homes, steps)) * hours,
        pv_kwh=sun * np.array([[m.pv_kwp] for m in members]) * hours,
        import_price=price + dice.uniform(0, 0.01, steps),
        export_price=np.full(steps, 0.07),
        cyclic=cyclic,
        battery=Battery(20.0, 8.0, 0.85) if shared else None,
    )


def by_words(c: Community, row: int, strategy: str) -> dict[str, np.ndarray]:
    """One home by the words of `rule` and `strategies`."""
    member, hours = c.members[row], c.hours
    cell, car = member.battery or Battery(0.0, 0.0, 1.0), member.vehicle
    eta, power = cell.one_way, cell.kw * hours
    levels = strategies.levels(c, strategy)
    target = strategies.targets_kwh(c, strategy)[row]
    cap = strategies.export_caps_kwh(c, strategy)[row]
    away = car.away(c.local_minute) if car else None
    trips = c.trips_kwh[row]
    held = ev = 0.0
    out: dict[str, list[float]] = {name: [] for name in FLOWS}
    for t, net in enumerate(c.net_kwh[row]):
        left, charged_car, room = float(net), 0.0, 0.0
        if car and away is not None and not away[t]:
            ev -= min(trips[t], ev)
            charged_car = min(car.kw * hours, max(0.0, car.kwh_per_day - ev) / car.efficiency)
            ev += charged_car * car.efficiency
            room = min(car.kw * hours - charged_car, (car.kwh - ev) / car.efficiency)
            left += charged_car
        floor, refill, ceiling = (
            (x[t] * cell.kwh for x in (levels.floor, levels.refill, levels.ceiling)) if levels else (0.0, 0.0, cell.kwh)
        )
        into = back = 0.0
        if left < 0:
            into = max(min(-left, max(0.0, ceiling - held) / eta), -left - cap)
        if held < refill:
            into = max(into, min((refill - held) / eta, target - left))
        into = max(0.0, min(into, power, (cell.kwh - held) / eta))
        if left > 0:
            back = min(left, max(0.0, held - floor) * eta)
            back = min(max(back, left - target), power, held * eta)
        held += into * eta - back / eta
        left += into - back
        if left < 0 < room:
            late = min(-left, room)
            ev += late * car.efficiency  # type: ignore[union-attr]
            charged_car += late
            left += late
        for name, value in zip(FLOWS, (left, into, back, charged_car, held + ev), strict=True):
            out[name].append(value)
    return {name: np.array(values) for name, values in out.items()}


@given(
    seed=st.integers(0, 10_000),
    homes=st.integers(1, 35),
    strategy=st.sampled_from(strategies.STRATEGIES),
    step_minutes=st.sampled_from([5, 15, 30, 60]),
)
@settings(deadline=None, max_examples=25)
def test_every_strategy_by_its_words_and_its_balance(seed: int, homes: int, strategy: str, step_minutes: int) -> None:
    c = street(seed, homes, days=1 if step_minutes < 30 else 3, step_minutes=step_minutes)
    flows = rule.dispatch(c, strategy=strategy)
    homes_by_words = [by_words(c, row, strategy) for row in range(homes)]
    np.testing.assert_allclose(flows.net_kwh, [h["net"] for h in homes_by_words], atol=1e-9)
    for ours, name in (
        (flows.charge_kwh, "charge"),
        (flows.discharge_kwh, "discharge"),
        (flows.vehicle_charge_kwh, "vehicles"),
        (flows.stored_kwh, "stored"),
    ):
        np.testing.assert_allclose(ours, sum(h[name] for h in homes_by_words), atol=1e-9)
    balance = c.net_kwh.sum(axis=0) + flows.charge_kwh - flows.discharge_kwh + flows.vehicle_charge_kwh
    assert np.abs(balance - flows.grid_kwh).max() < 1e-9
    assert flows.vehicle_kwh + flows.unserved_kwh == pytest.approx(c.trips_kwh.sum(), abs=1e-9)


@given(seed=st.integers(0, 10_000), strategy=st.sampled_from(strategies.STRATEGIES))
@settings(deadline=None, max_examples=15)
def test_no_home_charges_and_discharges_at_once(seed: int, strategy: str) -> None:
    c = street(seed, 1)
    flows = rule.dispatch(c, strategy=strategy)
    assert (np.minimum(flows.charge_kwh, flows.discharge_kwh) == 0).all()


@given(seed=st.integers(0, 10_000), homes=st.integers(1, 300), steps=st.integers(1, 200))
@settings(deadline=None, max_examples=15)
def test_both_loops_both_types_and_all_threads_agree(seed: int, homes: int, steps: int) -> None:
    """The quick loop for batteries alone, the general one; single and double precision in; one thread and
    three.
    """
    dice = np.random.default_rng(seed)
    load = dice.gamma(1.5, 0.4, (homes, steps)).astype(np.float32)
    pv = np.maximum(0, dice.normal(0, 1, (homes, steps))).astype(np.float32)
    owned = fleet.Fleet.batteries(dice.uniform(0, 9, homes), dice.uniform(0, 3, homes), dice.uniform(0.7, 1, homes))
    prices = {"import_price": dice.uniform(0.1, 0.5, steps), "export_price": dice.uniform(0, 0.1, steps)}
    quick = fleet.run(load, pv, owned, **prices)
    many = fleet.run(load, pv, owned, **prices, threads=3)
    whole = fleet.run(load.astype(np.float64), pv.astype(np.float64), owned, **prices, each=True)
    assert whole.net_kwh is not None
    for name in fleet.SERIES:
        np.testing.assert_array_equal(quick.series[name], many.series[name])
        np.testing.assert_allclose(quick.series[name], whole.series[name], atol=1e-9)
    for name in fleet.TOTALS:
        np.testing.assert_array_equal(quick.totals[name], many.totals[name])
        np.testing.assert_allclose(quick.totals[name], whole.totals[name], atol=1e-9)
    bought, sold = np.maximum(whole.net_kwh, 0), np.maximum(-whole.net_kwh, 0)
    np.testing.assert_allclose(quick.totals["import_kwh"], bought.sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(quick.totals["export_kwh"], sold.sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(quick.totals["peak_kwh"], bought.max(axis=1), atol=1e-12)
    np.testing.assert_allclose(quick.series["bought"], bought.sum(axis=0), atol=1e-9)
    cost = bought @ prices["import_price"] - sold @ prices["export_price"]
    np.testing.assert_allclose(quick.totals["cost"], cost, atol=1e-9)


def test_levels_of_a_day_of_prices() -> None:
    """Night 15, day 25, evening 50: topped up in the last three cheap hours before a dear spell, held until
    then, itself first otherwise.
    """
    price = np.array([15.0] * 6 + [25] * 11 + [50] * 4 + [25] * 3)
    found = strategies.by_price(price, np.zeros(24), 0.9, 1.0)
    # 25 x 0.9 > 15, so the day is dear too: filled at the night's end
    np.testing.assert_array_equal(np.flatnonzero(found.refill), [3, 4, 5])
    np.testing.assert_array_equal(np.flatnonzero(found.floor), [3, 4, 5])
    lossy = strategies.by_price(price, np.zeros(24), 0.55, 1.0)
    # with more loss only the evening is: filled in the night, held through the day
    np.testing.assert_array_equal(np.flatnonzero(lossy.refill), [3, 4, 5])
    np.testing.assert_array_equal(np.flatnonzero(lossy.floor), np.arange(3, 17))
    flat = strategies.by_price(np.full(24, 20.0), np.zeros(24), 0.9, 1.0)
    assert not flat.refill.any()
    assert not flat.floor.any()
    assert (found.refill <= found.floor).all()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Helsinki", "America/Los_Angeles", "Asia/Kathmandu"])
def test_local_days_with_their_clock_changes(zone: str) -> None:
    from zoneinfo import ZoneInfo

    c = replace(street(1, 1, days=400), timezone=zone)
    days = [(c.start + dt.timedelta(hours=i)).astimezone(ZoneInfo(zone)).date().toordinal() for i in range(c.steps)]
    np.testing.assert_array_equal(strategies.local_days(c), days)


def test_each_strategy_does_what_it_is_for() -> None:
    c = street(5, 24, days=20)
    c = replace(c, members=tuple(replace(m, vehicle=None, battery=Battery(10.0, 4.0)) for m in c.members))
    cost, peak, over = {}, {}, {}
    for strategy in strategies.STRATEGIES:
        net = rule.dispatch(c, strategy=strategy).net_kwh
        bought, sold = np.maximum(net, 0), np.maximum(-net, 0)
        cost[strategy] = float((bought * c.import_price - sold * c.export_price).sum())
        peak[strategy] = float(net.max(axis=1).mean())
        over[strategy] = float(np.maximum(sold - strategies.export_caps_kwh(c, "export-limit")[:, None], 0).sum())
    assert min(cost, key=cost.__getitem__) == "time-of-use"
    assert min(peak, key=peak.__getitem__) == "peak-shaving"
    assert min(over, key=over.__getitem__) == "export-limit"


def test_a_strategy_belongs_to_the_rule() -> None:
    c = street(1, 2, days=1)
    assert simulate.simulate(c, control="rule", strategy="time-of-use").document["engine"]["strategy"] == "time-of-use"  # type: ignore[index]
    with pytest.raises(NotDefined, match="belongs to the control rule"):
        simulate.simulate(c, control="none", strategy="time-of-use")
    with pytest.raises(NotDefined, match="there are self-consumption, time-of-use"):
        simulate.simulate(c, control="rule", strategy="luck")


# --- slices ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("control", "strategy"), [("none", "self-consumption"), *(("rule", s) for s in strategies.STRATEGIES)]
)
@pytest.mark.parametrize("cyclic", [False, True])
def test_slices_are_the_whole(control: str, strategy: str, cyclic: bool) -> None:
    c = street(8, 41, days=2, cyclic=cyclic, shared=True)
    shell = replace(c, load_kwh=np.empty((0, c.steps)), pv_kwh=np.empty((0, c.steps)))
    parts = []
    for first, count in slices.bounds(41, c.steps, most_values=16 * c.steps):
        rows = slice(first, first + count)
        part = replace(c, members=c.members[rows], load_kwh=c.load_kwh[rows], pv_kwh=c.pv_kwh[rows])
        parts.append(slices.one(shell, part, control=control, strategy=strategy))
    assert [p.totals.shape[1] for p in parts] == [16, 16, 9]
    load, pv = c.load_kwh.sum(axis=0), c.pv_kwh.sum(axis=0)
    found = slices.together(
        shell, parts, load, pv, control=control, strategy=strategy, sharing_rule="proportional"
    ).document
    asked = {"control": control, "sharing_rule": "proportional"} | ({"strategy": strategy} if control == "rule" else {})
    whole = simulate.simulate(c, **asked).document  # type: ignore[arg-type]
    for part_of in ("totals", "separate", "sharing"):
        for name, value in whole[part_of].items():  # type: ignore[attr-defined]
            if isinstance(value, float) and name not in {"worst_excess", "worst_bound"}:
                assert found[part_of][name] == pytest.approx(value, rel=1e-9, abs=1e-7), name  # type: ignore[index]
    for ours, theirs in zip(found["members"], whole["members"], strict=True):  # type: ignore[call-overload]
        for name in ("cost_alone", "saving", "load_kwh", "pv_kwh"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-9, abs=1e-9), name


def test_what_slices_cannot_share_is_refused() -> None:
    assert slices.needed(10_000, 35_040)
    assert not slices.needed(1_000, 35_040)
    assert sum(n for _first, n in slices.bounds(10_000, 35_040)) == 10_000
    assert max(n for _first, n in slices.bounds(10_000, 35_040)) * 35_040 * 24 < 1e9
    with pytest.raises(NotYet, match="choose equal or proportional"):
        slices.sharing_rule("owen")
