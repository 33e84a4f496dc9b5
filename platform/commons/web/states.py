"""Examples for the gallery of components: invented, and said so on the page."""

import datetime as dt
import math
import re
from types import SimpleNamespace
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from commons import sockets


class ExampleForm(forms.Form):
    """A form with one field of each kind, filled in wrongly on purpose."""

    name = forms.CharField(label=_("Name"), max_length=60)
    hours = forms.IntegerField(label=_("Hours"), max_value=12, help_text=_("The lab allows up to 12 hours at once."))
    material = forms.ChoiceField(label=_("Material"), choices=[("pla", "PLA"), ("petg", "PETG")], required=False)
    about = forms.CharField(label=_("About"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    told = forms.BooleanField(label=_("Tell me when it is done"), required=False)


def context() -> dict[str, Any]:
    """What `web/states.html` shows."""
    now = timezone.now()
    form = ExampleForm({"name": "", "hours": "30"})
    form.is_valid()
    return {
        "colours": _colours(),
        "metrics": _metrics(now),
        "form": form,
        "runs": [_run("running", 0.33, _("Drawing 3 of 9 files")), _run("queued", 0.0, _("Import from git"))],
        "heard": now - dt.timedelta(minutes=8),
        "page": Paginator(range(95), 10).page(3),
        "watts": [100 + 60 * math.sin(step / 3) if step != 20 else None for step in range(60)],
        **_island_examples(now),
        "sun_place": SimpleNamespace(name=_("Example"), timezone="Europe/Helsinki"),
        "sun_hours": _hours(now),
        "icon_names": icon_names(),
        "examples": {
            "kw": 1.784,
            "kwh": 11.84,
            "large_kwh": 169_644.03,
            "ratio": 0.6097,
            "share": 0.6794,
            "volume": 21_430.2,
            "cost": 34_381.0,
        },
    }


def icon_names() -> list[str]:
    """The names that `{% icon %}` knows."""
    return re.findall(r'id="i-([a-z]+)"', render_to_string("web/icons.html"))


def _colours() -> list[dict[str, Any]]:
    return [
        {"slug": "solar", "name": _("Solar"), "means": _("made by the sun")},
        {"slug": "battery", "name": _("Battery"), "means": _("stored, and given back")},
        {"slug": "grid", "name": _("Grid"), "means": _("bought from outside")},
        {"slug": "ev", "name": _("Vehicles"), "means": _("charging")},
        {"slug": "load", "name": _("Use"), "means": _("homes, labs")},
        {"slug": "export", "name": _("Sent on"), "means": _("to the city")},
    ]


def _metrics(now: dt.datetime) -> list[tuple[sockets.HeadlineFigure, sockets.Figure]]:
    start = now - dt.timedelta(days=365)
    known = sockets.HeadlineFigure(
        "example-ratio", _("Energy prosumer ratio"), "ratio", 1.0, lambda place: ratio, _("kWh made per kWh used"), "1"
    )
    ratio = sockets.Figure(
        0.61,
        103_425.4,
        169_644.0,
        "kWh",
        start,
        now,
        0.98,
        _("For each kWh used here in the last 12 months, 0.61 kWh was made here."),
        demo=True,
    )
    bounded = sockets.HeadlineFigure(
        "example-share", _("Made from open designs"), "percent", 0.6, lambda place: share, _("machine hours"), "1"
    )
    share = sockets.Figure(
        0.43,
        1212,
        2819,
        "h",
        now - dt.timedelta(days=90),
        now,
        0.81,
        _("At least 1 212 of 2 819 machine hours made an open design, proved by file."),
        upper=0.62,
        estimated=True,
    )
    unknown = sockets.HeadlineFigure(
        "example-coverage",
        _("Digital twin coverage"),
        "percent",
        0.9,
        lambda place: nothing,
        _("systems modelled"),
        "1",
    )
    nothing = sockets.Figure(
        None, None, 16, "", None, None, None, _("Not known yet: no system of this place is modelled.")
    )
    return [(known, ratio), (bounded, share), (unknown, nothing)]


def _run(status: str, share: float, title: str) -> Any:
    names = {"running": _("Running"), "queued": _("Waiting")}
    return SimpleNamespace(
        pk="00000000-0000-0000-0000-000000000000",
        status=status,
        progress=share,
        stage="",
        error="",
        is_over=True,
        get_status_display=names[status],
        __str__=lambda: title,
        title=title,
    )


def _hours(now: dt.datetime) -> list[sockets.SunHour]:
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [start + dt.timedelta(hours=hour) for hour in range(24)]
    return [
        sockets.SunHour(
            hour, round(190 * math.sin((at - 6) / 13 * math.pi) - 8, 1) if 6 < at < 19 else -40.0, hour > now
        )
        for at, hour in enumerate(hours)
    ]


def _island_examples(now: dt.datetime) -> dict[str, Any]:
    chart, houses = _chart(now), _places()
    moments = [dt.datetime.fromtimestamp(seconds, dt.UTC) for seconds in chart["x"]]
    layers = [
        {
            "key": "solar",
            "label": _("Solar"),
            "property": "solar",
            "type": "steps",
            "steps": [0, 0.5, 0.8],
            "color": "solar",
        },
        {"key": "plain", "label": _("Plain")},
    ]
    pins = [{"lon": 24.9334, "lat": 60.1683, "title": _("Example lab"), "detail": _("2 of 3 running"), "url": "#"}]
    return {
        "chart": chart,
        "chart_rows": list(zip(moments, *(series["values"] for series in chart["series"]), strict=True)),
        "map_places": houses,
        "map_data": {"buildings": houses},
        "map_layers": layers,
        "map_pins": pins,
    }


def _chart(now: dt.datetime) -> dict[str, Any]:
    """Two days in hours: solar as an area, use as a line, forecast after now."""
    start = now.replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=36)
    moments = [start + dt.timedelta(hours=hour) for hour in range(60)]
    solar = [
        round(max(0.0, 4.2 * math.sin((moment.hour - 6) / 13 * math.pi)) if 6 < moment.hour < 19 else 0.0, 2)
        for moment in moments
    ]
    use = [round(1.4 + 0.9 * math.sin(moment.hour / 24 * 4 * math.pi) ** 2, 2) for moment in moments]
    return {
        "x": [int(moment.timestamp()) for moment in moments],
        "now": int(now.timestamp()),
        "series": [
            {"label": _("Solar"), "unit": "kW", "color": "solar", "values": solar, "kind": "area"},
            {"label": _("Use"), "unit": "kW", "color": "load", "values": use, "kind": "line"},
        ],
    }


def _places() -> dict[str, Any]:
    """Three invented houses and a street, as GeoJSON, for the map."""
    lon, lat = 24.932, 60.168

    def house(at: int, height: float, solar: float) -> dict[str, Any]:
        west, south = lon + at * 0.0006, lat
        ring = [
            [west, south],
            [west + 0.0004, south],
            [west + 0.0004, south + 0.0003],
            [west, south + 0.0003],
            [west, south],
        ]
        properties = {"id": at, "name": _("House %(n)s") % {"n": at + 1}, "height": height, "solar": solar}
        return {
            "type": "Feature",
            "id": at,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": properties,
        }

    return {
        "type": "FeatureCollection",
        "features": [house(0, 12.0, 0.2), house(1, 24.0, 0.6), house(2, 18.0, 0.9)],
    }
