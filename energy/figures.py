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
    parts = ({**simulation.totals, **_marginal(simulation)}, simulation.separate)
    both = [_more(public.totals(part, exact=exact), version) for part in parts]
    return [
        Figure(slug, title, *_pair(show, slug, both, version), means, how)
        for slug, title, show, means, how in DEFINITIONS
        if slug in ALWAYS or any(part.get(slug) is not None for part in both)
    ]


def _marginal(simulation: Simulation) -> dict[str, Any]:
    """Figures beside the totals that are one number."""
    return {name: value for name, value in simulation.more.items() if not isinstance(value, list)}


@dataclass(frozen=True, slots=True)
class Alone:
    """Cut off from the grid for some hours: share of starts that get through, and what is missing on average."""

    hours: str
    survive: str
    missing: str
    worst: str
    share: str


def island(simulation: Simulation, viewer: policies.Viewer) -> Sequence[Alone]:
    """How long the community would get through alone; empty where storage is not shown, or it was not worked out."""
    if not public.standing(simulation.version, viewer).storage:
        return []
    return [
        Alone(
            numbers.duration(row["hours"] * 3600),
            numbers.percent(row["survive"]),
            numbers.kwh(row["unserved_kwh"]),
            numbers.kwh(row["worst_kwh"]),
            numbers.percent(row["unserved_share"]),
        )
        for row in simulation.more.get("island", ())
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


#: Shown even where they are not known, with the reason in their meaning.
ALWAYS = frozenset({"co2_marginal_kg"})
DEFINITIONS: Sequence[tuple[str, str | Promise, str, str | Promise, str]] = (
    (
        "prosumer_ratio",
        _("Prosumer ratio"),
        "ratio",
        _("Solar made for each kWh used. The share of members with a roof of their own is another thing."),
        "Σ G / Σ L",
    ),
    (
        "prosumer_members",
        _("Members with a roof of their own"),
        "percent",
        _("The other meaning of prosumer: how many members make power, whatever they use."),
        "n(G > 0) / n",
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
        "co2_marginal_kg",
        _("CO₂ of what is bought, by the marginal plant"),
        "co2",
        _(
            "Each step's purchase times what the plant emits that would run more. It is known only where the prices "
            "say it (column co2_marginal_kg_per_kwh)."
        ),
        "Σ I·m",
    ),
    (
        "co2_marginal_displaced_kg",
        _("CO₂ elsewhere that is displaced"),
        "co2",
        _("What is sent on times the same factor; it stands beside the others and is never netted with them."),
        "Σ X·m",
    ),
    (
        "co2_marginal_avoided_kg",
        _("CO₂ that solar and storage avoid"),
        "co2",
        _("Against the same use, vehicles charged alike, all bought. This is the figure for a decision."),
        "Σ (L − I + X)·m",
    ),
    (
        "cost",
        _("Cost"),
        "money",
        _("What is bought at its price, less what is paid for what is sent on."),
        "Σ (I·p − X·f)",
    ),
)
