"""Opening hours in one line, as Open Know-Where leaves them free: written as in OpenStreetMap, and read so."""

import re

from labs.engine import hours

SHORT = dict(zip(("mo", "tu", "we", "th", "fr", "sa", "su"), hours.DAYS, strict=True))
LONG = {day: day for day in hours.DAYS} | {
    "monday": "mon", "tuesday": "tue", "wednesday": "wed", "thursday": "thu", "friday": "fri", "saturday": "sat",
    "sunday": "sun",
}  # fmt: skip
NAMES = {**SHORT, **LONG}
ALWAYS = ("24/7", "always", "mo-su 00:00-24:00", "open 24 hours")
_RULE = re.compile(r"^(?P<days>[a-zäö][a-zäö,\-– ]*?)[ :]+(?P<hours>off|closed|\d.*)$", re.IGNORECASE)


def write(week: "dict[str, list[list[str]]]") -> str:
    """A week as `Mo-Fr 08:00-21:00; Sa 10:00-18:00`; `24/7` when it never closes."""
    if not week:
        return "24/7"
    told = [(name, ",".join(f"{a}-{b}" for a, b in week.get(day, ()))) for name, day in SHORT.items()]
    pieces: list[tuple[str, str, str]] = []
    for name, spans in told:
        if pieces and pieces[-1][2] == spans:
            pieces[-1] = (pieces[-1][0], name, spans)
        else:
            pieces.append((name, name, spans))
    days = {(first, last): first if first == last else f"{first}-{last}" for first, last, _spans in pieces}
    return "; ".join(f"{days[first, last].title()} {spans}" for first, last, spans in pieces if spans)


def read(text: str) -> "dict[str, list[list[str]]]":
    """The week of such a line. ValueError with the piece that cannot be read."""
    if text.strip().lower() in ALWAYS:
        return {}
    week: dict[str, list[list[str]]] = {}
    for piece in re.split(r";|\n", text):
        if not piece.strip():
            continue
        found = _RULE.match(piece.strip())
        if found is None:
            raise ValueError(piece.strip())
        spans = [] if found["hours"].lower() in {"off", "closed"} else hours.read_day(found["hours"])
        for day in _days(found["days"]):
            week[day] = spans
    open_days = {day: spans for day, spans in week.items() if spans}
    if not open_days:
        raise ValueError(text.strip())
    hours.check(open_days)
    return open_days


def _days(text: str) -> list[str]:
    found: list[str] = []
    for piece in text.lower().replace("–", "-").split(","):
        first, dash, last = (part.strip() for part in piece.partition("-"))
        if first not in NAMES or (dash and last not in NAMES):
            raise ValueError(text.strip())
        start = hours.DAYS.index(NAMES[first])
        end = hours.DAYS.index(NAMES[last]) if dash else start
        found += [hours.DAYS[n % 7] for n in range(start, end + 1 if end >= start else end + 8)]
    return found
