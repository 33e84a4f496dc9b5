"""Addresses of runs: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from commons.runs import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/<uuid:pk>/", views.run, name="run"),
    path("runs/<uuid:pk>/stop/", views.stop, name="run_stop"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/", api.RunList.as_view(), name="runs"),
    path("runs/<uuid:pk>/", api.RunDetail.as_view(), name="run"),
    path("runs/<uuid:pk>/cancel/", api.RunCancel.as_view(), name="run-cancel"),
]
