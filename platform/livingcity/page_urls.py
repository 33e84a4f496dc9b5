"""Pages that belong to no room: home, places, search, how we measure."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
