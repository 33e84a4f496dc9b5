"""The years in which a typed day or time may lie: any zone's clock can show it then, and any length can be added.

A row beyond them would be read back by nobody: its page would fail for everybody from then on.
"""

import datetime as dt

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers

YEARS = range(1900, 2201)
FIELDS = (forms.DateField, forms.DateTimeField, serializers.DateField, serializers.DateTimeField)


def near(typed: dt.date) -> None:
    """Refuses a day or a time that lies too far away."""
    if typed.year not in YEARS:
        raise ValidationError(_("This lies too far away; look at the year again."))


def everywhere() -> None:
    """Let every field of a form and of the API that takes a day or a time look at its year."""
    for field in FIELDS:
        field.default_validators = [near]  # type: ignore[misc]  # of the class itself
