"""Addresses of a person's own pages."""

from django.urls import URLPattern, URLResolver, path

from commons.mine import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/day/", views.today, name="my_day"),
    path("me/first-hour/", views.first_hour, name="first_hour"),
]
