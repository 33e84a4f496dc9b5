"""What the page of roofs shows, put together."""

from collections.abc import Mapping
from typing import Any

from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from twin import plan, queries
from twin.engine import drawing
from twin.models import Building, DistrictVersion, Reckoning
from twin.pages.districts import picture_size
from twin.pages.steps import solar_steps, strength
from twin.shadow_hours import DAYS, HOURS, name_of
from twin.words import USES, word

SORTS = {
    "kwh": _("Most in a year"),
    "light": _("Most sun on a square metre"),
    "times": _("Most for its own use"),
    "shaded": _("Most in the shade"),
}
KNOWN = {
    "surfaces": _("from a 3D model"),
    "shape": _("shape stated, slope assumed"),
    "assumed": _("assumed flat"),
}
COLUMNS = ("roof_m2", "usable_m2", "kwp", "kwh", "light", "shaded", "use_kwh", "times", "known")


def roofs_page(of: DistrictVersion, sort: str, at: str) -> dict[str, Any]:
    """The district's sum and every roof, sorted; `at` names the hour whose shadows are shown."""
    kept = queries.reckoning(of, "roofs")
    return {
        "kept": kept,
        "run": queries.reckoning_run(of, "roofs"),
        "size": picture_size(of),
        "sort": sort if sort in SORTS else "kwh",
        "sorts": [{"slug": slug, "title": title} for slug, title in SORTS.items()],
        **(_found(of, kept, sort, at) if kept else {}),
    }


def _found(of: DistrictVersion, kept: Reckoning, sort: str, at: str) -> dict[str, Any]:
    total: Mapping[str, Any] = kept.summary
    column = kept.columns[sort if sort in SORTS else "kwh"]
    order = sorted(range(len(kept.keys)), key=lambda i: (-(column[i] or 0), kept.keys[i]))
    most = max(total["months"], default=0) or 1
    drawn = _drawn(of)
    return {
        "total": total,
        "share": total["kwh"] / total["use_kwh"] if total["use_kwh"] else None,
        "a_kwp": total["kwh"] / total["kwp"] if total["kwp"] else None,
        "order": order,
        "months": [{"name": MONTHS[n], "kwh": kwh, "share": kwh / most} for n, kwh in enumerate(total["months"], 1)],
        "known": [{"title": KNOWN[name], "count": count} for name, count in total["known"].items() if count],
        "steps": (0, *solar_steps(kept.columns["light"])),
        "shadow_days": _shadow_days(drawn),
        "shadow_at": at if at in drawn else name_of(*DAYS[0], 12) if name_of(*DAYS[0], 12) in drawn else "",
    }


def _drawn(of: DistrictVersion) -> frozenset[str]:
    return frozenset(queries.drawings(of, "roofs"))


def _shadow_days(drawn: frozenset[str]) -> list[dict[str, Any]]:
    """Each day with its hours of sun."""
    days = []
    for title, (month, day) in zip((_("20 March"), _("21 June"), _("21 December")), DAYS, strict=True):
        hours = [{"name": name_of(month, day, h), "hour": f"{h}:00"} for h in HOURS if name_of(month, day, h) in drawn]
        days.append({"title": title, "hours": hours})
    return days


def roof_rows(of: DistrictVersion, kept: Reckoning, numbers: list[int]) -> list[dict[str, Any]]:
    """Some roofs with their buildings' names."""
    keys = [kept.keys[i] for i in numbers]
    named = {b.key: b for b in queries.things("buildings", of).filter(key__in=keys).defer("geometry")}
    return [
        {"key": key, "title": _title(named.get(key)), "use": word(USES, named[key].kind) if key in named else ""}
        | {name: kept.columns[name][i] for name in COLUMNS}
        | {"known_word": KNOWN.get(kept.columns["known"][i], "")}
        for key, i in zip(keys, numbers, strict=True)
    ]


def _title(row: Building | None) -> str:
    if row is None:
        return ""
    return row.name or row.properties.get("address", "") or str(_("Building without a name"))


def coloured(of: DistrictVersion, *, tint: str, strengths: Mapping[str, float], shade: str = "") -> str:
    """The district drawn with a colour on its roofs, or with shadows on its ground."""
    rows = queries.things("buildings", of).values_list("key", "geometry", "height_m", "properties__min_height_m")
    solids = [
        drawing.Solid(geometry, top, float(foot or 0), tint, strengths.get(key, 0.0))
        for key, geometry, top, foot in rows
    ]
    return drawing.picture(solids, plan.streets(of), plan.areas(of), of.bounds, shade)


def solar_strengths(kept: Reckoning) -> dict[str, float]:
    """How strong the sun's colour is on each roof that can carry panels."""
    columns = kept.columns
    rows = zip(kept.keys, columns["light"], columns["kwp"], strict=True)
    steps = solar_steps(columns["light"])
    return {key: strength(light, steps) for key, light, kwp in rows if kwp}
