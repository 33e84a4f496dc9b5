"""What a page of booking says before the click: price, what speaks against the time, how long cancelling is free."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine.hours import Span
from labs.models import Machine
from labs.queries import books, prices, rules
from labs.queries.rule_words import sentence


def terms(
    machine: Machine, person: User | None, start: dt.datetime | None, length: dt.timedelta, now: dt.datetime
) -> dict[str, Any]:
    """Price, refusals with the next allowed time, and cancelling, as the template wants them."""
    held = rules.for_machine(machine, person)
    free = sentence("cancel_until_min", float(held.cancel_until_min))
    found: dict[str, Any] = {"cancelling": free, "price": None, "funds": "", "speaks": [], "allowed": None}
    till = prices.till_of(machine.lab_id)
    if held.late_refund_share and till is not None and held.cancel_until_min:
        found["cancelling"] = f"{free} {sentence('late_refund_pct', 100 * held.late_refund_share)}"
    if start is None:
        return found
    span = Span(start, start + length)
    if till is not None:
        found["price"] = prices.price_of(machine, person, span).words
        found["funds"] = _funds(machine, person, till.unit)
    if person is None:
        return found
    found["speaks"] = rules.why_not(machine=machine, user=person, span=span, now=now)
    if found["speaks"]:
        found["allowed"] = rules.allowed_time(machine=machine, user=person, span=span, now=now)
    return found


def _funds(machine: Machine, person: User | None, unit: str) -> str:
    wallet = books.wallet_of(machine.lab_id, person, unit) if person is not None else None
    if wallet is None:
        return ""
    return _("your wallet holds %(sum)s") % {"sum": prices.amount(wallet.balance, unit)}
