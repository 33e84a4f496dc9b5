"""The form of an import."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from commons.places.models import Place


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
