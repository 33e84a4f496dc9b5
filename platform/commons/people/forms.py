"""Forms of people."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commons.people.models import Membership, Organisation, Scope, User
from commons.places.models import Place

LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("a year")), ("", _("until I revoke it"))]
SCOPE_WORDS = {
    Scope.DESIGNS_READ: _("read my private designs"),
    Scope.DESIGNS_WRITE: _("change my designs and push with git"),
    Scope.BOOKINGS_READ: _("read my bookings"),
    Scope.BOOKINGS_WRITE: _("book and cancel machines"),
    Scope.LABS_MANAGE: _("manage labs of mine"),
    Scope.ENERGY_READ: _("read my energy data"),
    Scope.ENERGY_MANAGE: _("manage energy communities of mine"),
    Scope.TWIN_WRITE: _("write scenarios"),
    Scope.DECISIONS_VOTE: _("vote for me"),
    Scope.ADMIN: _("administer the city"),
}


class ProfileForm(forms.Form):
    """The name to show and the neighbourhood to begin with."""

    name = forms.CharField(label=_("Name to show"), max_length=120, required=False)
    home = forms.ModelChoiceField(
        label=_("My neighbourhood"), queryset=Place.objects.order_by("kind", "name"), required=False
    )


class TokenForm(forms.Form):
    """A new token: what it is for, what it may do, how long it lives."""

    name = forms.CharField(label=_("What it is for"), max_length=80)
    scopes = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple)
    days = forms.ChoiceField(label=_("How long it lives"), choices=LIFETIMES, required=False, initial="90")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [scope for scope in Scope if scope != Scope.ADMIN or user.is_staff]
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)  # noqa: S101 for the type checker
        scopes.choices = [(scope.value, f"{SCOPE_WORDS[scope]} ({scope.value})") for scope in offered]

    def expires_at(self) -> dt.datetime | None:
        """When the token ends, or None."""
        days = self.cleaned_data["days"]
        return timezone.now() + dt.timedelta(days=int(days)) if days else None


class OrganisationForm(forms.Form):
    """A new organisation."""

    name = forms.CharField(label=_("Name"), max_length=120)
    handle = forms.CharField(
        label=_("Address"),
        max_length=39,
        help_text=_("letters a–z, digits and single hyphens; it cannot be changed"),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=Organisation.Kind.choices)
    about = forms.CharField(label=_("About"), widget=forms.Textarea(attrs={"rows": 4}), required=False, max_length=2000)


class MemberForm(forms.Form):
    """A person and their role."""

    person = forms.CharField(label=_("Account name"), max_length=39)
    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.MEMBER)
