"""The days and hours whose shadows are drawn: the equinox, the longest and the shortest day, in standard time."""

DAYS = ((3, 20), (6, 21), (12, 21))
HOURS = (8, 10, 12, 14, 16, 18, 20)


def name_of(month: int, day: int, hour: int) -> str:
    """What a drawing is called."""
    return f"{month:02}-{day:02}T{hour:02}"
