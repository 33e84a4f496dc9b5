"""A comparison of the shape that engines write, for pages, tables and papers."""

from typing import Any


def figure(key: str, base: float | None, value: float | None, **more: Any) -> dict[str, Any]:
    """One figure; `difference` follows from the two unless it is given."""
    gap = None if base is None or value is None else value - base
    return {
        "key": key, "label": key.replace("_", " ").capitalize(), "unit": "kWh", "group": "energy",
        "baseline": base, "scenario": value, "difference": gap, "low": None, "high": None, "better": "up",
        "engine": "energy", "how": "exact", **more,
    }  # fmt: skip


def who(
    by: str, group: str, count: int, figure: str, unit: str, shares: tuple[int, int, int], median: float
) -> dict[str, Any]:
    """One group: how many gain, lose and stay."""
    gain, lose, same = shares
    return {
        "by": by, "group": group, "count": count, "figure": figure, "unit": unit,
        "gain": gain, "lose": lose, "same": same, "median": median,
    }  # fmt: skip


def summary(**more: Any) -> dict[str, Any]:
    """What an engine keeps of an answer."""
    return {
        "engines": [{"name": "energy", "version": "1.4", "what": "hour by hour"}],
        "figures": [
            figure("solar_kwh", 0.0, 812_000.0),
            figure("bought_kwh", 5_000_000.0, 4_300_000.0, better="down", low=-800_000.0, high=-600_000.0),
            figure("peak_kw", 412.0, 338.0, unit="kW", better="down"),
            figure("delay_h", 210.0, 215.0, unit="h", group="traffic", better="down", low=-4.0, high=14.0),
            figure("reach_share", 0.61, 0.66, unit="share", group="access"),
            figure("hot_people", 900.0, 900.0, unit="people", group="risk", better="down"),
            figure("trips", 1000.0, 900.0, unit="", group="traffic", better="none"),
        ],
        "who": [
            who("use", "homes", 300, "bought_kwh", "kWh", (200, 60, 40), -120.0),
            who("use", "offices", 50, "bought_kwh", "kWh", (10, 40, 0), 35.0),
            who("age", "over 65", 800, "hot_people", "people", (0, 0, 800), 0.0),
        ],
        "limits": ["Today counts as without any panels."],
        **more,
    }  # fmt: skip


def comparison(pk: str = "abc", title: str = "Sun first", **more: Any) -> dict[str, Any]:
    """An answer with its names, as the API gives it."""
    return {
        **summary(), "scenario": pk, "version": 1, "title": title, "district": "town", "city_version": 3,
        "depth": "quick", "inputs_hash": "0" * 64, "seeds": [], "took_s": 1.2, "buildings": "", "streets": "",
        "licence": "ODbL-1.0", "attribution": "© Mappers", **more,
    }  # fmt: skip
