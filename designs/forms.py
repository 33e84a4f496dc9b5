"""The one form of the room: a new design, from files or from a git address, or empty."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commons.people.models import Handle
from designs.git.environment import MAX_BLOB_BYTES, MAX_FILES, MAX_PUSH_BYTES
from designs.licence_field import LicenceField
from designs.models import Design

#: How often a source is looked at, in hours.
FOLLOW_CHOICES = [
    (1, _("Keep following it, every hour")),
    (6, _("Keep following it, every six hours")),
    (24, _("Keep following it, once a day")),
    (168, _("Keep following it, once a week")),
]


class NewDesign(forms.Form):
    """The first files, or where they are; a name, a licence, who may see it. Of several files `file` is the last."""

    name = forms.CharField(
        label=_("Name"), max_length=120, required=False, help_text=_("Left empty, the files or the address name it.")
    )
    summary = forms.CharField(
        label=_("What it is for, in a sentence"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    licence = LicenceField(
        label=_("Licence"),
        initial="CERN-OHL-S-2.0",
        help_text=_(
            "With the first one everybody may make, change and sell it and shares changes alike. Only those of the"
            " group “Open” count as open."
        ),
    )
    visibility = forms.ChoiceField(label=_("Who may see it"), choices=Design.Visibility.choices, initial="public")
    file = forms.FileField(
        label=_("Its files"),
        required=False,
        help_text=_("STL, STEP, 3MF, OBJ, PLY, GLB, SVG, DXF or any other. You can add more later, here or with git."),
    )
    source = forms.URLField(
        label=_("The https address of a git repository"), required=False, assume_scheme="https",
        help_text=_("Its whole history comes along."),
    )  # fmt: skip
    follow_hours = forms.TypedChoiceField(
        label=_("And later"), required=False, coerce=int, initial=0,
        choices=[(0, _("Copy it once; it becomes mine to change")), *FOLLOW_CHOICES],
        help_text=_("A design that keeps following its source is changed there, not here."),
    )  # fmt: skip
    archive = forms.FileField(
        label=_("Or a .zip with everything"), required=False,
    )  # fmt: skip

    def __init__(self, *args: Any, owners: list[Handle], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["archive"].help_text = gettext(
            "Folders stay as they are; up to %(files)d files and %(n)d MB unpacked."
        ) % {"files": MAX_FILES, "n": MAX_PUSH_BYTES // 1_000_000}
        self.owners = {owner.name: owner for owner in owners}
        if len(owners) > 1:
            choices = [(owner.name, owner.title) for owner in owners]
            self.fields["owner"] = forms.ChoiceField(label=_("Whose it is"), choices=choices, initial=owners[0].name)

    def clean_file(self) -> "UploadedFile[Any] | None":
        """Not empty, not over the limit of a file."""
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > MAX_BLOB_BYTES:
            raise forms.ValidationError(_("A file may have up to %(n)d MB.") % {"n": MAX_BLOB_BYTES // 1_000_000})
        return file

    def clean(self) -> dict[str, Any]:
        """A file, an address or an archive, only one of them; a name, unless that gives it."""
        data: dict[str, Any] = super().clean() or {}
        given = [name for name in ("file", "source", "archive") if data.get(name)]
        if len(given) > 1:
            self.add_error(given[1], _("Give a file, an address or an archive: only one of them."))
        if data.get("follow_hours") and not data.get("source"):
            self.add_error("follow_hours", _("Give the address that it shall follow."))
        if not (data.get("name") or given or self.errors):
            self.add_error("name", _("Give it a name, or a file that names it."))
        return data

    def owner(self) -> Handle:
        """The handle that the design will belong to."""
        return self.owners[self.cleaned_data.get("owner") or next(iter(self.owners))]
