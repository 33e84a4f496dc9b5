"""A statement in words: the same lines for the page, the PDF and the CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from commons.web import numbers
from energy import pdf
from energy.models import Statement, StatementLine

NAMES: dict[str, str | Promise] = {
    "energy": gettext_lazy("Power from the grid"),
    "energy_no_price": gettext_lazy("Power from the grid when the exchange's price is not known"),
    "grid_fee": gettext_lazy("Grid fee on it"),
    "levies": gettext_lazy("Levies on it"),
    "shared": gettext_lazy("Power from the community"),
    "shared_grid_fee": gettext_lazy("Grid fee on power from the community"),
    "shared_levies": gettext_lazy("Levies on power from the community"),
    "base": gettext_lazy("Base fee"),
    "given": gettext_lazy("Power given to the community"),
    "feed_in": gettext_lazy("Power sent on to the grid"),
    "feed_in_no_price": gettext_lazy("Power sent on when the exchange's price is not known"),
}
COLUMNS = ("line", "from", "until", "kwh", "days", "rate", "amount", "tax_pct", "exact")
NOTHING = Decimal(0)


def name_of(code: str) -> str:
    """What a line is for."""
    return str(NAMES.get(code, code))


def amount(value: Decimal, currency: str) -> str:
    """Money to the cent."""
    return numbers.with_unit(numbers.number(value, 2), numbers.CURRENCIES.get(currency, currency))


def price(value: Decimal) -> str:
    """A price of a kWh with as many decimals as it has, two at least."""
    decimals = -int(value.normalize().as_tuple().exponent) if value else 2
    return numbers.number(value, min(max(decimals, 2), 6))


def per_cent(rate: str | Decimal) -> str:
    """A rate of tax, such as 25.5 %."""
    whole = Decimal(rate).normalize()
    return numbers.with_unit(numbers.number(whole, max(0, -int(whole.as_tuple().exponent))), "%")


def energy(value: Decimal) -> str:
    """Energy to the watt-hour, as meters have it."""
    return numbers.with_unit(numbers.number(value, 3), "kWh")


@dataclass(frozen=True, slots=True)
class Row:
    """A line as it is shown."""

    line: StatementLine
    name: str
    quantity: str
    rate: str
    amount: str
    when: str

    @property
    def credit(self) -> bool:
        """Whether it is paid to the participant."""
        return self.line.amount < 0


def rows(statement: Statement) -> list[Row]:
    """The lines; the days of a line stand beside it where they are not all of the statement's."""
    found = []
    for line in statement.lines.all():
        whole = (line.first_day, line.last_day) == (statement.first_day, statement.last_day)
        if line.code == "base":
            quantity = _("%(n)d days") % {"n": line.days}
            rate = _("%(price)s a month") % {"price": amount(line.rate or NOTHING, statement.currency)}
        else:
            quantity = energy(line.kwh)
            rate = price(line.rate) if line.rate is not None else _changing(line)
        when = "" if whole else numbers.span(_short(line.first_day), _short(line.last_day))
        found.append(Row(line, name_of(line.code), quantity, rate, amount(line.amount, statement.currency), when))
    return found


def _changing(line: StatementLine) -> str:
    if not line.kwh:
        return numbers.MISSING
    return _("%(price)s on average") % {"price": numbers.number(abs(line.exact) / line.kwh, 4)}


def _short(day: object) -> str:
    return str(date_format(day, "j.n."))  # type: ignore[arg-type]


def title(statement: Statement) -> str:
    """What it is: a statement, a last one, a correction."""
    month = date_format(statement.first_day, "F Y")
    if statement.corrects_id:
        return _("Corrected statement, %(month)s") % {"month": month}
    if statement.final:
        return _("Last statement, %(month)s") % {"month": month}
    return _("Statement, %(month)s") % {"month": month}


def notes(statement: Statement) -> list[str]:
    """What has to be said beside the figures."""
    said = []
    if statement.corrects is not None:
        difference = statement.gross - statement.corrects.gross
        words = {"number": statement.corrects.number, "money": amount(abs(difference), statement.currency)}
        if difference < 0:
            said.append(_("It corrects statement %(number)d, which was %(money)s too high.") % words)
        elif difference > 0:
            said.append(_("It corrects statement %(number)d, which was %(money)s too low.") % words)
        else:
            said.append(_("It corrects statement %(number)d; what is to pay stays the same.") % words)
    if statement.missing_steps:
        words = {"n": statement.missing_steps, "all": statement.steps, "days": len(statement.gaps)}
        said.append(
            _(
                "%(n)d of %(all)d readings are missing, on %(days)d days. They were not guessed and cost nothing yet; "
                "when they come, a corrected statement follows."
            )
            % words
        )
    return said


def saved(statement: Statement) -> Decimal:
    """What the community was worth in the period: the cost alone less what is stated."""
    return statement.alone - statement.gross


def table(statement: Statement) -> Iterator[Sequence[str]]:
    """The statement for spreadsheets, decimals with a dot."""
    for line in statement.lines.all():
        rate = "" if line.rate is None else format(line.rate, "f")
        yield (
            name_of(line.code), line.first_day.isoformat(), line.last_day.isoformat(), format(line.kwh, "f"),
            str(line.days or ""), rate, format(line.amount, "f"), format(line.tax_pct, "f"), format(line.exact, "f"),
        )  # fmt: skip
    end = (statement.first_day.isoformat(), statement.last_day.isoformat(), "", "", "")
    for rate, tax in statement.taxes:
        yield (_("Tax"), *end, tax, rate, "")
    yield (_("To pay"), *end, format(statement.gross, "f"), "", "")


def paper(statement: Statement) -> bytes:
    """The statement as a PDF."""
    name = title(statement)
    community = statement.community
    made = _("Statement %(number)d of %(community)s") % {"number": statement.number, "community": community.name}
    page = pdf.Document(
        title=f"{name} – {statement.participant.name}",
        made_at=statement.issued_at,
        language=get_language() or "en",
        foot=made,
    )
    left = pdf.MARGIN_PT
    page.down(14)
    page.text(left, community.name, 11, bold=True)
    page.text(page.right, date_format(statement.issued_at, "j F Y"), 10, end=True)
    page.down(30)
    for part in statement.payer.splitlines():
        page.text(left, part, 10)
        page.down(13)
    page.down(22)
    page.text(left, name, 18, bold=True)
    first, last = (date_format(day, "j F Y") for day in (statement.first_day, statement.last_day))
    page.line(
        _("%(first)s to %(last)s, number %(number)d") % {"first": first, "last": last, "number": statement.number}
    )
    for note in notes(statement):
        page.down(4)
        page.line(note, 10)
    page.down(12)
    _lines(page, statement)
    page.down(10)
    words = {
        "used": energy(statement.use_kwh),
        "got": energy(statement.received_kwh),
        "fed": energy(statement.feed_in_kwh),
        "gave": energy(statement.given_kwh),
    }
    page.line(
        _("Drawn %(used)s, of which %(got)s came from the community; fed in %(fed)s, of which %(gave)s went to it.")
        % words
    )
    worth = {
        "money": amount(saved(statement), statement.currency),
        "alone": amount(statement.alone, statement.currency),
    }
    page.line(_("Without the community the same energy would have cost %(alone)s: a difference of %(money)s.") % worth)
    page.down(8)
    page.line(_("Made of readings with the fingerprint %(hash)s.") % {"hash": statement.settlement.inputs_sha256}, 8)
    return page.bytes()


def _lines(page: pdf.Document, statement: Statement) -> None:
    left, right = pdf.MARGIN_PT, page.right
    at = (right - 190, right - 85, right)

    def row(cells: Sequence[str], *, bold: bool = False, size: float = 9.5) -> None:
        name, *rest = cells
        parts = page.wrapped(name, size, 200, bold=bold)
        page.room(16 + 12 * len(parts))
        page.down(16)
        for x, cell in zip(at, rest, strict=True):
            page.text(x, cell, size, bold=bold, end=True)
        for i, part in enumerate(parts):
            page.down(12 if i else 0)
            page.text(left, part, size, bold=bold)

    row((_("What"), _("How much"), _("Price"), _("Net")), bold=True)
    page.rule(0.8)
    for found in rows(statement):
        when = f" ({found.when})" if found.when else ""
        row((found.name + when, found.quantity, found.rate, found.amount))
    page.rule()
    row((_("Sum"), "", "", amount(statement.net, statement.currency)))
    for rate, tax in statement.taxes:
        row((_("Tax, %(rate)s") % {"rate": per_cent(rate)}, "", "", amount(Decimal(tax), statement.currency)))
    page.rule(0.8)
    foot = _("To pay") if statement.gross >= 0 else _("You get")
    row((foot, "", "", amount(abs(statement.gross), statement.currency)), bold=True, size=11)
