"""The day that a page shows, from its address."""

import datetime as dt


def date_of(asked: str, otherwise: dt.date) -> dt.date:
    """The day asked for; nonsense is today."""
    try:
        date = dt.date.fromisoformat(asked)
    except ValueError:
        return otherwise
    return date if 1990 <= date.year <= 2200 else otherwise


def neighbours_of(date: dt.date) -> dict[str, str]:
    """The day before and the day after, for links."""
    step = dt.timedelta(days=1)
    return {"before": (date - step).isoformat(), "after": (date + step).isoformat()}
