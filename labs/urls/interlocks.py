"""Interlocks and maintenance."""

from django.urls import path

from labs.api import interlocks as api_interlocks
from labs.api import maintenance as api_maintenance
from labs.views import interlocks, maintenance

pages = [
    path("labs/<slug:lab>/interlocks/", interlocks.lab_interlocks, name="lab_interlocks"),
    path("labs/<slug:lab>/interlocks/commands.csv", interlocks.commands, name="lab_interlock_commands"),
    path("labs/<slug:lab>/interlocks/<slug:machine>/", interlocks.one, name="lab_interlock"),
    path("labs/<slug:lab>/maintenance/", maintenance.lab_maintenance, name="lab_maintenance"),
    path("b/<uuid:booking>/power/", interlocks.power, name="booking_power"),
    path("mending/<uuid:mending>/", interlocks.mending, name="mending"),
]
api = [
    path("machines/<int:machine>/interlock/", api_interlocks.MachineInterlock.as_view(), name="machine_interlock"),
    path("machines/<int:machine>/interlock/lock/", api_interlocks.Lock.as_view(), name="machine_interlock_lock"),
    path("machines/<int:machine>/interlock/commands/", api_interlocks.Commands.as_view(), name="machine_commands"),
    path("machines/<int:machine>/interlock/mending/", api_interlocks.Mendings.as_view(), name="machine_mendings"),
    path("mending/<uuid:mending>/", api_interlocks.OneMending.as_view(), name="mending"),
    path("bookings/<uuid:booking>/power/", api_interlocks.Power.as_view(), name="booking_power"),
    path("labs/<slug:lab>/maintenance/", api_maintenance.LabMaintenance.as_view(), name="lab_maintenance"),
    path("labs/<slug:lab>/maintenance/<int:plan>/", api_maintenance.OnePlan.as_view(), name="lab_maintenance_plan"),
    path("labs/<slug:lab>/maintenance/<int:plan>/done/", api_maintenance.Done.as_view(), name="lab_maintenance_done"),
]
