"""The form that asks for a simulation."""

from django import forms
from django.utils.translation import gettext_lazy as _

CONTROL = [
    ("none", _("No control: what is made and used is netted")),
    ("rule", _("By rule: each home serves itself first, batteries fill with spare sun")),
    ("optimal", _("The best possible: knowing the whole year ahead, or by plans that look some hours ahead")),
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


HORIZON = [
    ("", _("the whole period")),
    ("24", _("24 hours")),
    ("36", _("36 hours")),
    ("48", _("48 hours")),
    ("72", _("three days")),
    ("168", _("a week")),
]
STRATEGY = [
    ("", _("serves itself first, as usual")),
    ("time-of-use", _("fills before dear hours: batteries are topped up while power is cheap")),
    ("peak-shaving", _("keeps peaks low: half of each battery waits for them")),
    ("export-limit", _("keeps feed-in low: room is kept for the noon sun")),
]


class SimulateForm(forms.Form):
    """Control, its strategy or how far it looks ahead, and rule of sharing."""

    control = forms.ChoiceField(
        label=_("How storage is run"), choices=CONTROL, widget=forms.RadioSelect, initial="rule"
    )
    horizon_hours = forms.TypedChoiceField(
        label=_("How far the best control looks ahead"),
        choices=HORIZON,
        required=False,
        coerce=float,
        empty_value=None,
        help_text=_(
            "Hours mean plans by a simple forecast: today like yesterday. They can be shared by use or equally."
        ),
    )
    strategy = forms.ChoiceField(
        label=_("What batteries are for, when they are run by rule"), choices=STRATEGY, required=False
    )
    sharing = forms.ChoiceField(label=_("How the saving is shared"), choices=SHARING, required=False)

    def clean_strategy(self) -> str:
        """Only the rule has strategies; with another control the choice is left aside."""
        chosen: str = self.cleaned_data["strategy"]
        return chosen if self.cleaned_data.get("control") == "rule" else ""
