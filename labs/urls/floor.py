"""On the floor: faults, the log, labels, kiosks."""

from django.urls import URLPattern, URLResolver, path

from labs.api import faults as api_faults
from labs.api import log as api_log
from labs.views import faults, instead, kiosk, labels, log

pages = [
    path("faults/<uuid:fault>/", faults.one, name="fault"),
    path("labs/<slug:lab>/<slug:machine>/instead/", instead.instead, name="instead"),
    path("labs/<slug:lab>/faults/", faults.lab_faults, name="lab_faults"),
    path("labs/<slug:lab>/log/", log.lab_log, name="lab_log"),
    path("labs/<slug:lab>/log/log.csv", log.lab_log_csv, name="lab_log_csv"),
    path("labs/<slug:lab>/labels/", labels.sheet, name="lab_labels"),
    path("q/<slug:code>/", labels.at_machine, name="at_machine"),
    path("labs/<slug:lab>/kiosk/", kiosk.kiosk, name="lab_kiosk"),
    path("labs/<slug:lab>/kiosk/pair/", kiosk.pair, name="pair_kiosk"),
    path("labs/<slug:lab>/kiosk/touch/", kiosk.touch, name="kiosk_touch"),
    path("labs/<slug:lab>/kiosk/pin/", kiosk.pin, name="kiosk_pin"),
    path("me/kiosk/", kiosk.my_pass, name="my_kiosk_pass"),
]
api: list[URLPattern | URLResolver] = [
    path("machines/<int:machine>/faults/", api_faults.MachineFaults.as_view(), name="machine_faults"),
    path("machines/<int:machine>/reliability/", api_faults.MachineReliability.as_view(), name="machine_reliability"),
    path("labs/<slug:lab>/faults/", api_faults.LabFaults.as_view(), name="lab_faults"),
    path("faults/<uuid:fault>/", api_faults.OneFault.as_view(), name="fault"),
    path("faults/<uuid:fault>/close/", api_faults.CloseFault.as_view(), name="fault_close"),
    path("labs/<slug:lab>/log/", api_log.LabLog.as_view(), name="lab_log"),
]
