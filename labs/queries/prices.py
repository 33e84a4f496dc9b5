"""What a time on a machine costs, asked of the lab's ledger if it keeps one."""

from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec

from commons.people.models import User
from labs.engine.hours import Span
from labs.models import Machine


@dataclass(frozen=True, slots=True)
class Price:
    """An amount in a currency, or in points."""

    amount: Decimal
    currency: str


def price_of(machine: Machine, person: User | None, span: Span | None) -> Price | None:
    """The price of a time for a person; None when the lab asks for nothing or nobody knows."""
    if person is None or span is None or find_spec("labs.services.ledger") is None:
        return None
    told = import_module("labs.services.ledger").price_of(machine, person, span)
    return None if told is None else Price(Decimal(told.amount), str(told.currency))
