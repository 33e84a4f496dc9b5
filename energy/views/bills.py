"""Pages of bills: a member's statements, one of them on paper and as a table; what stewards see and make."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commons import csv_files
from commons.people.models import User
from energy import bill_charts, policies
from energy import bills as words
from energy.bill_forms import MonthForm
from energy.errors import StatementNotFound
from energy.models import Community, Settlement, Statement
from energy.queries import statements as queries
from energy.services import statements as services
from energy.views.frame import frame


def _found(request: HttpRequest, slug: str, tab: str = "bills") -> tuple[Community, dict[str, Any]]:
    community, context = frame(request, slug, tab=tab)
    if not policies.has_bills(request.user, community):
        raise StatementNotFound(_("There are no bills here, or they are not yours to see."))
    return community, context


def _steward(request: HttpRequest, slug: str) -> tuple[Community, User, dict[str, Any]]:
    community, context = frame(request, slug, tab="bills")
    if not context["steward"] or not isinstance(request.user, User):
        raise StatementNotFound(_("There are no bills here, or they are not yours to see."))
    return community, request.user, context


@require_safe
@never_cache
def bills(request: HttpRequest, slug: str) -> HttpResponse:
    """What did my energy cost, and what was the community worth?"""
    community, context = _found(request, slug)
    own = queries.own(community, request.user)
    standing = [s for s in own if not hasattr(s, "corrected_by")]
    newest = standing[0] if standing else None
    context |= {
        "own": [_line(s) for s in own],
        "newest": _line(newest) if newest else None,
        "member": policies.own_participants(request.user, community).exists(),
        "form": MonthForm(),
    }
    if context["steward"]:
        context["months"] = [_month(s) for s in queries.settlements(community)]
    return render(request, "energy/bills.html", context)


def _line(statement: Statement) -> dict[str, Any]:
    saved = words.saved(statement)
    return {
        "statement": statement,
        "title": words.title(statement),
        "gross": words.amount(statement.gross, statement.currency),
        "saved": words.amount(saved, statement.currency),
        "saves": saved > 0,
        "corrected": hasattr(statement, "corrected_by"),
    }


def _month(settlement: Settlement) -> dict[str, Any]:
    sums, currency = settlement.sums, settlement.currency
    gross, alone = Decimal(sums["gross"]), Decimal(sums["alone"])
    return {
        "settlement": settlement,
        "members": sums["members"],
        "received": float(sums["received_kwh"]),
        "gross": words.amount(gross, currency),
        "saved": words.amount(alone - gross, currency),
    }


@require_safe
@never_cache
def bill(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One statement: every line, what it is made of, and what would have been without the community."""
    community, context = _of_statement(request, slug)
    statement = queries.statement(community, number, request.user)
    context |= _line(statement) | {
        "rows": words.rows(statement),
        "notes": words.notes(statement),
        "correction": queries.correction_of(statement),
        "net": words.amount(statement.net, statement.currency),
        "taxes": [
            (words.per_cent(rate), words.amount(Decimal(tax), statement.currency)) for rate, tax in statement.taxes
        ],
        "owed": words.amount(abs(statement.gross), statement.currency),
        "alone": words.amount(statement.alone, statement.currency),
        "energies": {
            name: words.energy(getattr(statement, f"{name}_kwh")) for name in ("use", "received", "feed_in", "given")
        },
        "share": float(statement.received_kwh / statement.use_kwh) if statement.use_kwh else None,
    }
    context |= {
        "chart": bill_charts.days_chart(statement),
        "finding": bill_charts.days_words(statement),
        "both": bill_charts.both(statement),
        "parts": bill_charts.parts(statement),
    }
    context["tariffs"], context["rules"] = queries.terms_of(statement)
    return render(request, "energy/bill.html", context)


def _of_statement(request: HttpRequest, slug: str) -> tuple[Community, dict[str, Any]]:
    """The frame of a statement; whether it may be read is asked of the statement itself."""
    return frame(request, slug, tab="bills")


@require_safe
@never_cache
def bill_pdf(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The statement on paper."""
    community, _context = _of_statement(request, slug)
    statement = queries.statement(community, number, request.user)
    answer = HttpResponse(words.paper(statement), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{community.slug}-{number}.pdf"'
    return answer


@require_safe
@never_cache
def bill_csv(request: HttpRequest, slug: str, number: int) -> StreamingHttpResponse:
    """The statement as a table."""
    community, _context = _of_statement(request, slug)
    statement = queries.statement(community, number, request.user)
    return csv_files.answer(f"{community.slug}-{number}", words.COLUMNS, words.table(statement))


@require_POST
@login_required
def make(request: HttpRequest, slug: str) -> HttpResponse:
    """A steward asks for a month's statements."""
    community, user, context = _steward(request, slug)
    form = MonthForm(request.POST)
    if not form.is_valid():
        context |= {"form": form, "own": [], "months": [_month(s) for s in queries.settlements(community)]}
        return render(request, "energy/bills.html", context, status=400)
    run = services.ask_statements(community=community, month=form.cleaned_data["month"], by=user)
    return redirect("rooms:run", run.pk)


@require_POST
@login_required
def check(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A steward has a settlement worked out again and compared."""
    community, user, _context = _steward(request, slug)
    run = services.ask_check(settlement=queries.settlement(community, number), by=user)
    return redirect("rooms:run", run.pk)
