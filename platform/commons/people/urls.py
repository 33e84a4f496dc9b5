"""Addresses of people: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from commons.people import api
from commons.people.views import handles, me, sessions

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/", me.me, name="me"),
    path("me/profile/", me.profile, name="profile"),
    path("me/tokens/new/", me.new_token, name="new_token"),
    path("me/tokens/<int:pk>/revoke/", me.revoke_token, name="revoke_token"),
    path("me/sessions/", sessions.sessions, name="sessions"),
    path("me/sessions/end-others/", sessions.end_other_sessions, name="end_other_sessions"),
    path("me/sessions/<int:pk>/end/", sessions.end_session, name="end_session"),
    path("organisations/new/", handles.new_organisation, name="new_organisation"),
    path("people/<str:name>/", handles.handle, name="person"),
    path("people/<str:name>/members/", handles.set_member, name="set_member"),
    path("people/<str:name>/members/<str:person>/remove/", handles.remove_member, name="remove_member"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("people/me/", api.Me.as_view(), name="me"),
    path("people/<slug:name>/", api.PersonOrOrganisation.as_view(), name="person"),
]
