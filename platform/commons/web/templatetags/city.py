"""Tags that every template has: icons, slots for other rooms, and the components of the guide (docs: building blocks).

{% icon "labs" %}                                         {% icon "labs" "s" %} small
{% bar 0.61 "act" %}                                      {% bar 0.61 "solar" goal=0.9 %}
{% figure "1.78 kW" "now" %}                              {% chip "Printing" "good" icon="check" %}
{% metric headline figure url %}                          the headline card of a sockets.Figure
{% note "warn" icon="clock" %}<b>…</b> …{% endnote %}     one sentence that changes what a person does
{% empty "No makes yet" icon="designs" url=… action=… %}…{% endempty %}
{% progress run %}                                        {% stale "118 W" "Saimaa" last_heard %}
{% crumbs "Designs" designs_url design.name %}            {% pager page_obj %}
{% form_summary form %} {% form_field form.hours %} {% form_fields form %}
{% spark values "solar" "The last hour" %}
{% json_data layers "data-layers" %}                      a JSON block for an island
"""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.forms import BaseForm, BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from commons import sockets
from commons.web import numbers

if TYPE_CHECKING:
    import datetime as dt

    from commons.runs.models import Run

register = template.Library()

# As django.utils.html.json_script does: nothing in the text can end the script element.
JSON_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}
ICON_ALIASES = {
    "cube": "designs",
    "bolt": "energy",
    "layers": "twin",
    "machine": "labs",
    "vote": "decisions",
    "user": "person",
}


@register.simple_tag(takes_context=True)
def slot(context: template.Context, place: str, subject: Any) -> SafeString:
    """What other rooms hang onto this spot of the page."""
    request = context["request"]
    pieces = []
    for plug in sockets.page_slots:
        if plug.place == place and (filled := plug.context(request, subject)) is not None:
            pieces.append(render_to_string(plug.template, {**filled, "subject": subject}, request=request))
    return mark_safe("".join(pieces))  # noqa: S308 rendered templates, already escaped


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A symbol of web/icons.html; decoration, so hidden from readers: put words beside it. `size`: "s", "l" or none."""
    return _symbol(ICON_ALIASES.get(name, name), size)


@lru_cache(maxsize=500)
def _symbol(name: str, size: str) -> SafeString:
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true"><use href="#i-{}"/></svg>', size, name
    )


@register.simple_tag
def bar(share: object, colour: str = "act", goal: object = None, thin: bool = False) -> SafeString:
    """A share 0..1 as a bar, with a mark at the goal if there is one; decoration beside the words that say it."""
    known = numbers.as_number(share)
    width = 0 if known is None else min(max(round(known * 100), 0), 100)
    drawn = format_html(
        '<div class="bar{}" role="presentation"><i class="c-{} w-{}"></i></div>', " thin" if thin else "", colour, width
    )
    mark = numbers.as_number(goal)
    if mark is None:
        return drawn
    return format_html('<div class="goal at-{}">{}<s></s></div>', min(max(round(mark * 100), 0), 99), drawn)


@register.simple_tag
def parts_bar(*shares_and_colours: Any) -> SafeString:
    """Several shares in one bar: `{% parts_bar 0.7 "solar" 0.3 "grid" %}`."""
    pairs = zip(shares_and_colours[::2], shares_and_colours[1::2], strict=True)
    pieces = [
        format_html('<i class="c-{} w-{}"></i>', colour, min(max(round((numbers.as_number(share) or 0) * 100), 0), 100))
        for share, colour in pairs
    ]
    return format_html('<div class="bar" role="presentation">{}</div>', mark_safe("".join(pieces)))  # noqa: S308 made by format_html


@register.simple_tag
def figure(value: str, label: object, colour: str = "") -> SafeString:
    """A number with its unit set smaller and a short label."""
    amount, unit = numbers.split_unit(str(value))
    small = format_html('<span class="unit">{}</span>', unit) if unit else ""
    return format_html(
        '<div class="figure"><div class="v{}">{}{}</div><div class="k">{}</div></div>',
        f" t-{colour}" if colour else "",
        amount,
        small,
        label,
    )


@register.simple_tag(name="chip")
def chip_tag(words: object, kind: str = "", icon: str = "") -> SafeString:
    """A state or a fact of one to three words; `kind`: good, warn, bad, solar, grid, act, line or none."""
    return format_html('<span class="chip {}">{}{}</span>', kind, _drawn(icon, "s"), words)


def _drawn(name: str, size: str = "") -> SafeString | str:
    return icon(name, size) if name else ""


@register.inclusion_tag("web/metric.html")
def metric(headline: sockets.HeadlineFigure, figure: sockets.Figure, url: str = "") -> dict[str, Any]:
    """The card of a headline figure: value, meaning, goal, period, how complete; a link to how it is measured."""
    show = numbers.percent if headline.style == "percent" else numbers.ratio
    value, unit = numbers.split_unit(show(figure.value))
    top = max(headline.goal, 1.0) if headline.style == "ratio" else 1.0
    return {
        "headline": headline,
        "figure": figure,
        "url": url,
        "value": value,
        "unit": unit,
        "goal": show(headline.goal),
        "share": None if figure.value is None else figure.value / top,
        "goal_at": headline.goal / top,
        "period": _period(figure),
    }


def _period(figure: sockets.Figure) -> str:
    """The period of a figure in few words: "Year 2024", "Last 90 days", "Read on 3 May", or nothing."""
    if figure.end is None:
        return ""
    if figure.start is None:
        return _("Read on %(day)s") % {"day": numbers.day(timezone.localtime(figure.end).date(), timezone.localdate())}
    first, last = timezone.localtime(figure.start), timezone.localtime(figure.end)
    days = round((last - first).total_seconds() / 86_400)
    if days in (365, 366) and (first.month, first.day) == (1, 1):
        return _("Year %(year)d") % {"year": first.year}
    words = {"n": numbers.number(days), "day": numbers.day(last.date(), timezone.localdate())}
    if abs(timezone.now() - figure.end) < datetime.timedelta(days=1):
        return ngettext("Last %(n)s day", "Last %(n)s days", days) % words
    return ngettext("%(n)s day to %(day)s", "%(n)s days to %(day)s", days) % words


@register.simple_block_tag
def note(content: str, kind: str = "", icon: str = "") -> SafeString:
    """One sentence that changes what a person does; `kind`: good, warn, bad (spoken at once), solar or none."""
    names = {"good": "check", "warn": "clock", "bad": "warning", "solar": "sun"}
    role = mark_safe(' role="alert"') if kind == "bad" else ""
    return format_html(
        '<div class="note {}"{}>{}<div>{}</div></div>',
        kind,
        role,
        _drawn(icon or names.get(kind, "info")),
        mark_safe(content),  # noqa: S308 template text
    )


@register.simple_block_tag
def empty(content: str, title: object, icon: str = "designs", url: str = "", action: object = "") -> SafeString:
    """Nothing yet: what will be here, and the action that fills it."""
    button = format_html('<a class="btn main" href="{}">{}</a>', url, action) if url else ""
    return format_html(
        '<div class="empty">{}<h2>{}</h2><p>{}</p>{}</div>',
        _drawn(icon),
        title,
        mark_safe(content),  # noqa: S308 template text
        button,
    )


@register.inclusion_tag("web/progress.html", takes_context=True)
def progress(context: template.Context, run: "Run", then: str = "reload", stoppable: bool = True) -> dict[str, Any]:
    """A run with its bar, stage and Stop; live where script runs. `then`: "reload" or an address to go to when done."""
    return {
        "run": run,
        "then": then,
        "percent": numbers.percent(run.progress),
        "width": min(max(round(run.progress * 100), 0), 100),
        "stoppable": stoppable and not run.is_over,
        "csrf_token": context.get("csrf_token", ""),
    }


@register.simple_tag
def live_address(board: str, key: object) -> str:
    """The stream of a live board in the language of the page (`commons.devices.live`)."""
    return f"/api/v1/live/{board}/{key}/?lang={get_language()}"


@register.inclusion_tag("web/stale.html")
def stale(value: str, what: object, heard: "dt.datetime | None") -> dict[str, Any]:
    """A last known figure that is out of date, and since when."""
    amount, unit = numbers.split_unit(str(value))
    return {"value": amount, "unit": unit, "what": what, "heard": heard}


@register.inclusion_tag("web/crumbs.html")
def crumbs(*steps: object) -> dict[str, Any]:
    """Where we are: pairs of words and address, and the words of this page last."""
    *before, here = steps
    return {"steps": list(zip(before[::2], before[1::2], strict=True)), "here": here}


@register.inclusion_tag("web/pager.html", takes_context=True)
def pager(context: template.Context, page: Any) -> dict[str, Any]:
    """Earlier and later pages of a Django `Page`; the filters in the address stay."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    return {"page": page, "query": query.urlencode()}


@register.inclusion_tag("web/form_summary.html")
def form_summary(form: BaseForm) -> dict[str, Any]:
    """What is not right, with links to the fields; nothing when all is."""
    fields = [(field, error) for field in form for error in field.errors]
    return {"form": form, "fields": fields, "count": len(fields) + len(form.non_field_errors())}


@register.inclusion_tag("web/form_field.html")
def form_field(field: BoundField, label: str = "") -> dict[str, Any]:
    """A field with its label, hint and error under it."""
    widget = field.field.widget
    many = isinstance(widget, (RadioSelect, CheckboxSelectMultiple))
    tick = isinstance(widget, CheckboxInput)
    described = [f"{field.id_for_label}_hint"] if field.help_text else []
    described += [f"{field.id_for_label}_why"] if field.errors else []
    attributes: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if field.errors:
        attributes["aria-invalid"] = "true"
    drawn = field if many else field.as_widget(attrs=attributes)
    return {
        "field": field,
        "drawn": drawn,
        "label": label or field.label,
        "many": many,
        "tick": tick,
        "hidden": field.is_hidden,
    }


@register.inclusion_tag("web/form_fields.html")
def form_fields(form: BaseForm) -> dict[str, Any]:
    """The summary and every field in order."""
    return {"form": form}


@register.simple_tag
def spark(values: Iterable[object], colour: str = "load-ink", label: object = "") -> SafeString:
    """A small line of the last hour; zero is its foot. Gaps stay gaps."""
    known = [numbers.as_number(value) for value in values]
    top = max((value for value in known if value is not None), default=0.0)
    if len(known) < 2 or top <= 0:
        return mark_safe("")
    return format_html(
        '<svg class="spark c-{}" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path d="{}"/></svg>',
        colour,
        label,
        _path(known, top),
    )


def _path(values: Sequence[float | None], top: float) -> str:
    step = 100 / (len(values) - 1)
    pieces, pen = [], "M"
    for at, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        pieces.append(f"{pen}{at * step:.1f} {29 - 28 * max(value, 0) / top:.1f}")
        pen = "L"
    return "".join(pieces)


@register.simple_tag
def json_data(value: Any, mark: str) -> SafeString:
    """A JSON block with a mark, for islands that take several: `{% json_data layers "data-layers" %}`."""
    text = json.dumps(value, cls=DjangoJSONEncoder).translate(JSON_ESCAPES)
    return format_html('<script type="application/json" {}>{}</script>', mark, mark_safe(text))  # noqa: S308 escaped


@register.filter
def get(mapping: Mapping[str, Any] | None, key: str) -> Any:
    """A value by a key that is itself a variable."""
    return None if mapping is None else mapping.get(key)


@register.simple_tag
def estimated() -> SafeString:
    """The word that stands beside every figure that is not measured."""
    return chip_tag(_("estimated"), "line")
