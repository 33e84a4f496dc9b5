"""The forms of an import and of corrections."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commons.places.models import Place
from twin.engine.corrections import FIELDS, Field
from twin.engine.model import Layer
from twin.words import AREAS, KINDS, ONEWAY, PROPERTIES, ROOFS, USES, word

KM_A_MILE = 1.609344


class ManyFiles(forms.ClearableFileInput):
    """A file field that takes several."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each checked."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list["UploadedFile[Any]"]:
        files = data if isinstance(data, (list, tuple)) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files]


class ImportForm(forms.Form):
    """Files that become a district, or its next version."""

    slug = forms.SlugField(
        label=_("Address"),
        max_length=60,
        help_text=_("Small letters, digits and hyphens. The address of a district that stands makes its next version."),
    )
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    place = forms.ModelChoiceField(
        Place.objects.order_by("name"),
        label=_("Place"),
        required=False,
        to_field_name="slug",
        empty_label=_("none"),
        help_text=_("The neighbourhood that it models. Without one it is shown, but never enters the figures."),
    )
    sources = FilesField(
        label=_("Files"),
        allow_empty_file=True,
        help_text=_(".osm.pbf, .osm, .city.json, .city.jsonl, .geojson or .csv; several make one district."),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=200,
        required=False,
        help_text=_("SPDX name, such as CC-BY-4.0. OpenStreetMap’s is known."),
    )
    attribution = forms.CharField(label=_("Who made the data"), max_length=400, required=False)
    names = forms.CharField(
        label=_("Names in the files"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line, ours = theirs, such as: population = asukkaita. A table in metres: epsg = 3067."),
    )
    keep = forms.BooleanField(
        label=_("Keep the layers that these files do not hold"),
        required=False,
        help_text=_("So a population grid can come alone."),
    )

    def clean_names(self) -> dict[str, str]:
        """The lines as a table."""
        return names_of(self.cleaned_data["names"].splitlines())


def names_of(lines: Iterable[str]) -> dict[str, str]:
    """Ours by theirs from lines such as "population = asukkaita". Raises ValidationError."""
    names = {}
    for line in lines:
        ours, equals, theirs = (part.strip() for part in line.partition("="))
        if line.strip() and not (ours and equals and theirs):
            raise forms.ValidationError(
                gettext("“%(line)s” is not a name of ours, = and a name of theirs.") % {"line": line[:80]}
            )
        if ours:
            names[ours] = theirs
    return names


class CorrectionForm(forms.Form):
    """A thing's properties as they stand; what is changed is offered. Speeds are in miles an hour where those are
    posted.
    """

    def __init__(self, *args: Any, layer: Layer, about: Mapping[str, Any], miles: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.layer, self.about, self.miles = layer, about, miles
        for name, rule in FIELDS[layer].items():
            if rule.type == "yesno" or name in about or layer in ("buildings", "services"):
                self.fields[name] = self._field(name, rule)
        self.fields["reason"] = forms.CharField(
            label=_("How do you know?"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
        )

    def _field(self, name: str, rule: Field) -> forms.Field:
        label, value = word(PROPERTIES, name), self.about.get(name)
        if rule.type == "yesno":
            choices = [("yes", _("yes")), ("no", _("no"))]
            return forms.ChoiceField(label=label, choices=choices, initial="yes" if value else "no")
        if rule.type == "choice":
            return forms.ChoiceField(
                label=label, choices=self._choices(name, rule, value), initial=str(value or ""), required=False
            )
        if rule.type == "text":
            return forms.CharField(label=label, max_length=int(rule.most), initial=value or "", required=False)
        unit = "mph" if name == "speed_kmh" and self.miles else rule.unit
        return forms.FloatField(
            label=f"{label}, {unit}" if unit else label, required=False, initial=self._shown(name, value)
        )

    def _choices(self, name: str, rule: Field, value: Any) -> list[tuple[str, Any]]:
        words = {"use": USES, "kind": AREAS if self.layer == "areas" else KINDS, "oneway": ONEWAY, "roof_shape": ROOFS}
        known = [(code, word(words[name], code)) for code in rule.choices]
        if value is None or value == "":
            return [("", _("not known")), *known]
        return known if str(value) in rule.choices else [(str(value), word(words[name], str(value))), *known]

    def _shown(self, name: str, value: Any) -> Any:
        if name == "speed_kmh" and self.miles and value is not None:
            return round(value / KM_A_MILE)
        return value

    def changes(self) -> dict[str, Any]:
        """What differs from what was shown, in the model's units. Call it when the form is valid."""
        found: dict[str, Any] = {}
        for name, rule in FIELDS[self.layer].items():
            if name not in self.changed_data:
                continue
            value = self.cleaned_data[name]
            if value in ("", None) and rule.type != "text":
                continue
            if rule.type == "yesno":
                value = value == "yes"
            elif name == "speed_kmh" and self.miles:
                value = round(value * KM_A_MILE, 1)
            found[name] = value
        return found


class NewServiceForm(forms.Form):
    """A service that the model does not have."""

    kind = forms.ChoiceField(label=_("What is it?"))
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    lat = forms.FloatField(label=_("Latitude"), min_value=-90, max_value=90)
    lon = forms.FloatField(label=_("Longitude"), min_value=-180, max_value=180)
    reason = forms.CharField(
        label=_("How do you know?"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(code, word(KINDS, code)) for code in KINDS]  # type: ignore[attr-defined]
