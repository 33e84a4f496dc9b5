"""The form that asks for a simulation."""

from django import forms
from django.utils.translation import gettext_lazy as _

CONTROL = [
    ("none", _("No control: what is made and used is netted")),
    ("rule", _("By rule: each home serves itself first, batteries fill with spare sun")),
    ("optimal", _("The best possible, knowing the whole year ahead")),
]
SHARING = [
    ("", _("as usual for this control")),
    ("owen", _("by value: each trades at the community's own price")),
    ("shapley", _("by what each adds (Shapley)")),
    ("nucleolus", _("so that the least content group is as content as can be (nucleolus)")),
    ("mid-market", _("one local price, half-way")),
    ("mid-market-fixed", _("one local price, equal parts for all who need")),
    ("proportional", _("by use")),
    ("equal", _("equal parts")),
]


class SimulateForm(forms.Form):
    """Control, and rule of sharing."""

    control = forms.ChoiceField(
        label=_("How storage is run"), choices=CONTROL, widget=forms.RadioSelect, initial="rule"
    )
    sharing = forms.ChoiceField(label=_("How the saving is shared"), choices=SHARING, required=False)
