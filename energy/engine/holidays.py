"""Public holidays of a whole country, for profiles in which they count as Sundays.

Days of the law that hold in the whole country; those of its parts (a German Land, a Swiss canton) are left out, and
so are half days. Easter by the method of Meeus (Astronomical Algorithms, 1991).
"""

import datetime as dt
from collections.abc import Mapping, Sequence

#: Days from Easter Sunday.
GOOD_FRIDAY, EASTER, MONDAY, ASCENSION, PENTECOST, WHIT_MONDAY, CORPUS = -2, 0, 1, 39, 49, 50, 60
#: Fixed (month, day), days from Easter, and (first month, day, weekday): the first such weekday from that day on.
Rules = tuple[Sequence[tuple[int, int]], Sequence[int], Sequence[tuple[int, int, int]]]
SATURDAY, MON = 5, 0
CHRISTMAS = ((12, 25), (12, 26))
COUNTRIES: Mapping[str, Rules] = {
    "AT": (
        ((1, 1), (1, 6), (5, 1), (8, 15), (10, 26), (11, 1), (12, 8), *CHRISTMAS),
        (MONDAY, ASCENSION, WHIT_MONDAY, CORPUS),
        (),
    ),
    "BE": (((1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)), (MONDAY, ASCENSION, WHIT_MONDAY), ()),
    "CH": (((1, 1), (8, 1), (12, 25)), (ASCENSION,), ()),
    "CZ": (
        ((1, 1), (5, 1), (5, 8), (7, 5), (7, 6), (9, 28), (10, 28), (11, 17), (12, 24), *CHRISTMAS),
        (GOOD_FRIDAY, MONDAY),
        (),
    ),
    "DE": (((1, 1), (5, 1), (10, 3), *CHRISTMAS), (GOOD_FRIDAY, MONDAY, ASCENSION, WHIT_MONDAY), ()),
    "DK": (((1, 1), *CHRISTMAS), (-3, GOOD_FRIDAY, EASTER, MONDAY, ASCENSION, PENTECOST, WHIT_MONDAY), ()),
    "EE": (
        ((1, 1), (2, 24), (5, 1), (6, 23), (6, 24), (8, 20), (12, 24), *CHRISTMAS),
        (GOOD_FRIDAY, EASTER, PENTECOST),
        (),
    ),
    "ES": (
        ((1, 1), (1, 6), (5, 1), (8, 15), (10, 12), (11, 1), (12, 6), (12, 8), (12, 25)),
        (GOOD_FRIDAY,),
        (),
    ),
    "FI": (
        ((1, 1), (1, 6), (5, 1), (12, 6), *CHRISTMAS),
        (GOOD_FRIDAY, EASTER, MONDAY, ASCENSION, PENTECOST),
        ((6, 20, SATURDAY), (10, 31, SATURDAY)),
    ),
    "FR": (
        ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)),
        (MONDAY, ASCENSION, WHIT_MONDAY),
        (),
    ),
    "IE": (
        ((1, 1), (3, 17), *CHRISTMAS),
        (MONDAY,),
        ((5, 1, MON), (6, 1, MON), (8, 1, MON), (10, 25, MON)),
    ),
    "IT": (
        ((1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), *CHRISTMAS),
        (EASTER, MONDAY),
        (),
    ),
    "LU": (
        ((1, 1), (5, 1), (5, 9), (6, 23), (8, 15), (11, 1), *CHRISTMAS),
        (MONDAY, ASCENSION, WHIT_MONDAY),
        (),
    ),
    "NL": (((1, 1), (4, 27), *CHRISTMAS), (EASTER, MONDAY, ASCENSION, PENTECOST, WHIT_MONDAY), ()),
    "NO": (
        ((1, 1), (5, 1), (5, 17), *CHRISTMAS),
        (-3, GOOD_FRIDAY, EASTER, MONDAY, ASCENSION, PENTECOST, WHIT_MONDAY),
        (),
    ),
    "PL": (
        ((1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 24), *CHRISTMAS),
        (EASTER, MONDAY, PENTECOST, CORPUS),
        (),
    ),
    "PT": (
        ((1, 1), (4, 25), (5, 1), (6, 10), (8, 15), (10, 5), (11, 1), (12, 1), (12, 8), (12, 25)),
        (GOOD_FRIDAY, EASTER, CORPUS),
        (),
    ),
    "SE": (
        ((1, 1), (1, 6), (5, 1), (6, 6), *CHRISTMAS),
        (GOOD_FRIDAY, EASTER, MONDAY, ASCENSION, PENTECOST),
        ((6, 20, SATURDAY), (10, 31, SATURDAY)),
    ),
}


def easter(year: int) -> dt.date:
    """Easter Sunday of the Gregorian calendar."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    el = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * el) // 451
    month = (h + el - 7 * m + 114) // 31
    return dt.date(year, month, (h + el - 7 * m + 114) % 31 + 1)


def of(country: str, year: int) -> frozenset[dt.date]:
    """The holidays of a country (ISO 3166-1, two letters) in a year; none where its rules are not known here."""
    fixed, moving, weekdays = COUNTRIES.get(country.upper(), ((), (), ()))
    sunday = easter(year)
    found = {dt.date(year, month, day) for month, day in fixed}
    found |= {sunday + dt.timedelta(days=days) for days in moving}
    for month, day, weekday in weekdays:
        first = dt.date(year, month, day)
        found.add(first + dt.timedelta(days=(weekday - first.weekday()) % 7))
    return frozenset(found)


def between(country: str, first: dt.date, last: dt.date) -> frozenset[dt.date]:
    """The holidays of a country from one day to another."""
    years = range(first.year, last.year + 1)
    return frozenset(day for year in years for day in of(country, year) if first <= day <= last)
