"""Small files of the site: the manifest, the favicon."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

#: Our mark: a roof line under the sun, as in the masthead.
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"><circle cx="14" cy="14" r="14" fill="#0f6b4f"/>'
    '<path d="M5 19.5h18M8 19.5v-6l4-2.6v8.6M12 19.5V13h4.2v6.5M16.2 19.5v-9l4 2.4v6.6" fill="none" stroke="#fff" '
    'stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round"/>'
    '<circle cx="9.2" cy="8" r="2.1" fill="#f8ab00"/></svg>'
)


@require_safe
@cache_control(max_age=86400, public=True)
def favicon(request: HttpRequest) -> HttpResponse:
    """The mark as SVG."""
    return HttpResponse(FAVICON, content_type="image/svg+xml")


@require_safe
@cache_control(max_age=86400, public=True)
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest."""
    document = {
        "name": str(settings.SITE_NAME),
        "short_name": str(settings.SITE_NAME),
        "description": _("Open designs, the labs that make them, and the neighbourhood's energy."),
        "start_url": "/",
        "display": "minimal-ui",
        "background_color": "#f6f4ee",
        "theme_color": "#0f6b4f",
        "icons": [{"src": "/favicon.svg", "sizes": "any", "type": "image/svg+xml"}],
    }
    return JsonResponse(document, content_type="application/manifest+json")
