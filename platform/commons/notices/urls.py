"""Addresses of notices."""

from django.urls import URLPattern, URLResolver, path

from commons.notices import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/notices/", views.notices, name="notices"),
    path("me/notices/read/", views.read, name="notices_read"),
    path("me/notices/settings/", views.settings_page, name="notice_settings"),
    path("me/notices/mail/", views.choose_mail, name="notices_mail"),
    path("me/notices/<int:pk>/", views.notice, name="notice"),
    path("letters/<str:word>/", views.unsubscribe, name="notices_unsubscribe"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("people/me/notices/", api.Notices.as_view(), name="notices"),
]
