"""Addresses of activity."""

from django.urls import URLPattern, URLResolver, path

from commons.activity import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("activity/", views.page, name="activity"),
    path("activity.atom", views.feed, name="activity_feed"),
    path("activity/<slug:kind>/<path:key>.atom", views.feed, name="activity_feed_of"),
    path("activity/<slug:kind>/<path:key>/", views.page, name="activity_of"),
]
