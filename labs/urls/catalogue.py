"""Labs, their desk and their machines."""

from django.urls import path

from labs.api import catalogue
from labs.views import desk, labs

pages = [
    path("labs/", labs.directory, name="labs"),
    path("labs/<slug:lab>/", labs.lab, name="lab"),
    path("labs/<slug:lab>/live/", labs.live, name="lab_live"),
    path("labs/<slug:lab>/desk/", desk.desk, name="lab_desk"),
    path("labs/<slug:lab>/<slug:machine>/", labs.machine, name="machine"),
    path("labs/<slug:lab>/<slug:machine>/tile/", labs.tile, name="machine_tile"),
]
api = [
    path("labs/", catalogue.Labs.as_view(), name="labs"),
    path("labs/<slug:lab>/", catalogue.OneLab.as_view(), name="lab"),
    path("labs/<slug:lab>/machines/", catalogue.Machines.as_view(), name="lab_machines"),
    path("machines/<int:machine>/", catalogue.OneMachine.as_view(), name="machine"),
    path("machines/<int:machine>/availability/", catalogue.Availability.as_view(), name="availability"),
]
