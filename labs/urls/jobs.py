"""What machines made."""

from django.urls import path

from labs.api import jobs as job_api
from labs.views import jobs

pages = [path("jobs/<uuid:job>/", jobs.job, name="job")]
api = [
    path("device/jobs/", job_api.DeviceJobs.as_view(), name="device_jobs"),
    path("jobs/", job_api.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job>/", job_api.OneJob.as_view(), name="job"),
]
