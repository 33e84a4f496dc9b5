"""All machines of a lab side by side."""

from django.urls import URLPattern, URLResolver, path

from labs.views import week

pages = [path("labs/<slug:lab>/week/", week.week, name="lab_week")]
api: list[URLPattern | URLResolver] = []
