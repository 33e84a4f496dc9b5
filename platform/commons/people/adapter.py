"""What sign-up does besides allauth: claim the handle in the one namespace."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.http import HttpRequest

from commons.errors import CityError
from commons.people.models import User
from commons.people.services import adopt_handle, check_handle


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's adapter with our handles."""

    def clean_username(self, username: str, shallow: bool = False) -> str:
        name: str = super().clean_username(username.lower(), shallow=shallow)
        if not shallow:
            try:
                check_handle(name)
            except CityError as refusal:
                raise forms.ValidationError(str(refusal.sentence)) from None
        return name

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=commit)
        if commit:
            adopt_handle(user=saved)
        return saved
