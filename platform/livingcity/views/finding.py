"""What lets programs find their way: robots.txt, the maps of the site, and how a browser searches here."""

import datetime as dt
from collections.abc import Iterable, Iterator
from xml.sax.xmlreader import AttributesImpl

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.xmlutils import SimplerXMLGenerator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from commons import sockets
from commons.errors import NotFound
from commons.places.queries import all_places

#: Addresses in one file; 50,000 are allowed, but a worker should not be held up by a robot.
IN_A_FILE = 5000
PLAIN = ("home", "measures", "data", "docs")
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
#: Not for robots: what is one's own, what is made on demand, and lists in all their combinations.
CLOSED = ("account/", "me/", "staff/", "backups/", "search/", "runs/", "sign-in/", "designs/?", "designs/okh/")


@require_safe
@cache_control(max_age=86400, public=True)
def robots(request: HttpRequest) -> HttpResponse:
    """Robots may read what people read, but not the account pages, search or files made on demand."""
    tongues = ["", *(f"{code}/" for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE)]
    closed = [f"/{tongue}{path}" for tongue in tongues for path in CLOSED]
    lines = ["User-agent: *", "Disallow: /api/", *(f"Disallow: {path}" for path in closed)]
    return HttpResponse("\n".join([*lines, "", f"Sitemap: {_map_of()}", ""]), content_type="text/plain")


@require_safe
@cache_control(max_age=3600, public=True)
def sitemap(request: HttpRequest) -> HttpResponse:
    """The files that name every public page, by kind."""
    files = [_map_of("site", 1)]
    for plug in sockets.sitemaps:
        files += [_map_of(plug.slug, page) for page in range(1, -(-plug.count() // IN_A_FILE) + 1)]
    return _xml("sitemapindex", "sitemap", ((address, None) for address in files))


@require_safe
@cache_control(max_age=3600, public=True)
def sitemap_file(request: HttpRequest, kind: str, page: int) -> HttpResponse:
    """One of them: addresses and when they changed."""
    plug = sockets.sitemaps.get(kind)
    if (plug is None and (kind, page) != ("site", 1)) or not 1 <= page <= 10_000:
        raise NotFound(_("There is no such map of the site."))
    if plug is None:
        return _xml("urlset", "url", _plain())
    listed = list(plug.addresses((page - 1) * IN_A_FILE, page * IN_A_FILE))
    if not listed:
        raise NotFound(_("There is no such map of the site."))
    return _xml("urlset", "url", ((f"{settings.PUBLIC_URL}{path}", changed) for path, changed in listed))


@require_safe
@cache_control(max_age=86400, public=True)
def opensearch(request: HttpRequest) -> HttpResponse:
    """How a browser searches here, in the language of the address (OpenSearch 1.1)."""
    name = str(settings.SITE_NAME)
    response = HttpResponse(content_type="application/opensearchdescription+xml")
    xml = SimplerXMLGenerator(response, "utf-8")
    xml.startDocument()
    xml.startElement("OpenSearchDescription", AttributesImpl({"xmlns": OPENSEARCH}))
    xml.addQuickElement("ShortName", name[:16])
    xml.addQuickElement("Description", _("Search designs, labs, machines, people"))
    xml.addQuickElement("InputEncoding", "UTF-8")
    xml.addQuickElement("Image", f"{settings.PUBLIC_URL}{reverse('favicon')}", {"type": "image/svg+xml"})
    template = f"{settings.PUBLIC_URL}{reverse('search')}?q={{searchTerms}}"
    xml.addQuickElement("Url", None, {"type": "text/html", "method": "get", "template": template})
    xml.endElement("OpenSearchDescription")
    xml.endDocument()
    return response


def _map_of(kind: str = "", page: int = 1) -> str:
    path = reverse("sitemap_file", args=[kind, page]) if kind else reverse("sitemap")
    return f"{settings.PUBLIC_URL}{path}"


def _plain() -> Iterator[tuple[str, None]]:
    """The pages of no room, the rooms' first pages, and the places."""
    paths = [reverse(name) for name in PLAIN]
    for entry in sockets.nav:
        try:
            paths.append(reverse(entry.url_name))
        except NoReverseMatch:
            continue
    paths += [reverse("place", args=[place.slug]) for place in all_places()]
    for path in dict.fromkeys(paths):
        yield f"{settings.PUBLIC_URL}{path}", None


def _xml(around: str, each: str, entries: Iterable[tuple[str, "dt.datetime | None"]]) -> HttpResponse:
    response = HttpResponse(content_type="application/xml")
    xml = SimplerXMLGenerator(response, "utf-8")
    xml.startDocument()
    xml.startElement(around, AttributesImpl({"xmlns": SITEMAPS}))
    for address, changed in entries:
        xml.startElement(each, AttributesImpl({}))
        xml.addQuickElement("loc", address)
        if changed is not None:
            xml.addQuickElement("lastmod", changed.isoformat(timespec="seconds"))
        xml.endElement(each)
    xml.endElement(around)
    xml.endDocument()
    return response
