"""What a lab tells of itself, its people, its stock; facts, photos and manuals of machines; OKW documents."""

from django.urls import path, re_path

from labs.api import okw as okw_api
from labs.views import okw, profile

pages = [
    path("labs/import/", okw.bring, name="labs_import"),
    path("labs/<slug:lab>/about/", profile.about, name="lab_about"),
    path("labs/<slug:lab>/join/", profile.join, name="lab_join"),
    path("labs/<slug:lab>/people/", profile.people, name="lab_people"),
    path("labs/<slug:lab>/settings/", profile.settings, name="lab_settings"),
    path("labs/<slug:lab>/consumables/", profile.consumables, name="lab_consumables"),
    path("labs/<slug:lab>/okw/", okw.bring_into, name="lab_okw"),
    path("labs/<slug:lab>/<slug:machine>/edit/", profile.edit_machine, name="machine_edit"),
    path("labs/<slug:lab>/<slug:machine>/manuals/<int:number>/", profile.manual, name="machine_manual"),
    re_path(
        r"^labs/(?P<lab>[-\w]+)/(?P<machine>[-\w]+)/photos/(?P<name>[0-9a-f]{32})-(?P<size>large|small)\.jpg$",
        profile.photo,
        name="machine_photo",
    ),
]
api = [
    path("labs/<slug:lab>/okw.json", okw_api.LabOkw.as_view(), name="lab_okw"),
    path("labs/okw.json", okw_api.AllOkw.as_view(), name="labs_okw"),
]
