"""Addresses of OGC API Features and Processes. They have no language and stand outside `/api/v1/`."""

from django.urls import URLPattern, path

from twin.ogc import features, openapi, processes

urlpatterns: list[URLPattern] = [
    path("ogc/", features.Landing.as_view(), name="ogc-landing"),
    path("ogc/api", openapi.Api.as_view(), name="ogc-api"),
    path("ogc/conformance", features.Conformance.as_view(), name="ogc-conformance"),
    path("ogc/collections", features.Collections.as_view(), name="ogc-collections"),
    path("ogc/collections/<str:name>", features.OneCollection.as_view(), name="ogc-collection"),
    path("ogc/collections/<str:name>/queryables", features.Queryables.as_view(), name="ogc-queryables"),
    path("ogc/collections/<str:name>/items", features.Items.as_view(), name="ogc-items"),
    path("ogc/collections/<str:name>/items/<path:key>", features.Item.as_view(), name="ogc-item"),
    path("ogc/processes", processes.Processes.as_view(), name="ogc-processes"),
    path("ogc/processes/<str:name>", processes.OneProcess.as_view(), name="ogc-process"),
    path("ogc/processes/<str:name>/execution", processes.Execution.as_view(), name="ogc-execution"),
    path("ogc/jobs", processes.Jobs.as_view(), name="ogc-jobs"),
    path("ogc/jobs/<str:name>", processes.OneJob.as_view(), name="ogc-job"),
    path("ogc/jobs/<str:name>/results", processes.Results.as_view(), name="ogc-results"),
]
