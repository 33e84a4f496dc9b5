"""The form of the assumptions of traffic."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from twin.assumptions import FIELDS, counts_of, written


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
