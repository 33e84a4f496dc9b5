"""The rules of a lab in plain words; those who run it change them here and see first what that would do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import User
from labs.engine import rules as engine
from labs.errors import UnknownLab
from labs.models import BookingRule, Lab, Machine, RuleSet, Tariff
from labs.queries import prices, rule_preview, rule_words, rules
from labs.services import rules as services
from labs.views.common import page, viewer
from labs.views.frame import frame
from labs.views.scopes import ScopeForm

MOST_PAST, MOST_SHOWN = 40, 8


@dataclass(slots=True)
class Group:
    """The rules of one scope, in words."""

    title: str
    kind: str
    lines: list[dict[str, Any]] = field(default_factory=list)


class RuleForm(ScopeForm):
    """A rule to set."""

    name = forms.ChoiceField(label=lazy("Rule"))
    value = forms.CharField(
        label=lazy("Value"),
        required=False,
        max_length=400,
        help_text=lazy("A number, yes or no, or hours such as mon-fri 16:00-18:00. Empty: no limit here."),
    )

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, lab=lab, **kwargs)
        self.choose("name", [(name, _named(name)) for name in engine.SORTS])
        self.order_fields(["name", "value", "scope", "role"])


def _named(name: str) -> str:
    unit = str(rule_words.UNITS[engine.SORTS[name].kind])
    title = str(rule_words.TITLES[name])
    return title if not unit or engine.SORTS[name].kind in {"flag", "week"} else f"{title} ({unit})"


@require_http_methods(["GET", "HEAD", "POST"])
def lab_rules(request: HttpRequest, lab: str) -> HttpResponse:
    """What holds here? Everybody reads it; who runs the lab sets rules, and sees first what they would do."""
    found, context = frame(request, lab, tab="rules")
    person, manages = viewer(request), context["manages"]
    if request.method == "POST" and not manages:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    held = RuleSet.objects.filter(lab=found).first()
    context["revision"] = held.revision if held else 0
    context["form"] = RuleForm(request.POST if request.POST.get("do") in {"try", "set"} else None, lab=found)
    if request.method == "POST":
        done = _do(request, found, person, context)
        if done is not None:
            return done
    context["groups"] = _groups(found, rules.active(found).select_related("machine", "by"))
    context["basics"] = _basics(found)
    context |= _costs(found)
    if manages:
        past = BookingRule.objects.filter(lab=found, active=False).select_related("machine", "by", "ended_by")
        context["past"] = [_line(rule) for rule in past.order_by("-until")[:MOST_PAST]]
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/rules.html", context, lab=found, status=status)


def _do(request: HttpRequest, lab: Lab, person: User | None, context: dict[str, Any]) -> HttpResponse | None:
    """Do what a form asks; None shows the page again with what `context` then holds."""
    revision, form = _number(request, "revision"), context["form"]
    try:
        if request.POST.get("do") == "end":
            ended = services.end_rule(lab=lab, key=_number(request, "rule") or 0, by=person, revision=revision)
            messages.success(request, _("Ended: %(rule)s") % {"rule": _line(ended)["sentence"]})
            return redirect("rooms:lab_rules", lab.slug)
        if not form.is_valid():
            return None
        asked = {"name": form.cleaned_data["name"], "text": form.cleaned_data["value"], "scope": form.asked()}
        if request.POST.get("do") == "set":
            rule = services.set_rule(lab=lab, by=person, revision=revision, **asked)
            messages.success(request, _("From now on: %(rule)s") % {"rule": _line(rule)["sentence"]})
            return redirect("rooms:lab_rules", lab.slug)
        row = services.candidate(lab=lab, **asked)
        would = rule_preview.preview(lab, rule_preview.with_rule(lab, row), now=timezone.now())
        context["would"], context["shown"] = would, would.refused[:MOST_SHOWN]
        context["candidate"] = rule_words.sentence(row.name, row.value)
    except CityError as refusal:
        context["refusal"] = refusal
    return None


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _line(rule: BookingRule) -> dict[str, Any]:
    return {"rule": rule, "sentence": rule_words.sentence(rule.name, rules.row(rule).value)}


def _groups(lab: Lab, held: Iterable[BookingRule]) -> list[Group]:
    """The rules by scope: the lab's, then by class, then by machine."""
    order = list(engine.SORTS)
    groups: dict[tuple[int, str], Group] = {}
    for rule in sorted(held, key=lambda rule: (order.index(rule.name) if rule.name in order else 99, rule.role)):
        if rule.machine is not None:
            key, title, kind = (2, rule.machine.name), rule.machine.name, rule.machine.get_cls_display()
        elif rule.cls:
            key, title, kind = (1, rule.cls), rule.get_cls_display(), _("each of them")
        else:
            key, title, kind = (0, ""), _("In all of the lab"), ""
        groups.setdefault(key, Group(title, kind)).lines.append(_line(rule))
    return [groups[key] for key in sorted(groups)]


def _basics(lab: Lab) -> list[str]:
    """What holds where the lab set no rule of its own."""
    set_here = {rule.name for rule in rules.active(lab).filter(machine=None, cls="", role="")}
    ruled = engine.resolve([], machine=0, cls="", role="", defaults={"open_bookings": float(lab.open_bookings_max)})
    shown = ("shortest_min", "horizon_days", "open_bookings", "cancel_until_min")
    said = [rule_words.sentence(name, ruled.number(name)) for name in shown if name not in set_here]
    longest = sorted({machine.longest_h for machine in Machine.objects.filter(lab=lab)})
    if longest and "longest_h" not in set_here:
        low, high = rule_words.hours(longest[0]), rule_words.hours(longest[-1])
        words = {"low": low, "high": high}
        alike = _("A booking takes at most %(high)s.") % words
        said.append(
            alike
            if low == high
            else _("A booking takes at most %(low)s to %(high)s, as each machine's page says.") % words
        )
    return said


def _costs(lab: Lab) -> dict[str, Any]:
    """The tariffs in words, and what comes on top."""
    till = prices.till_of(lab)
    if till is None:
        return {}
    tariffs = Tariff.objects.filter(lab=lab, active=True).select_related("machine").order_by("cls", "machine__name")
    lines = [
        {
            "words": prices.tariff_words(tariff, till.unit),
            "where": tariff.machine.name if tariff.machine else tariff.get_cls_display() or _("In all of the lab"),
            "role": tariff.get_role_display(),
        }
        for tariff in tariffs
    ]
    note = _("The price of a booking is shown before you book it.")
    if till.mode == till.Mode.MONEY and till.tax_pct:
        note = _(
            "Without tax of %(tax)s %%, which comes on top; the price of a booking is shown before you book it."
        ) % {"tax": f"{till.tax_pct:f}".rstrip("0").rstrip(".")}
    return {"costs": lines, "costs_note": note}
