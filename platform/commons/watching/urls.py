"""Addresses of what watches over the city."""

from django.urls import URLPattern, URLResolver, path

from commons.watching import views

bare_urlpatterns: list[URLPattern | URLResolver] = [path("metrics", views.metrics, name="metrics")]

urlpatterns: list[URLPattern | URLResolver] = [path("operations/", views.operations, name="operations")]
