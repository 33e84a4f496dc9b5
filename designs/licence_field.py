"""The choice of a licence in forms: a list in three groups, and any other SPDX expression."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from designs import licences
from designs.errors import BadLicence


class LicenceSelect(forms.Select):
    """A list with groups by openness. A value that is not in it is offered on top, so that a form never loses it."""

    def optgroups(self, name: str, value: list[Any], attrs: Any = None) -> list[Any]:
        """The groups as Django draws them."""
        self.choices = _choices(value[0] if value else "")
        return super().optgroups(name, value, attrs)


class LicenceWidget(forms.MultiWidget):
    """The list, and beside it room for any other SPDX expression. Plain data of the field's name works too."""

    def __init__(self, attrs: Any = None) -> None:
        other = forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": _other_words(), "aria-label": _other_words()}
        )
        super().__init__({"": LicenceSelect(), "other": other}, attrs)

    def use_required_attribute(self, initial: Any) -> bool:
        """One of the two is enough, which HTML cannot say: a browser would ask for both."""
        return False

    def id_for_label(self, id_: str) -> str:
        """The label is the list's."""
        return f"{id_}_0" if id_ else id_

    def decompress(self, value: Any) -> list[Any]:
        """A value is shown in the list."""
        return [value or "", ""]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """What was written, else what was chosen."""
        chosen, written = super().value_from_datadict(data, files, name)
        return (written or "").strip() or (chosen or "").strip()


class LicenceField(forms.CharField):
    """An SPDX expression or LicenseRef-…, chosen or written."""

    widget = LicenceWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 160, **options})

    def clean(self, value: Any) -> str:
        """The expression as SPDX spells it; a spelling that names one licence for sure is understood."""
        text: str = super().clean(value)
        if not text:
            return ""
        try:
            return licences.read(text)
        except BadLicence as refusal:
            found = licences.normalise(text)
            if not found.startswith("LicenseRef-"):
                return found
            raise forms.ValidationError(str(refusal.sentence)) from None


def _other_words() -> Any:
    return gettext_lazy("or another SPDX expression")


def _choices(value: str) -> list[Any]:
    groups = licences.groups()
    offered = {choice.licence for group in groups for choice in group.choices}
    listed: list[Any] = [("", _("Choose a licence"))] if not value else []
    if value and value not in offered:
        listed.append((value, value))
    for group in groups:
        named = [(choice.licence, f"{choice.title} ({choice.licence})") for choice in group.choices]
        listed.append((str(group.title), named))
    return listed
