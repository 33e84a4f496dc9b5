"""The form that closes an account."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from commons.people.models import User


class CloseForm(forms.Form):
    """Proof, and one more thought."""

    name = forms.CharField(label=_("Name of your account"), max_length=39)
    password = forms.CharField(
        label=_("Your password"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}), strip=False
    )
    sure = forms.BooleanField(label=_("I have what I want to keep; close my account for good"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.has_usable_password():
            del self.fields["password"]
