"""The feed of a page, for its head and for a link."""

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from commons.activity import sockets

register = template.Library()


@register.simple_tag(takes_context=True)
def feed_links(context: Context) -> SafeString:
    """Links to the Atom feed of what the page is about, and of the city on its own pages; nothing elsewhere."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    if match is None:
        return SafeString("")
    if match.view_name in {"home", "rooms:activity"}:
        return _link(reverse("rooms:activity_feed"), _("What happens in the city"))
    for kind in sockets.kinds:
        key = kind.pages.get(match.view_name)
        if key is not None and kind.shown({str(name): value for name, value in context.flatten().items()}):
            url = reverse("rooms:activity_feed_of", args=[kind.slug, key(match.kwargs)])
            return _link(url, _("What happens here"))
    return SafeString("")


def _link(url: str, title: str) -> SafeString:
    return format_html('<link rel="alternate" type="application/atom+xml" title="{}" href="{}">', title, url)
