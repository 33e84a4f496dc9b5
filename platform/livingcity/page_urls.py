"""Pages that belong to no room: home, places, search, how we measure; the gallery of components and the theme."""

from django.urls import URLPattern, path

from commons.web import views as web

urlpatterns: list[URLPattern] = [
    path("states/", web.states, name="states"),
    path("theme/", web.choose_theme, name="theme"),
]
