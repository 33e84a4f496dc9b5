"""The figures of a community for a page: each with its value together and each alone, and its one definition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commons.web import numbers
from energy import policies
from energy.models import CommunityVersion, Simulation
from energy.queries import public


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what it is called, what it means in a sentence, how it is reckoned; "–" where it has no meaning."""

    slug: str
    title: str | Promise
    together: str
    alone: str
    means: str | Promise
    formula: str


def of(simulation: Simulation, viewer: policies.Viewer) -> Sequence[Figure]:
    """All figures of a simulation as this person may see them: netted first, and as the sum over members."""
    version = simulation.version
    exact = policies.sees_exactly(viewer, version)
    both = [_more(public.totals(part, exact=exact), version) for part in (simulation.totals, simulation.separate)]
    return [
        Figure(slug, title, *_pair(show, slug, both, version), means, how)
        for slug, title, show, means, how in DEFINITIONS
        if any(part.get(slug) is not None for part in both)
    ]


def balance(totals: Mapping[str, Any]) -> float:
    """Sent on less bought over the period, kWh: above zero the community is net positive."""
    return float(totals["export_kwh"]) - float(totals["import_kwh"])


def _more(totals: Mapping[str, Any], version: CommunityVersion) -> dict[str, Any]:
    """With the figures that follow from the sums."""
    hours = version.steps * version.step_minutes / 60
    peak, bought = totals["peak_import_kw"], totals["import_kwh"]
    co2 = totals.get("co2_kg")
    return {
        **totals,
        "balance_kwh": balance(totals),
        "load_factor": bought / hours / peak if peak else None,
        "co2_g_per_kwh": 1000 * co2 / totals["load_kwh"] if co2 is not None and totals["load_kwh"] else None,
    }


def _pair(show: str, slug: str, both: Sequence[Mapping[str, Any]], version: CommunityVersion) -> tuple[str, str]:
    together, alone = (_words(show, part.get(slug), version) for part in both)
    return together, alone


def _words(show: str, value: Any, version: CommunityVersion) -> str:
    if show == "money":
        return numbers.money(value, version.currency)
    if show == "co2":
        return numbers.with_unit(numbers.number(value), "kg")
    if show == "intensity":
        return numbers.with_unit(numbers.number(value), "g")
    if show == "signed":
        return numbers.kwh(value) if value is None or value <= 0 else "+" + numbers.kwh(value)
    return str(getattr(numbers, show)(value))


DEFINITIONS: Sequence[tuple[str, str | Promise, str, str | Promise, str]] = (
    (
        "prosumer_ratio",
        _("Prosumer ratio"),
        "ratio",
        _("Solar made for each kWh used. The share of members with a roof of their own is another thing."),
        "Σ G / Σ L",
    ),
    (
        "self_consumption",
        _("Sun used here (self-consumption)"),
        "percent",
        _("The share of the sun that is not sent on to the city. What is curtailed counts as made and not used."),
        "1 − (Σ X + curtailed) / Σ G",
    ),
    (
        "self_sufficiency",
        _("Use from the sun here (self-sufficiency)"),
        "percent",
        _("The share of use that is not bought. What batteries lose counts as bought or made."),
        "1 − Σ I / Σ L",
    ),
    ("import_kwh", _("From the grid"), "kwh", _("What is bought over the period."), "Σ I"),
    ("export_kwh", _("Sent on to the city"), "kwh", _("What is not used or stored here."), "Σ X"),
    (
        "balance_kwh",
        _("Net-positive balance"),
        "signed",
        _("Sent on less bought over the whole period. Above zero the community gives the city more than it takes."),
        "Σ X − Σ I",
    ),
    (
        "peak_import_kw",
        _("Peak from the grid"),
        "kw",
        _("The highest mean power of a step that is bought."),
        "max I / h",
    ),
    (
        "load_factor",
        _("Load factor"),
        "percent",
        _("Mean over peak of what is bought: near 100 % the line is used evenly, near 0 %, in a few hours alone."),
        "mean I / max I",
    ),
    (
        "co2_kg",
        _("CO₂ of what is bought"),
        "co2",
        _("Each step's purchase times the grid's mean emissions then. Nothing is taken off for what is sent on."),
        "Σ I·e",
    ),
    (
        "co2_g_per_kwh",
        _("CO₂ for each kWh used"),
        "intensity",
        _("The same over all that is used."),
        "Σ I·e / Σ L",
    ),
    (
        "cost",
        _("Cost"),
        "money",
        _("What is bought at its price, less what is paid for what is sent on."),
        "Σ (I·p − X·f)",
    ),
)
