"""Addresses of people: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from commons.people.views import me

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/", me.me, name="me"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
