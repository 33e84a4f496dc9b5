"""Addresses of the audit log."""

from django.urls import URLPattern, URLResolver, path

from commons.audit import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("audit/", views.records, name="audit"),
    path("audit/heads/", views.heads, name="audit_heads"),
    path("audit/heads.atom", views.heads_feed, name="audit_feed"),
]
