"""Tags and filters that every template has: numbers by the guide, icons, slots for other rooms."""

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from commons import sockets

register = template.Library()


@register.simple_tag(takes_context=True)
def slot(context: template.Context, place: str, subject: Any) -> SafeString:
    """What other rooms hang onto this spot of the page."""
    request = context["request"]
    pieces = []
    for plug in sockets.page_slots:
        if plug.place == place and (filled := plug.context(request, subject)) is not None:
            pieces.append(render_to_string(plug.template, {**filled, "subject": subject}, request=request))
    return mark_safe("".join(pieces))  # noqa: S308 rendered templates, already escaped
