"""Addresses of the room: pages in `urlpatterns`, the API in `api_urlpatterns`."""

from django.urls import URLPattern, URLResolver, path

from labs.api import bookings as booking_api
from labs.api import catalogue as catalogue_api
from labs.api import jobs as job_api
from labs.views import bookings, desk, jobs, labs

urlpatterns: list[URLPattern | URLResolver] = [
    path("labs/", labs.directory, name="labs"),
    path("labs/<slug:lab>/", labs.lab, name="lab"),
    path("labs/<slug:lab>/live/", labs.live, name="lab_live"),
    path("labs/<slug:lab>/desk/", desk.desk, name="lab_desk"),
    path("labs/<slug:lab>/<slug:machine>/", labs.machine, name="machine"),
    path("labs/<slug:lab>/<slug:machine>/book/", bookings.book, name="book"),
    path("jobs/<uuid:job>/", jobs.job, name="job"),
    path("me/bookings/", bookings.mine, name="my_bookings"),
    path("me/bookings/<uuid:booking>/cancel/", bookings.cancel, name="cancel_booking"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("labs/", catalogue_api.Labs.as_view(), name="labs"),
    path("labs/<slug:lab>/", catalogue_api.OneLab.as_view(), name="lab"),
    path("labs/<slug:lab>/machines/", catalogue_api.Machines.as_view(), name="lab_machines"),
    path("machines/<int:machine>/", catalogue_api.OneMachine.as_view(), name="machine"),
    path("machines/<int:machine>/availability/", catalogue_api.Availability.as_view(), name="availability"),
    path("match/", catalogue_api.MatchView.as_view(), name="match"),
    path("bookings/", booking_api.Bookings.as_view(), name="bookings"),
    path("bookings/<uuid:booking>/", booking_api.OneBooking.as_view(), name="booking"),
    path("device/jobs/", job_api.DeviceJobs.as_view(), name="device_jobs"),
    path("jobs/", job_api.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job>/", job_api.OneJob.as_view(), name="job"),
]
