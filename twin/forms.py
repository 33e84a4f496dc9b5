"""The form of an import."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from commons.places.models import Place
from twin.assumptions import FIELDS, counts_of, written


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
        help_text=_(".osm.pbf, .osm, .city.json, .city.jsonl or .geojson; several make one district."),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=200,
        required=False,
        help_text=_("SPDX name, such as CC-BY-4.0. OpenStreetMap’s is known."),
    )
    attribution = forms.CharField(label=_("Who made the data"), max_length=400, required=False)


class TrafficForm(forms.Form):
    """The assumptions of traffic, each within its bounds, and which engine answers."""

    method = forms.ChoiceField(
        label=_("Engine"),
        choices=(
            ("equilibrium", _("User equilibrium of our own: a second")),
            ("seeds", _("SUMO, mesoscopic, 20 seeds: how far chance moves it, about a minute")),
            ("deep", _("SUMO, vehicle by vehicle with emissions: minutes")),
        ),
        initial="equilibrium",
    )
    counts = forms.CharField(
        label=_("Counts"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_(
            "A street’s key and vehicles an hour in both directions, one a line. Trips are then fitted to them."
        ),
    )

    def __init__(self, data: Any = None, *, assumptions: Mapping[str, Any]) -> None:
        super().__init__(data)
        for field in FIELDS:
            self.fields[field.name] = forms.FloatField(
                label=f"{field.label} ({field.unit})",
                min_value=field.low,
                max_value=field.high,
                initial=assumptions.get(field.name, field.default),
                help_text=str(field.source),
                widget=forms.NumberInput(attrs={"step": "any"}),
            )
        self.fields["counts"].initial = written(assumptions.get("counts", {}))
        self.order_fields(["method", *(field.name for field in FIELDS), "counts"])

    def assumptions(self) -> dict[str, Any]:
        """What was given, as the engine takes it. Raises BadAssumption."""
        given = {field.name: self.cleaned_data[field.name] for field in FIELDS}
        return given | {"counts": counts_of(self.cleaned_data["counts"])}
