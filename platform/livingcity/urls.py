"""All addresses. Rooms are named by string alone, so that one can be left out."""

from importlib import import_module

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

handler500 = "commons.web.faults.answer_fault"

MODULES = ["commons.people.urls", "commons.devices.urls", "commons.runs.urls", "commons.places.urls"]
MODULES += ["commons.notices.urls", "commons.reports.urls", "commons.decisions.urls"]
MODULES += ["commons.dashboards.urls", "commons.activity.urls", "commons.mine.urls", "commons.owndata.urls"]
MODULES += ["commons.audit.urls"]
MODULES += ["commons.watching.urls"]
MODULES += [f"{room}.urls" for room in settings.ROOMS]


def collected(name: str) -> list[URLPattern | URLResolver]:
    """The patterns of that name in every module that has them."""
    return [pattern for module in MODULES for pattern in getattr(import_module(module), name, [])]


urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("livingcity.api_urls")),
    path("api/v1/", include((collected("api_urlpatterns"), "api"))),
    *collected("bare_urlpatterns"),
    path("i18n/", include("django.conf.urls.i18n")),
    *i18n_patterns(
        path("", include("livingcity.page_urls")),
        path("account/", include("allauth.urls")),
        path("staff/", admin.site.urls),
        path("", include((collected("urlpatterns"), "rooms"))),
        prefix_default_language=False,
    ),
]
