"""Health, small files and the API's own document: what has no language."""

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from livingcity.views import api_pages, finding, health, plain, search

urlpatterns: list[URLPattern] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("robots.txt", finding.robots, name="robots"),
    path("sitemap.xml", finding.sitemap, name="sitemap"),
    path("sitemap-<slug:kind>-<int:page>.xml", finding.sitemap_file, name="sitemap_file"),
    path("favicon.svg", plain.favicon, name="favicon"),
    path("favicon.ico", plain.favicon, name="favicon_ico"),
    path("manifest.webmanifest", plain.manifest, name="manifest"),
    path("api/", RedirectView.as_view(url="/api/v1/docs/"), name="api"),
    path("api/v1/", api_pages.Root.as_view(), name="api_root"),
    path("api/v1/search/", search.SearchAll.as_view(), name="api_search"),
    path("api/v1/schema/", api_pages.Document.as_view(), name="schema"),
    path("api/v1/docs/", api_pages.docs, name="docs"),
    path("api/v1/errors/<slug:room>/<slug:reason>", api_pages.ErrorPage.as_view(), name="api_error"),
]
