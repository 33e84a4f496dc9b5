"""The form that branches a sandbox."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SandboxForm(forms.Form):
    """How far a copy is run, and what is added in it."""

    title = forms.CharField(label=_("Name"), max_length=120)
    hours = forms.TypedChoiceField(
        label=_("Run ahead"), choices=((48, _("48 hours")), (720, _("30 days"))), coerce=int, initial=48
    )
    battery_kwh = forms.FloatField(
        label=_("Storage added in the copy (kWh)"), min_value=0, max_value=100_000, initial=0, required=False
    )
    solar_percent = forms.FloatField(
        label=_("Solar added in the copy (% of what there is)"), min_value=0, max_value=1000, initial=0, required=False
    )
