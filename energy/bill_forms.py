"""Forms of tariffs, rules, prices and months, for stewards."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from energy import pricelists
from energy.models import Community, Participant, PriceList, SchemeVersion, Tariff
from energy.queries import choices


def _price(label: Any, **more: Any) -> forms.DecimalField:
    rest = {"max_digits": 10, "decimal_places": 6, "required": False, "initial": 0} | more
    return forms.DecimalField(label=label, **rest)


class Decided(forms.Form):
    """From when a version holds, and who decided it."""

    valid_from = forms.DateField(label=lazy("Holds from"), widget=forms.DateInput(attrs={"type": "date"}))
    decided_by = forms.CharField(
        label=lazy("Decided by"),
        max_length=200,
        required=False,
        help_text=lazy("For example: members' meeting of 3 May, or the supplier's letter."),
    )
    decided_url = forms.CharField(label=lazy("Page of the decision"), max_length=300, required=False)

    def clean_decided_url(self) -> str:
        """A path of ours, or https."""
        url = str(self.cleaned_data["decided_url"]).strip()
        if url and not (url.startswith("https://") or (url.startswith("/") and not url.startswith("//"))):
            raise forms.ValidationError(_("Give a page of this site, or an address that begins with https://."))
        return url


class TariffForm(Decided):
    """A version of a tariff."""

    name = forms.CharField(label=lazy("Tariff"), max_length=120)
    currency = forms.RegexField("^[A-Za-z]{3}$", label=lazy("Currency"), initial="EUR")
    energy_price = _price(lazy("Energy, for a kWh"), required=True)
    price_list = forms.ModelChoiceField(
        PriceList.objects.none(), label=lazy("Energy at the prices of"), required=False,
        empty_label=lazy("the one price above"),
        help_text=lazy("Where the list has no price, the one above holds."),
    )  # fmt: skip
    markup = _price(lazy("On top of the list's price"))
    grid_fee = _price(lazy("Grid fee, for a kWh"), min_value=0)
    levies = _price(lazy("Levies, for a kWh"), min_value=0)
    base_fee = _price(lazy("Base fee, a month"), min_value=0, decimal_places=2)
    tax_pct = _price(lazy("Tax on top, %"), min_value=0, max_value=100, decimal_places=2, max_digits=5)
    feed_in_price = _price(lazy("Earned by feeding in, for a kWh"))
    feed_in_listed = forms.BooleanField(label=lazy("Feeding in earns the list's price"), required=False)
    feed_in_less = _price(lazy("Less"))

    def __init__(self, *args: Any, community: Community, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["price_list"].queryset = community.price_lists.all()  # type: ignore[attr-defined]
        self.order_fields(["name", "currency", "valid_from", "energy_price"])

    def components(self) -> dict[str, Any]:
        """What the service takes."""
        held = dict(self.cleaned_data)
        for name, field in self.fields.items():
            if isinstance(field, forms.DecimalField) and held.get(name) is None:
                held[name] = 0
        return held


class SchemeForm(Decided):
    """A version of the rules of sharing."""

    law = forms.ChoiceField(label=lazy("In which frame"), choices=SchemeVersion.Law.choices)
    key = forms.ChoiceField(label=lazy("The surplus of a step is shared"), choices=SchemeVersion.Key.choices)
    again = forms.BooleanField(
        label=lazy("What somebody's fixed share leaves is offered to the others"), required=False
    )
    price = _price(lazy("Price of a shared kWh"), required=True, min_value=0)
    grid_fee_relief_pct = _price(
        lazy("Grid fee on shared power lower by, %"), min_value=0, max_value=100, decimal_places=2, max_digits=5,
        help_text=lazy("Only where the frame does not fix it."),
    )  # fmt: skip
    levies_relief_pct = _price(
        lazy("Levies on shared power lower by, %"), min_value=0, max_value=100, decimal_places=2, max_digits=5
    )
    taxed = forms.BooleanField(label=lazy("Who receives shared power pays tax on it"), required=False, initial=True)

    def __init__(self, *args: Any, community: Community, **more: Any) -> None:
        super().__init__(*args, **more)
        self.people = list(community.participants.all())
        for person in self.people:
            self.fields[f"share_{person.pk}"] = _price(
                _("Fixed share of %(name)s, %%") % {"name": person.name},
                initial=None, min_value=0, max_value=100, decimal_places=4, max_digits=8,
            )  # fmt: skip
        self.order_fields(["law", "key", "again", "price", "valid_from"])

    def shares(self) -> dict[str, str]:
        """Shares by participant, as parts of one."""
        given = {p.pk: self.cleaned_data.get(f"share_{p.pk}") for p in self.people}
        return {str(pk): str(share / 100) for pk, share in given.items() if share}

    def rules(self) -> dict[str, Any]:
        """What the service takes."""
        return {name: value for name, value in self.cleaned_data.items() if not name.startswith("share_")}


class ChoiceForm(forms.Form):
    """A participant's own tariff, and from when."""

    tariff = forms.ModelChoiceField(
        Tariff.objects.none(), label=lazy("Tariff"), empty_label=None,
        help_text=lazy("Is yours not here? Whoever looks after the community can add it."),
    )  # fmt: skip
    since = forms.DateField(label=lazy("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: Any, participant: Participant, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["tariff"].queryset = choices.to_choose(participant)  # type: ignore[attr-defined]
        self.fields["since"].widget.attrs["min"] = choices.first_open_day(participant).isoformat()


class PricesForm(forms.Form):
    """A list of prices: a file, or a feed."""

    name = forms.CharField(label=lazy("List"), max_length=120)
    currency = forms.RegexField("^[A-Za-z]{3}$", label=lazy("Currency"), initial="EUR")
    per_mwh = forms.BooleanField(label=lazy("The prices are for a MWh"), required=False, initial=True)
    file = forms.FileField(label=lazy("CSV or JSON with times and prices"), required=False)
    feed = forms.URLField(
        label=lazy("Or an address that is asked each hour"), max_length=400, required=False, assume_scheme="https"
    )

    def clean_file(self) -> Any:
        """Small enough to be read at once."""
        file = self.cleaned_data["file"]
        if file is not None and file.size > pricelists.MOST_BYTES:
            raise forms.ValidationError(_("The prices are more than 8 MB; give a year at a time."))
        return file

    def clean_feed(self) -> str:
        """https alone."""
        feed = str(self.cleaned_data["feed"])
        if feed and not feed.startswith("https://"):
            raise forms.ValidationError(_("Only addresses that begin with https:// are asked."))
        return feed


class MonthForm(forms.Form):
    """A month to settle."""

    month = forms.RegexField(
        r"^\d{4}-\d{2}$", label=lazy("Month"), widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-03"})
    )
