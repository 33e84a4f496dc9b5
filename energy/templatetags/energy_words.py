"""Words of this room for its templates: how storage was run, which rule shared, what somebody gains, how far off."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons.web import numbers
from energy.models import Simulation
from energy.queries.mine import Compared
from energy.shares import RULES

register = template.Library()


@register.filter
def way(simulation: Simulation) -> str:
    """How storage was run."""
    ways = {"none": _("no storage"), "rule": _("by rule"), "optimal": _("the best possible")}
    return ways.get(simulation.control, simulation.control)


@register.filter
def rule_words(simulation: Simulation) -> str:
    """How the saving was shared."""
    known = RULES.get(simulation.sharing_rule)
    return str(known.title) if known else simulation.sharing_rule


@register.filter
def gain(value: float | None, currency: str) -> str:
    """Money gained with its sign; a loss has a minus."""
    if value is None:
        return numbers.MISSING
    words = numbers.money(value, currency)
    return f"+{words}" if value > 0 and words != numbers.money(0, currency) else words


@register.filter
def meter_name(row: Compared) -> str:
    """Which meter was compared."""
    names = {"use": _("drawn from the grid"), "feed_in": _("fed into the grid"), "solar": _("made on the roof")}
    return names[row.name]


@register.filter
def off_words(row: Compared) -> str:
    """How far the simulation is off, in words."""
    if row.error is None or row.off is None:
        return _("not measured")
    share = numbers.percent(abs(row.off))
    whole = (
        _("the sum fits")
        if abs(row.off) < 0.02
        else (_("the sum is %(share)s too high") if row.off > 0 else _("the sum is %(share)s too low"))
        % {"share": share}
    )
    words = _("%(whole)s; an hour is off by %(error)s on average") % {
        "whole": whole,
        "error": numbers.percent(row.error),
    }
    if row.missing:
        words += "; " + ngettext("%(n)d hour was not measured", "%(n)d hours were not measured", row.missing) % {
            "n": row.missing
        }
    return words
