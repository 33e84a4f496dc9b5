"""Addresses of reports."""

from django.urls import URLPattern, URLResolver, path

from commons.reports import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", views.queue, name="reports"),
    path("reports/new/", views.new, name="report_new"),
    path("reports/counts/", views.counts, name="report_counts"),
    path("reports/<int:pk>/", views.case, name="report_case"),
    path("reports/<int:pk>/decide/", views.decide, name="report_decide"),
    path("reports/<int:pk>/appeal/", views.appeal, name="report_appeal"),
    path("me/reports/", views.mine, name="my_reports"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", api.Reports.as_view(), name="reports"),
]
