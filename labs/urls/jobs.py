"""What machines made."""

from django.urls import path

from labs.api import circuits as circuit_api
from labs.api import jobs as job_api
from labs.api import proof as proof_api
from labs.views import jobs, proof

pages = [
    path("jobs/<uuid:job>/", jobs.job, name="job"),
    path("jobs/<uuid:job>/say/", proof.say, name="job_say"),
    path("jobs/<uuid:job>/file/", proof.send, name="job_send"),
    path("b/<uuid:booking>/slices/", proof.start, name="slice_start"),
    path("slices/<uuid:slice>/program.gcode", proof.fetch, name="slice_program"),
    path("slices/<uuid:slice>/receipt.json", proof.receipt, name="slice_receipt"),
    path("slicing/lc-source-<str:sha256>.ini", proof.preset, name="slicing_preset"),
    path("labs/<slug:lab>/slicing/", proof.lab_slicing, name="lab_slicing"),
]
api = [
    path("device/jobs/<str:job>/file/", proof_api.DeviceJobFile.as_view(), name="device_job_file"),
    path("jobs/<uuid:job>/claim/", proof_api.JobClaim.as_view(), name="job_claim"),
    path("bookings/<uuid:booking>/slices/", proof_api.BookingSlices.as_view(), name="booking_slices"),
    path("slices/<uuid:slice>/", proof_api.OneSlice.as_view(), name="slice"),
    path("slices/<uuid:slice>/program.gcode", proof_api.SliceProgram.as_view(), name="slice_program"),
    path("device/circuit/", circuit_api.DeviceCircuit.as_view(), name="device_circuit"),
    path("device/jobs/", job_api.DeviceJobs.as_view(), name="device_jobs"),
    path("jobs/", job_api.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job>/", job_api.OneJob.as_view(), name="job"),
]
