"""Addresses of the room: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
api_urlpatterns: list[URLPattern | URLResolver] = []
