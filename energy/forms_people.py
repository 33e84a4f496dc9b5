"""Forms of founding, joining, meters, assets and files. Labels say what is meant; what may stay empty has a default."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from commons.places.models import Place
from energy.meterfiles.mapping import POWERS, TIME_FORMATS, UNITS, ZONES, Mapping, Value
from energy.models import Asset, Community, Member, MeterPoint


class Day(forms.DateField):
    """A day, by the browser's own calendar."""

    def __init__(self, **more: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **more)


class FoundForm(forms.Form):
    """Name, place and kind of a new community."""

    name = forms.CharField(label=_("Name"), max_length=120)
    slug = forms.SlugField(
        label=_("Address"), max_length=39, required=False, help_text=_("a–z, digits and hyphens; empty: from the name")
    )
    place = forms.ModelChoiceField(label=_("Place"), queryset=Place.objects.order_by("name"))
    kind = forms.ChoiceField(label=_("Kind"), choices=Community.Kind.choices, widget=forms.RadioSelect)
    public = forms.BooleanField(
        label=_("Its sums may be seen by all once enough members hide each other"), required=False, initial=True
    )


class InviteForm(forms.Form):
    """Who is asked in."""

    name = forms.CharField(label=_("For whom"), max_length=120, required=False, help_text=_("stands on the letter"))
    email = forms.EmailField(label=_("E-mail (empty: print it)"), required=False)
    kind = forms.ChoiceField(label=_("As"), choices=Member.Kind.choices)


class EnterForm(forms.Form):
    """A participant for whom a steward speaks."""

    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=Member.Kind.choices, initial=Member.Kind.PUBLIC)
    joined_on = Day(label=_("First day"), required=False)
    address = forms.CharField(label=_("Postal address"), max_length=400, required=False)


class JoinForm(forms.Form):
    """Name of the household and its first day."""

    name = forms.CharField(
        label=_("Name of your household or house"), max_length=120, help_text=_("as your neighbours know it")
    )
    joined_on = Day(label=_("First day"), required=False)
    address = forms.CharField(
        label=_("Postal address of the meter"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("for the letter with the code; deleted when you leave"),
    )


class MeterForm(forms.Form):
    """A meter by its number."""

    number = forms.CharField(label=_("Meter number"), max_length=50, help_text=_("on the meter or the bill"))
    direction = forms.ChoiceField(label=_("It measures what is"), choices=MeterPoint.Direction.choices)
    valid_from = Day(label=_("From (empty: your first day)"), required=False)


class AssetForm(forms.Form):
    """What is owned. One short form for all kinds; what a kind does not need stays empty."""

    kind = forms.ChoiceField(label=_("What"), choices=Asset.Kind.choices)
    kwp = forms.FloatField(label=_("Peak power of the roof, kWp"), required=False, min_value=0)
    tilt_deg = forms.FloatField(label=_("Tilt, degrees (empty: 30)"), required=False)
    azimuth_deg = forms.TypedChoiceField(
        label=_("Direction of the roof"),
        required=False,
        coerce=float,
        empty_value=None,
        choices=[
            ("", _("south, if nothing is said")),
            ("0", _("north")),
            ("45", _("north-east")),
            ("90", _("east")),
            ("135", _("south-east")),
            ("180", _("south")),
            ("225", _("south-west")),
            ("270", _("west")),
            ("315", _("north-west")),
        ],
    )
    kwh = forms.FloatField(label=_("Battery of house or car, kWh"), required=False, min_value=0)
    kw = forms.FloatField(label=_("Power of battery, charger or heat pump, kW"), required=False, min_value=0)
    km_per_year = forms.FloatField(label=_("What the car drives in a year, km"), required=False, min_value=0)
    v2g = forms.BooleanField(label=_("The car can give power back to the house"), required=False)


class DwellingForm(forms.Form):
    """What a home uses, as far as anybody knows."""

    people = forms.IntegerField(label=_("How many people live there"), min_value=1, max_value=12, initial=2)
    kwh_per_year = forms.FloatField(
        label=_("Electricity in a year, kWh"),
        required=False,
        min_value=0,
        help_text=_("without heat pump and car; empty: what so many people usually use"),
    )
    heating_kwh = forms.FloatField(
        label=_("Heat for the rooms in a year, kWh"),
        required=False,
        min_value=0,
        help_text=_("only where a heat pump makes it; empty: from its power"),
    )


class VersionForm(forms.Form):
    """Days of which a version of the data is made."""

    start = Day(label=_("From"))
    last = Day(label=_("Until the end of"))
    fill = forms.ChoiceField(
        label=_("Where nothing was measured"),
        required=False,
        choices=[
            ("model", _("work it out from what they own")),
            ("week", _("take the nearest week that was measured")),
            ("zero", _("take nothing at all")),
            ("", _("refuse, and say who is missing")),
        ],
    )
    import_price = forms.FloatField(
        label=_("A kWh costs"), required=False, help_text=_("empty: the prices of the newest data")
    )
    export_price = forms.FloatField(label=_("A kWh earns"), required=False)


class FeedForm(forms.Form):
    """Where the weather is had."""

    url = forms.URLField(
        label=_("Address of the weather forecast"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=_("an answer of Open-Meteo, or of what speaks like it; empty: none"),
    )


class LeaveForm(forms.Form):
    """The first day without."""

    on = Day(label=_("First day on which it is no longer yours"))


class FileForm(forms.Form):
    """A file of readings."""

    file = forms.FileField(label=_("File of readings"), help_text=_("CSV or Green Button (XML) of your utility"))


DELIMITER_WORDS = [(";", _("semicolon ;")), (",", _("comma ,")), ("\t", _("tab")), ("|", _("bar |"))]
DECIMAL_WORDS = [(",", _("comma: 0,25")), (".", _("point: 0.25"))]
FORMAT_WORDS = {"iso": _("ISO, such as 2026-10-25T02:15+02:00")}
ZONE_WORDS = {
    "local": _("the clock on the wall, with summer time"),
    "UTC": "UTC",
    "+01:00": _("+01:00 all year (winter time)"),
    "+02:00": _("+02:00 all year"),
}
KINDS = [
    *((f"{unit}", unit) for unit in UNITS),
    *((f"{unit}:counter", unit) for unit in UNITS if unit not in POWERS),
]


class MappingForm(forms.Form):
    """What the columns of a CSV mean. Built for the columns that the file has."""

    delimiter = forms.ChoiceField(label=_("Columns are separated by"), choices=DELIMITER_WORDS)
    decimal = forms.ChoiceField(label=_("Decimals are written with a"), choices=DECIMAL_WORDS)
    header_line = forms.IntegerField(label=_("Line with the names of the columns (0: none)"), min_value=0)
    time = forms.TypedChoiceField(label=_("Column of the time"), coerce=int)
    clock = forms.TypedChoiceField(
        label=_("Column of the time of day, if apart"), coerce=int, required=False, empty_value=None
    )
    time_format = forms.ChoiceField(label=_("The time is written as"))
    is_end = forms.TypedChoiceField(
        label=_("The time is the"),
        choices=[("0", _("start of each step")), ("1", _("end of each step"))],
        coerce=lambda word: word == "1",
    )
    zone = forms.ChoiceField(label=_("By which clock"))
    meter = forms.TypedChoiceField(label=_("Column of the meter number"), coerce=int, required=False, empty_value=None)
    status = forms.TypedChoiceField(label=_("Column of a mark"), coerce=int, required=False, empty_value=None)
    not_measured = forms.CharField(
        label=_("Marks that mean “not measured”"), max_length=80, required=False, help_text=_("apart by commas")
    )
    left_out = forms.BooleanField(label=_("Leave out lines without a time (sums, remarks)"), required=False)
    utility = forms.CharField(
        label=_("Remember this for"), max_length=80, required=False, help_text=_("name of the utility")
    )

    def __init__(self, *positional: Any, names: "tuple[str, ...]", **more: Any) -> None:
        super().__init__(*positional, **more)
        columns = [(str(i), f"{i + 1}: {name}"[:60]) for i, name in enumerate(names)]
        none: list[tuple[str, Any]] = [("", _("none"))]
        self.fields["time"].choices = columns  # type: ignore[attr-defined]
        for name in ("clock", "meter", "status"):
            self.fields[name].choices = none + columns  # type: ignore[attr-defined]
        self.fields["time_format"].choices = [(f, FORMAT_WORDS.get(f, _example(f))) for f in TIME_FORMATS]  # type: ignore[attr-defined]
        self.fields["zone"].choices = [(z, ZONE_WORDS[z]) for z in ZONES]  # type: ignore[attr-defined]
        for key, label in MeterPoint.Direction.choices:
            self.fields[f"column_{key}"] = forms.TypedChoiceField(
                label=label, choices=none + columns, coerce=int, required=False, empty_value=None
            )
            self.fields[f"unit_{key}"] = forms.ChoiceField(label=_("%(what)s: in") % {"what": label}, choices=_units())

    def columns(self) -> list[forms.BoundField]:
        """What everybody has to look at: the time and the columns of values."""
        named = [f"{part}_{key}" for key in MeterPoint.Direction.values for part in ("column", "unit")]
        return [self[name] for name in ("time", "clock", "is_end", *named, "utility")]

    def manners(self) -> list[forms.BoundField]:
        """How the file is written: mostly guessed right."""
        shown = {field.name for field in self.columns()}
        return [field for field in self if field.name not in shown]

    def mapping(self) -> Mapping:
        """The mapping that was chosen, unchecked."""
        data = self.cleaned_data
        values = []
        for key in MeterPoint.Direction.values:
            column = data[f"column_{key}"]
            if column is not None:
                unit, _sep, counter = data[f"unit_{key}"].partition(":")
                values.append(Value(column, key, unit, bool(counter)))
        plain = {n: data[n] for n in ("delimiter", "decimal", "header_line", "time", "clock", "time_format", "zone")}
        return Mapping(
            **plain,
            is_end=data["is_end"],
            values=tuple(values),
            meter=data["meter"],
            status=data["status"],
            not_measured=tuple(w.strip() for w in data["not_measured"].split(",") if w.strip()),
            left_out=data["left_out"],
        )


def _units() -> list[tuple[str, Any]]:
    words = {
        "kWh": _("kWh in each step"),
        "kWh:counter": _("kWh, a counter that grows"),
        "kW": _("kW, mean of the step"),
    }
    return [(key, words.get(key, f"{unit} ({_('counter')})" if ":" in key else unit)) for key, unit in KINDS]


def _example(format_: str) -> str:
    import datetime as dt  # noqa: PLC0415 for this example alone

    return dt.datetime(2026, 10, 25, 14, 15).strftime(format_)


def initial_of(mapping: Mapping) -> dict[str, Any]:
    """The form of a mapping."""
    found: dict[str, Any] = mapping.document() | {
        "is_end": "1" if mapping.is_end else "0",
        "not_measured": ", ".join(mapping.not_measured),
    }
    for value in mapping.values:
        found[f"column_{value.direction}"] = value.column
        found[f"unit_{value.direction}"] = f"{value.unit}:counter" if value.counter else value.unit
    return found
