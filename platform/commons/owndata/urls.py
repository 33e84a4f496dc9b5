"""Addresses of one's own data: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from commons.owndata import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("known/", views.known, name="what_is_known"),
    path("me/data/", views.data, name="own_data"),
    path("me/data/<uuid:pk>/", views.download, name="own_data_file"),
    path("me/close/", views.close, name="close_account"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("people/me/data/", api.MyData.as_view(), name="own-data"),
    path("people/me/data/<uuid:pk>/", api.MyDataFile.as_view(), name="own-data-file"),
    path("people/me/close/", api.CloseMe.as_view(), name="close-account"),
]
