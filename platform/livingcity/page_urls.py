"""Pages that belong to no room: home, places, search, open data, how we measure; the gallery of components."""

from django.urls import URLPattern, path, re_path

from commons.people.views import sign_in
from commons.web import views as web
from livingcity.backups import views as backups
from livingcity.views import data, finding, home, measure, search

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("places/<slug:slug>/", home.place, name="place"),
    path("measure/", measure.figures, name="measures"),
    path("measure/<slug:slug>/", measure.figure, name="measure"),
    re_path(r"^measure/(?P<slug>[-\w]+)\.(?P<form>json|csv)$", measure.figure_file, name="measure_file"),
    path("search/", search.search, name="search"),
    path("opensearch.xml", finding.opensearch, name="opensearch"),
    path("data/", data.datasets, name="data"),
    path("data/catalog", data.catalogue, name="data_catalog"),
    re_path(r"^data/catalog\.(?P<form>jsonld|ttl)$", data.catalogue, name="data_catalogue"),
    path("data/files/<path:path>", data.weekly_file, name="data_file"),
    re_path(r"^data/(?P<slug>[-\w]+)\.(?P<form>csv|jsonl)$", data.dataset, name="dataset"),
    path("backups/", backups.page, name="backups"),
    path("backups/now/", backups.now, name="backup_now"),
    path("backups/drill/", backups.drill, name="backup_drill"),
    path("sign-in/<str:secret>/", sign_in.sign_in_link, name="sign_in_link"),
    path("states/", web.states, name="states"),
    path("theme/", web.choose_theme, name="theme"),
]
