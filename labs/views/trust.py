"""Whose badges a lab believes: read by everybody, changed by its managers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from labs import policies
from labs.errors.learning import UnknownBadge
from labs.models import Badge, IssuerKey, Lab, TrustPolicy, TrustRule
from labs.queries import catalogue
from labs.services import credentials, trust
from labs.views.common import page, viewer
from labs.views.frame import frame


class RuleForm(forms.Form):
    """Believe, or not, a lab here or an issuer elsewhere."""

    giver = forms.ModelChoiceField(
        label=lazy("A lab here"), queryset=Lab.objects.none(), required=False, empty_label=lazy("None; elsewhere")
    )
    issuer_did = forms.CharField(label=lazy("Or an issuer elsewhere, by its DID"), max_length=300, required=False)
    issuer_name = forms.CharField(label=lazy("Its name"), max_length=120, required=False)
    achievement = forms.CharField(label=lazy("Only its badge of this address"), max_length=500, required=False)
    badge = forms.ModelChoiceField(
        label=lazy("Counts as"), queryset=Badge.objects.none(), required=False, empty_label=lazy("All of its badges")
    )
    believes = forms.TypedChoiceField(
        label=lazy("Rule"),
        choices=[("1", lazy("We believe it")), ("0", lazy("We do not believe it"))],
        coerce=lambda text: text == "1",
    )

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        giver, badge = self.fields["giver"], self.fields["badge"]
        assert isinstance(giver, forms.ModelChoiceField)  # noqa: S101
        assert isinstance(badge, forms.ModelChoiceField)  # noqa: S101
        giver.queryset = Lab.objects.exclude(pk=lab.pk).order_by("name")
        badge.queryset = Badge.objects.order_by("name")


@require_http_methods(["GET", "HEAD", "POST"])
def lab_trust(request: HttpRequest, lab: str) -> HttpResponse:
    """Whose badges count here?"""
    found, context = frame(request, lab, tab="trust")
    if not context["back"]:
        context["tab_here"] = "courses"
    person = viewer(request)
    do = request.POST.get("do", "")
    form = RuleForm(request.POST if do == "rule" else None, lab=found)
    if request.method == "POST":
        if not policies.may_manage(person, found):
            raise UnknownBadge(_("There is no such page, or it is not yours."))
        try:
            if do == "scope":
                trust.set_scope(lab=found, scope=request.POST.get("scope", ""), by=person)
            elif do == "rule" and form.is_valid():
                trust.add_rule(lab=found, by=person, **form.cleaned_data)
            elif do == "remove":
                _remove(found, request.POST.get("rule", ""))
            elif do == "key":
                credentials.renew_key(lab=found)
            if not form.errors:
                messages.success(request, _("Kept."))
                return redirect("rooms:lab_trust", found.slug)
        except CityError as refusal:
            context["refusal"] = refusal
    kept = TrustPolicy.objects.filter(lab=found).first()
    context |= {
        "scope": kept.scope if kept else TrustPolicy.Scope.LISTED,
        "scopes": TrustPolicy.Scope.choices,
        "rules": found.trust_rules.select_related("giver", "badge", "by"),
        "form": form,
        "key": IssuerKey.objects.filter(lab=found, retired_at=None).first(),
        "badges": catalogue.badges_of(found),
    }
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/trust.html", context, lab=found, status=status)


def _remove(lab: Lab, text: str) -> None:
    number = int(text) if text.isdecimal() and len(text) < 19 else 0
    rule = TrustRule.objects.filter(lab=lab, pk=number).first()
    if rule is not None:
        trust.remove_rule(rule=rule)
