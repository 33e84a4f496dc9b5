"""The next 48 hours of a district from what was known at a midnight: use, solar, machines at work.

Simple guesses first: the same hour of the last known day, of a week before, the mean of the last seven known days, the
mean of the last four same weekdays; and, where they are known, what somebody else foresaw of the first day
(`told`: an energy community's own forecast) or what is booked (`booked`). A public holiday is looked at as a Sunday.
The model is a ridge regression for each of
the 48 hours over those guesses, in units of the level of the last seven days. It is judged as it would have been
issued: trained on issues whose 48 hours were over at that midnight, and never on what came later. Where over the
back-test it is not better than the best simple guess, that guess is served.

The band is split conformal by hour of the horizon: the error that nine of ten of the last eight weeks' issues stayed
within (Vovk, Gammerman and Shafer 2005).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HOURS = 48
DAYS = 2
NAIVE = ("yesterday", "last week", "mean of seven days", "four same weekdays")
BOOKED, TOLD, MODEL = "booked", "told", "model"
LEAST_DAYS = 70
"""Days of the past without which nothing is foreseen: 28 to look back on, 28 to learn from, 14 to judge."""
FIRST_ISSUE = 28
SUNDAY = 6
LEARNED = 28
BAND = 56
JUDGED_MOST = 182
RETRAIN = 14
MISS = 0.1
RIDGE = 10.0


class TooFewDays(ValueError):
    """Too little is known to foresee anything."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Forecasts of a back-test beside the simple guesses: mean absolute errors an hour, and how much lay in the band.

    `days` issues were judged, the last of them `last` (index of a day). `skill` is 1 less the error of what is served
    over that of the best simple guess; `model_mae` what the model had, whether or not it is served.
    """

    days: int
    first: int
    last: int
    mae: float
    model_mae: float
    naive_mae: dict[str, float]
    best_naive: str
    covered: float

    @property
    def skill(self) -> float:
        """By how much what is served beats the best simple guess; 0 where it is that guess."""
        least = self.naive_mae[self.best_naive]
        return 1 - self.mae / least if least > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Foreseen:
    """48 hours: the middle, the band of nine in ten, the best simple guess, what is served, and how good it was."""

    middle: Floats
    low: Floats
    high: Floats
    naive: Floats
    served: str
    judged: Judged


def sorts(count: int, first_weekday: int, holidays: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """What sort of day each of the known ones and of the two to come is: 0 for a Monday … 6 for a Sunday or holiday."""
    found = (np.arange(count + DAYS) + first_weekday) % 7
    return found if holidays is None else np.where(holidays[: count + DAYS], SUNDAY, found)


def guesses(
    days: Floats,
    booked: Floats | None = None,
    told: Floats | None = None,
    *,
    sort: NDArray[np.int64] | None = None,
) -> dict[str, Floats]:
    """Each guess of the two days from every midnight (issues x 48), the last issue after the last day. An issue d reads
    days before d alone. `booked` (issues x 48): what is booked then, as it stood at that midnight; `told` the same, of
    what another foresaw; NaN where nothing was said. `sort`: of each day and the two to come, without holidays if none.
    """
    issues = len(days) + 1
    sort = sorts(len(days), 0) if sort is None else sort
    found = {name: np.full((issues, HOURS), np.nan) for name in NAIVE}
    for d in range(1, issues):
        found["yesterday"][d] = np.tile(days[d - 1], DAYS)
        if d >= 7:
            found["mean of seven days"][d] = np.tile(_mean(days[d - 7 : d]), DAYS)
            found["last week"][d] = np.concatenate([days[d - 7 + k] for k in range(DAYS)])
        if d >= FIRST_ISSUE:
            found["four same weekdays"][d] = np.concatenate([_alike(days[:d], sort, d + k) for k in range(DAYS)])
    if booked is not None:
        found[BOOKED] = by_bookings(days, booked, found["four same weekdays"])
    if told is not None:
        found[TOLD] = np.where(np.isnan(told), found["four same weekdays"], told)
    return found


def _alike(past: Floats, sort: NDArray[np.int64], day: int) -> Floats:
    """The mean of the last four days of the same sort; NaN where there was none."""
    same = np.flatnonzero(sort[: len(past)] == sort[day])[-4:]
    return _mean(past[same]) if len(same) else np.full(24, np.nan)


def by_bookings(days: Floats, booked: Floats, habit: Floats) -> Floats:
    """What is booked, times what a booked hour turned out to be lately, and the habit where less is booked.

    For each issue, bookings of the last 28 issues whose hours are over say what became of a booked hour, and of hours
    that were not booked.
    """
    out = np.full_like(habit, np.nan)
    for d in range(FIRST_ISSUE + DAYS, len(days) + 1):
        past = np.arange(max(FIRST_ISSUE, d - LEARNED), d - DAYS + 1)
        planned = booked[past]
        came = np.stack([np.concatenate(days[p : p + DAYS]) for p in past])
        usual = habit[past]
        known = ~(np.isnan(planned) | np.isnan(came) | np.isnan(usual))
        if known.sum() < 2 * HOURS:
            continue
        design = np.stack([planned[known], usual[known]], axis=1)
        share = np.linalg.solve(design.T @ design + 1e-6 * np.eye(2), design.T @ came[known])
        out[d] = np.maximum(np.stack([booked[d], habit[d]], axis=1) @ share, 0.0)
    return out


def foresee(
    days: Floats,
    first_weekday: int,
    *,
    holidays: NDArray[np.bool_] | None = None,
    booked: Floats | None = None,
    told: Floats | None = None,
) -> Foreseen:
    """The 48 hours after the last day (days x 24; NaN where nothing was measured). `holidays`: of each day and of the
    two to come, whether it is one. Raises TooFewDays.
    """
    count = len(days)
    if count < LEAST_DAYS:
        raise TooFewDays(f"{LEAST_DAYS} days are needed, these are {count}")
    sort = sorts(count, first_weekday, holidays)
    found = guesses(days, booked, told, sort=sort)
    scale = level(days)
    model = _model(days, found, scale, sort)
    ended = np.arange(max(FIRST_ISSUE + LEARNED + DAYS, count - JUDGED_MOST), count - DAYS + 1)
    truth = np.stack([np.concatenate(days[d : d + DAYS]) for d in ended])
    naive_mae = {name: _mae(found[name][ended], truth) for name in (*NAIVE, *_given(found))}
    simple = {name: mae for name, mae in naive_mae.items() if np.isfinite(mae)}
    if not simple:
        raise TooFewDays("nothing was measured on the days that would judge it")
    best = min(simple, key=lambda name: simple[name])
    model_mae = _mae(model[ended], truth)
    served = MODEL if np.isfinite(model_mae) and model_mae < simple[best] and _known(model[count]) else best
    if served != MODEL and not _known(found[served][count]):
        served = min((n for n in simple if _known(found[n][count])), key=lambda n: simple[n], default="")
        if not served:
            raise TooFewDays("nothing was measured in the last week")
        best = served
    line = model if served == MODEL else found[served]
    half = _bands(line, days, scale)
    inside = _inside(line, days, ended, half)
    judged = Judged(
        days=len(ended),
        first=int(ended[0]),
        last=int(ended[-1]),
        mae=_mae(line[ended], truth),
        model_mae=model_mae,
        naive_mae=simple,
        best_naive=best,
        covered=inside,
    )
    middle = np.maximum(line[count], 0.0)
    width = half[count] if np.isfinite(half[count]).all() else np.zeros(HOURS)
    naive = np.maximum(found[best][count], 0.0)
    return Foreseen(middle, np.maximum(middle - width, 0.0), middle + width, naive, served, judged)


def level(days: Floats) -> Floats:
    """The mean of an hour over the seven days before each issue; NaN before there are seven."""
    out = np.full(len(days) + 1, np.nan)
    for d in range(7, len(days) + 1):
        week = days[d - 7 : d]
        if not np.isnan(week).all():
            out[d] = np.nanmean(week)
    return np.where(out > 0, out, np.nan)


def _model(days: Floats, found: dict[str, Floats], scale: Floats, sort: NDArray[np.int64]) -> Floats:
    """What the ridge says at each issue, trained anew every 14 issues on issues that were over then."""
    count = len(days)
    base = found["mean of seven days"]
    names = [name for name in found if name != "mean of seven days"]
    seen = np.stack([(found[name] - base) / scale[:, None] for name in names], axis=-1)
    kinds = [np.eye(7)[sort[k : k + count + 1]] for k in range(DAYS)]
    out = np.full((count + 1, HOURS), np.nan)
    target = np.full((count + 1, HOURS), np.nan)
    for d in range(count - DAYS + 1):
        target[d] = (np.concatenate(days[d : d + DAYS]) - base[d]) / scale[d]
    for start in range(FIRST_ISSUE + LEARNED + DAYS, count + 1, RETRAIN):
        past = np.arange(FIRST_ISSUE, start - DAYS + 1)
        ahead = np.arange(start, min(start + RETRAIN, count + 1))
        for hour in range(HOURS):
            kind = kinds[hour // 24]
            rows = np.concatenate([np.nan_to_num(seen[past, hour]), kind[past]], axis=1)
            wanted, weight = target[past, hour], np.nan_to_num(scale[past])
            known = ~np.isnan(wanted) & (weight > 0)
            if known.sum() < LEARNED // 2:
                continue
            x, w = rows[known], (weight[known] / weight[known].mean())[:, None]
            beta = np.linalg.solve(x.T @ (w * x) + RIDGE * np.eye(x.shape[1]), x.T @ (w[:, 0] * wanted[known]))
            new = np.concatenate([np.nan_to_num(seen[ahead, hour]), kind[ahead]], axis=1)
            out[ahead, hour] = base[ahead, hour] + (new @ beta) * scale[ahead]
    return np.where(np.isnan(out), np.nan, np.maximum(out, 0.0))


def _bands(line: Floats, days: Floats, scale: Floats) -> Floats:
    """Half the band at each issue from the errors of the issues that were over then, over the level of their days."""
    count = len(days)
    missed = np.full((count + 1, HOURS), np.nan)
    for d in range(count - DAYS + 1):
        missed[d] = np.abs(np.concatenate(days[d : d + DAYS]) - line[d]) / scale[d]
    out = np.full((count + 1, HOURS), np.nan)
    for d in range(FIRST_ISSUE + LEARNED + DAYS, count + 1):
        past = missed[max(0, d - DAYS + 1 - BAND) : d - DAYS + 1]
        near = np.concatenate([past, np.roll(past, 1, axis=1), np.roll(past, -1, axis=1)])
        ordered = np.sort(near, axis=0)
        known = (~np.isnan(ordered)).sum(axis=0)
        if known.min() < 20:
            continue
        rank = np.minimum(np.ceil((known + 1) * (1 - MISS)), known).astype(np.int64) - 1
        out[d] = np.take_along_axis(ordered, rank[None], axis=0)[0] * scale[d]
    return out


def _inside(line: Floats, days: Floats, ended: NDArray[np.int64], half: Floats) -> float:
    """Which share of what came lay in the band that was foreseen."""
    truth = np.stack([np.concatenate(days[d : d + DAYS]) for d in ended])
    known = ~(np.isnan(truth) | np.isnan(half[ended]) | np.isnan(line[ended]))
    off = np.abs(truth - line[ended])
    return float((off[known] <= half[ended][known] + 1e-9).mean()) if known.any() else 0.0


def score(came: Floats, *, middle: Floats, low: Floats, high: Floats, naive: Floats) -> dict[str, float]:
    """How one forecast did: mean absolute error an hour, that of the simple guess, the skill, the share inside the
    band, and how many hours were known. Empty where nothing was measured.
    """
    known = ~np.isnan(came)
    if not known.any():
        return {}
    mae = float(np.abs(came - middle)[known].mean())
    simple = float(np.abs(came - naive)[known].mean())
    inside = (came >= low - 1e-9) & (came <= high + 1e-9)
    return {
        "mae": mae,
        "naive_mae": simple,
        "skill": 1 - mae / simple if simple > 0 else 0.0,
        "covered": float(inside[known].mean()),
        "hours": int(known.sum()),
    }


def _given(found: dict[str, Floats]) -> list[str]:
    return [name for name in found if name not in NAIVE]


def _known(row: Floats) -> bool:
    return not bool(np.isnan(row).any())


def _mean(rows: Floats) -> Floats:
    """The mean of what was measured; NaN where nothing was."""
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    total = np.where(known, rows, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(rows.shape[1], np.nan), where=count > 0))


def _mae(line: Floats, truth: Floats) -> float:
    known = ~(np.isnan(line) | np.isnan(truth))
    return float(np.abs(line - truth)[known].mean()) if known.mean() > 0.5 else float("inf")
