"""Passports of made things, what a lab has made, the share of open designs, meters."""

from django.urls import path

from labs.api import circuits as circuit_api
from labs.api import passports as api_passports
from labs.views import meters, open_production, passports

pages = [
    path("passports/<uuid:passport>/", passports.passport, name="passport"),
    path("passports/<uuid:passport>/label/", passports.label, name="passport_label"),
    path("labs/<slug:lab>/made/", passports.made, name="lab_made"),
    path("labs/<slug:lab>/made/jobs.csv", passports.jobs_csv, name="lab_jobs_csv"),
    path("labs/<slug:lab>/meters/", meters.meters, name="lab_meters"),
    path("figures/open-production/", open_production.definition, name="open_production"),
    path("figures/open-production/figures.json", open_production.figures_json, name="open_production_json"),
    path("figures/open-production/test-set.json", open_production.test_set, name="open_production_tests"),
    path("figures/open-production/check.py", open_production.check_program, name="open_production_check"),
]
api = [
    path("passports/<uuid:passport>/", api_passports.OnePassport.as_view(), name="passport"),
    path("passports/<uuid:passport>/credential/", api_passports.Signed.as_view(), name="passport_credential"),
    path("passports/<uuid:passport>/interfacer/", api_passports.Interfacer.as_view(), name="passport_interfacer"),
    path("passports/<uuid:passport>/entries/", api_passports.PassportEntries.as_view(), name="passport_entries"),
    path("labs/<slug:lab>/passports/", api_passports.LabPassports.as_view(), name="lab_passports"),
    path("labs/<slug:lab>/meters/", circuit_api.LabMeters.as_view(), name="lab_meters"),
    path("labs/<slug:lab>/meters/<uuid:device>/", circuit_api.LabMeter.as_view(), name="lab_meter"),
    path("machines/<int:machine>/start-advice/", circuit_api.StartAdvice.as_view(), name="start_advice"),
]
