"""A day ahead: what a community will use or make tomorrow, with a band, and honestly beside the naive guesses.

Issued at midnight for the next 24 hours, from what was known then. Everything is divided by the mean of the last
seven days, because use drifts with the season and trees do not extrapolate. Two learners answer what is left beside
the mean of seven days: gradient-boosted trees with the absolute error, and a ridge regression for each hour. Their
mean is mixed with the naive guesses by weights (not negative, sum 1) that were best over the last eight weeks of
forecasts made before they were known.

The naive guesses: the same hour yesterday, a week ago, the mean of seven days, the mean of the same hour of the last
four same weekdays. Each day the one of all that was best over the last 28 days is served. A series over whose test the
model lost to any of them in any 28 days is not forecast by it at all: the best naive guess is served (`backtest`), so
that what is served is never worse than that guess. What the weather says of a day may be given (`told`): it is one
more guess and one more feature. The band is split conformal by hour of the day: the quantile of what was missed in the
last eight weeks, over the level of its days (Vovk et al. 2005; Lei et al. 2018).

Sources: Friedman 2001 (boosting), Hoerl and Kennard 1970 (ridge), Hong and Fan 2016 (naive benchmarks of load
forecasting). Limits: no holidays; a community that changes its members is new to it.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Floats
from energy.engine.refusals import EngineRefusal, gettext_noop

NAIVE = ("yesterday", "last week", "mean of seven days", "four same weekdays")
MODEL, WEATHER = "model", "weather"
LEARNED_DAYS = 28
LEAST_DAYS = 84
JUDGED_DAYS = 28
BAND_DAYS = 56
RETRAIN_DAYS = 28
MISS = 0.1
RIDGE = 30.0
WEIGHTS_STEP = 0.1


class TooFewDays(EngineRefusal):
    """Too little has been measured to learn from."""


@dataclass(frozen=True)
class Day:
    """A forecast of one day: kWh a step, the band that holds nine of ten, what is served, and each guess."""

    served: str
    middle_kwh: Floats
    low_kwh: Floats
    high_kwh: Floats


@dataclass(frozen=True)
class Score:
    """How well forecasts did over the days `days` (indices): mean absolute errors in kWh a step.

    `skill` is 1 less the error of what was served over that of the best naive guess of the whole span; `covered` the
    share of values inside the band. `guarded`: over some four weeks of the test the model lost to a naive guess, so the
    best naive one is served throughout; `model_skill` and `model_worst` are then what the model would have had.
    """

    days: NDArray[np.int64]
    model_mae: float
    served_mae: float
    naive_mae: dict[str, float]
    covered: float
    half_width_kwh: float
    served: dict[str, int]
    errors: dict[str, Floats] = field(repr=False)
    guarded: bool = False
    model_skill: float = 0.0
    model_worst: float = 0.0

    @property
    def best_naive(self) -> str:
        """The naive guess with the smallest error."""
        return min(self.naive_mae, key=lambda name: self.naive_mae[name])

    @property
    def skill(self) -> float:
        """By how much what was served beats the best naive guess, 0..1; below zero it does not."""
        return 1 - self.served_mae / self.naive_mae[self.best_naive]


def naive(days_kwh: Floats) -> Floats:
    """The four naive guesses for each day and the day after the last (4 x days+1 x steps); NaN where unknown."""
    count, steps = days_kwh.shape
    out = np.full((4, count + 1, steps), np.nan)
    out[0, 1:] = days_kwh
    out[1, 7:] = days_kwh[: count - 6]
    for day in range(7, count + 1):
        out[2, day] = _mean(days_kwh[day - 7 : day])
    for day in range(28, count + 1):
        out[3, day] = _mean(days_kwh[[day - 7, day - 14, day - 21, day - 28]])
    return out


def _mean(rows: Floats) -> Floats:
    """The mean of what was measured; NaN where nothing was."""
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    total = np.where(known, rows, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(rows.shape[1], np.nan), where=count > 0))


def level(days_kwh: Floats) -> Floats:
    """The mean kWh a step of the seven days before each day and the day after the last; the yardstick of all else."""
    count = len(days_kwh)
    out = np.full(count + 1, np.nan)
    for day in range(7, count + 1):
        week = days_kwh[day - 7 : day]
        if not np.isnan(week).all():
            out[day] = np.nanmean(week)
    return np.where(out > 0, out, np.nan)


def by_ratio(raw: Floats, days_kwh: Floats, *, over: int) -> Floats:
    """A guess of solar in proportion: what was foreseen of each day (days+1 x steps, any unit, such as the clear sky's
    or a weather forecast's), times what the last `over` days really made of what was foreseen of them.
    """
    out = np.full_like(raw, np.nan)
    foreseen, made = np.nansum(raw[:-1], axis=1), np.nansum(days_kwh, axis=1)
    known = np.asarray(~np.isnan(raw[:-1]).all(axis=1) & ~np.isnan(days_kwh).any(axis=1))
    for day in range(over, len(raw)):
        past = np.flatnonzero(known[day - over : day]) + day - over
        if len(past) and foreseen[past].sum() > 0:
            out[day] = raw[day] * (made[past].sum() / foreseen[past].sum())
    return out


def features(days_kwh: Floats, first_weekday: int, told: Floats | None = None) -> Floats:
    """What the learners see for each day and the day after the last (days+1 x steps x features), over the level.

    Every value was known at the midnight that begins the day; so must be `told`, what the weather says of it.
    """
    count, steps = days_kwh.shape
    guesses = naive(days_kwh)
    scale = level(days_kwh)[:, None]
    flat = np.concatenate((days_kwh.ravel(), np.full(steps, np.nan)))
    columns = [guess / scale for guess in guesses]
    columns += [_back(flat, steps, 0, days) / scale for days in (2, 3, 14)]
    hour = max(steps // 24, 1)
    columns += [_back(flat, steps, n * hour, 1) / scale for n in (1, 2, 3)]
    spread = np.full((3, count + 1, steps), np.nan)
    for day in range(7, count + 1):
        week = days_kwh[day - 7 : day]
        spread[:, day] = week.std(axis=0), week.min(axis=0), week.max(axis=0)
    columns += [rows / scale for rows in spread]
    columns.append(_day_before(flat, steps) / scale)
    if told is not None:
        columns.append(told / scale)
    columns.append(np.broadcast_to(np.arange(steps, dtype=float), (count + 1, steps)))
    weekday = ((np.arange(count + 1) + first_weekday) % 7).astype(float)
    columns.append(np.broadcast_to(weekday[:, None], (count + 1, steps)))
    return np.stack(columns, axis=-1)


def _back(flat: Floats, steps: int, earlier: int, days: int) -> Floats:
    """The value `days` days and `earlier` steps before each step."""
    shift = days * steps + earlier
    out = np.full(len(flat), np.nan)
    out[shift:] = flat[: len(flat) - shift]
    return out.reshape(-1, steps)


def _day_before(flat: Floats, steps: int) -> Floats:
    """The mean of the 24 hours that end 24 hours before each step."""
    sums = np.concatenate(([0.0], np.cumsum(flat)))
    out = np.full(len(flat), np.nan)
    at = np.arange(2 * steps, len(flat))
    out[at] = (sums[at - steps + 1] - sums[at - 2 * steps + 1]) / steps
    return out.reshape(-1, steps)


@dataclass(frozen=True)
class Learned:
    """Both learners after training; `predict` gives kWh a step for chosen days."""

    trees: Callable[[Floats], Floats]
    ridges: Floats

    def predict(self, seen: Floats, base: Floats, scale: Floats) -> Floats:
        """days x steps x features, the mean of seven days and the level of those days -> kWh a step."""
        count, steps, _ = seen.shape
        grown = self.trees(seen.reshape(count * steps, -1)).reshape(count, steps)
        lines = np.einsum("dsf,sf->ds", _design(seen), self.ridges)
        return np.asarray(np.maximum(base + (grown + lines) / 2 * scale[:, None], 0.0))


def _design(seen: Floats) -> Floats:
    """Features of the ridge: those in units of the level, and one column a weekday; what is unknown counts as 1."""
    weekday = np.eye(7)[seen[..., -1].astype(np.int64)]
    return np.concatenate((np.nan_to_num(seen[..., :-2], nan=1.0), weekday), axis=-1)


def learn(seen: Floats, target: Floats, scale: Floats, *, seed: int) -> Learned:
    """Train on days x steps: `target` is what was used less the mean of seven days, over the level."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 half a second of imports

    steps = target.shape[1]
    weight = np.repeat(scale, steps)
    rows, wanted = seen.reshape(len(weight), -1), target.ravel()
    known = ~np.isnan(wanted)
    trees = HistGradientBoostingRegressor(
        loss="absolute_error",
        learning_rate=0.06,
        max_iter=120,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        random_state=seed,
        early_stopping=False,
    ).fit(rows[known], wanted[known], sample_weight=weight[known])
    design = _design(seen)
    ridges = np.stack([_ridge(design[:, step], target[:, step], scale) for step in range(steps)])
    return Learned(trees.predict, ridges)


def _ridge(design: Floats, target: Floats, scale: Floats) -> Floats:
    known = ~np.isnan(target)
    x, y, w = design[known], target[known], scale[known] ** 2
    w = w / w.mean()
    return np.asarray(np.linalg.solve(x.T @ (w[:, None] * x) + RIDGE * np.eye(x.shape[1]), x.T @ (w * y)))


@dataclass(frozen=True)
class Guesses:
    """Forecasts as they would have been issued, for the days from `first` on (days x steps); NaN before."""

    days_kwh: Floats
    naive_kwh: Floats
    model_kwh: Floats
    level_kwh: Floats
    first: int
    told_kwh: Floats | None = None


def walk(days_kwh: Floats, first_weekday: int, *, first: int, seed: int = 0, told: Floats | None = None) -> Guesses:
    """Issue a forecast for every day from `first` to the day after the last, each from what was known at its midnight;
    trained anew every 28 days. `told`: what the weather said of each day (days+1 x steps), NaN where nothing. Raises
    TooFewDays.
    """
    count, steps = days_kwh.shape
    if first < LEAST_DAYS or count < LEAST_DAYS:
        raise TooFewDays(
            gettext_noop("a forecast needs %(least)d days to learn from; these are %(days)d"),
            least=LEAST_DAYS,
            days=min(count, first),
        )
    guesses, scale, seen = naive(days_kwh), level(days_kwh), features(days_kwh, first_weekday, told)
    base = guesses[2]
    target = (days_kwh - base[:-1]) / scale[:-1, None]
    model = np.full((count + 1, steps), np.nan)
    for start in range(first, count + 1, RETRAIN_DAYS):
        past = np.arange(LEARNED_DAYS, start)
        past = past[~np.isnan(scale[past])]
        end = min(start + RETRAIN_DAYS, count + 1)
        learned = learn(seen[past], target[past], scale[past], seed=seed)
        model[start:end] = learned.predict(seen[start:end], base[start:end], scale[start:end])
    return Guesses(days_kwh, guesses, model, scale, first, told)


def weights(guesses: Floats, truth: Floats) -> Floats:
    """Weights of guesses (k x days x steps), not negative and of sum 1 in tenths, with the least absolute error."""
    best, least = np.zeros(len(guesses)), np.inf
    for candidate in _tenths(len(guesses)):
        missed = float(np.nanmean(np.abs(np.tensordot(candidate, guesses, 1) - truth)))
        if missed < least:
            best, least = candidate, missed
    return best


def _tenths(parts: int) -> Iterator[Floats]:
    """All weights in steps of a tenth with the first (the model) at least a half."""
    whole = round(1 / WEIGHTS_STEP)

    def split(left: int, over: int) -> Iterator[tuple[int, ...]]:
        if over == 1:
            yield (left,)
            return
        for take in range(left + 1):
            for rest in split(left - take, over - 1):
                yield (take, *rest)

    for first in range(whole // 2, whole + 1):
        for rest in split(whole - first, parts - 1):
            yield np.array((first, *rest)) / whole


def serve(made: Guesses, day: int, *, only: str = "") -> Day:
    """The forecast of a day from what was known at its midnight; `only`: this naive guess and no other."""
    judged = np.arange(max(made.first, day - BAND_DAYS), day)
    truth = made.days_kwh[judged]
    guesses = {name: made.naive_kwh[i] for i, name in enumerate(NAIVE)}
    told = made.told_kwh
    if told is not None and not np.isnan(told[[*judged, day]]).any():
        guesses[WEATHER] = told
    stack = np.stack([made.model_kwh, *guesses.values()])
    mix = weights(stack[:, judged], truth) if len(judged) >= JUDGED_DAYS else np.eye(len(stack))[0]
    guesses = {MODEL: np.tensordot(mix, stack, 1), **guesses}
    recent = judged[-JUDGED_DAYS:]
    enough = len(recent) >= JUDGED_DAYS
    errors = {name: _missed(guess, made, recent) for name, guess in guesses.items() if not np.isnan(guess[day]).any()}
    served = only or (min(errors, key=lambda name: errors[name]) if enough and errors else NAIVE[2])
    if np.isnan(guesses[served][day]).any():
        served = min(errors, key=lambda name: errors[name]) if errors else NAIVE[2]
    all_days = guesses[served]
    scale = made.level_kwh
    half = _band(np.abs(all_days[judged] - truth) / scale[judged, None]) * scale[day]
    middle = all_days[day]
    return Day(served, middle, np.maximum(middle - half, 0.0), middle + half)


def _missed(guess: Floats, made: Guesses, days: NDArray[np.int64]) -> float:
    return float(np.nanmean(np.abs(guess[days] - made.days_kwh[days]))) if len(days) else np.inf


def _band(missed: Floats) -> Floats:
    """For each step of the day the error that nine of ten stay within: the conformal quantile of what was missed in
    the step and its two neighbours, since 56 values alone leave too coarse a rank.
    """
    ordered = np.sort(np.concatenate([np.roll(missed, shift, axis=1) for shift in (-1, 0, 1)]), axis=0)
    known = (~np.isnan(ordered)).sum(axis=0)
    rank = np.minimum(np.ceil((known + 1) * (1 - MISS)), known).astype(np.int64)
    picked = np.take_along_axis(ordered, np.maximum(rank - 1, 0)[None], axis=0)[0]
    return np.where(known > 0, picked, np.inf)


def backtest(
    days_kwh: Floats, first_weekday: int, *, test_days: int, seed: int = 0, told: Floats | None = None
) -> Score:
    """What would have been served on each of the last `test_days` days, or on fewer where there are not so many; four
    weeks at least. Where the model lost to a naive guess over any 28 of them, the best naive one is what will be served
    and what is scored. Raises TooFewDays.
    """
    count = len(days_kwh)
    test_days = min(test_days, count - LEAST_DAYS - BAND_DAYS)
    if test_days < JUDGED_DAYS:
        raise TooFewDays(
            gettext_noop("a forecast needs %(least)d days to learn from; these are %(days)d"),
            least=LEAST_DAYS + BAND_DAYS + JUDGED_DAYS,
            days=count,
        )
    made = walk(days_kwh, first_weekday, first=count - test_days - BAND_DAYS, seed=seed, told=told)
    tested = np.arange(count - test_days, count)
    score = _score(made, tested, only="")
    worst = worst_span(score)
    if worst <= 0:
        return replace(score, model_skill=score.skill, model_worst=worst)
    simple = _score(made, tested, only=score.best_naive)
    return replace(simple, guarded=True, model_skill=score.skill, model_worst=worst)


def _score(made: Guesses, tested: NDArray[np.int64], *, only: str) -> Score:
    issued = [serve(made, int(day), only=only) for day in tested]
    truth = made.days_kwh[tested]
    middle = np.stack([one.middle_kwh for one in issued])
    low, high = (np.stack([getattr(one, name) for one in issued]) for name in ("low_kwh", "high_kwh"))
    errors = {"served": _by_day(middle, truth)}
    errors |= {name: _by_day(made.naive_kwh[i][tested], truth) for i, name in enumerate(NAIVE)}
    names = [one.served for one in issued]
    known = ~np.isnan(truth)
    return Score(
        days=tested,
        model_mae=float(np.nanmean(np.abs(made.model_kwh[tested] - truth))),
        served_mae=float(np.nanmean(errors["served"])),
        naive_mae={name: float(np.nanmean(errors[name])) for name in NAIVE},
        covered=float(((truth >= low) & (truth <= high))[known].mean()),
        half_width_kwh=float((high - low).mean() / 2),
        served={name: names.count(name) for name in dict.fromkeys(names)},
        errors=errors,
    )


def _by_day(guess: Floats, truth: Floats) -> Floats:
    """The mean absolute error of each day over what was measured; NaN where nothing was."""
    return _mean(np.abs(guess - truth).T)


def worst_span(score: Score, days: int = 28) -> float:
    """Over the worst span of that many days: the error of what was served over that of its best naive guess, less 1;
    where the model is not used, over the error of the one that is served.
    """
    names = (score.best_naive,) if score.guarded else NAIVE
    known = ~np.any([np.isnan(score.errors[name]) for name in ("served", *names)], axis=0)
    span = min(days, int(known.sum()))
    kernel = np.ones(span) / span
    served = np.convolve(score.errors["served"][known], kernel, mode="valid")
    guessed = np.min([np.convolve(score.errors[name][known], kernel, mode="valid") for name in names], axis=0)
    return float((served / guessed - 1).max())


def by_local_day(values_kwh: Floats, start: dt.datetime, step_minutes: int, zone: ZoneInfo) -> tuple[dt.date, Floats]:
    """Whole local days of a series, days x steps of 24 hours, and the first date.

    An hour that the clock leaves out in spring is NaN, one that it runs twice in autumn is the mean of both.
    """
    per_day = 24 * 60 // step_minutes
    step = dt.timedelta(minutes=step_minutes)
    local = [(start + i * step).astimezone(zone) for i in range(len(values_kwh))]
    first = local[0].date() if not (local[0].hour or local[0].minute) else local[0].date() + dt.timedelta(days=1)
    end = (start + len(values_kwh) * step).astimezone(zone).date()
    days = (end - first).days
    if days <= 0:
        return first, np.empty((0, per_day))
    row = np.array([(t.date() - first).days for t in local])
    column = np.array([(t.hour * 60 + t.minute) // step_minutes for t in local])
    inside = (row >= 0) & (row < days) & ~np.isnan(values_kwh)
    at = row[inside] * per_day + column[inside]
    count = np.bincount(at, minlength=days * per_day)
    total = np.bincount(at, weights=values_kwh[inside], minlength=days * per_day)
    mean = np.divide(total, count, out=np.full(days * per_day, np.nan), where=count > 0)
    return first, mean.reshape(days, per_day)
