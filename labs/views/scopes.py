"""Where something holds and for whom: the part that forms of rules and of tariffs share."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from labs.models import BookingRule, Lab
from labs.queries import catalogue
from labs.services.rules import Scope


class ScopeForm(forms.Form):
    """All of the lab, a class of machines or one machine; everybody or a role."""

    scope = forms.ChoiceField(label=lazy("Where it holds"))
    role = forms.ChoiceField(label=lazy("For whom"))

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        machines = list(catalogue.machines(lab))
        kinds = {machine.cls: machine.get_cls_display() for machine in machines}
        self.machines = {machine.pk: machine for machine in machines}
        self.choose("role", [("everybody", _("Everybody")), *BookingRule.Role.choices])
        self.choose(
            "scope",
            [
                ("lab", _("In all of the lab")),
                *((f"cls:{cls}", _("Each: %(kind)s") % {"kind": kind}) for cls, kind in kinds.items()),
                *((f"machine:{machine.pk}", machine.name) for machine in machines),
            ],
        )

    def choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        """What may be chosen in a field."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = choices

    def asked(self) -> Scope:
        """Where and for whom."""
        what, _colon, which = self.cleaned_data["scope"].partition(":")
        machine = self.machines[int(which)] if what == "machine" else None
        role = self.cleaned_data["role"]
        return Scope(machine, which if what == "cls" else "", "" if role == "everybody" else role)
