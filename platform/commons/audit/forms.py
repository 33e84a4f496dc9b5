"""What staff may look for in the log."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SearchForm(forms.Form):
    """By whom, what, when."""

    name = forms.CharField(label=_("Account"), required=False, max_length=39)
    what = forms.CharField(label=_("What"), required=False, max_length=120)
    first = forms.DateField(label=_("From day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("To day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    below = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
