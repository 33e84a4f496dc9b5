"""The staff's view of the room."""

from django.contrib import admin

from labs.models import (
    Badge,
    BadgeGrant,
    Booking,
    Course,
    CourseSession,
    Job,
    Lab,
    Machine,
    SignOff,
    Teaching,
    TrustPolicy,
    TrustRule,
)

for _model in (
    Badge,
    BadgeGrant,
    Booking,
    Course,
    CourseSession,
    Job,
    Lab,
    Machine,
    SignOff,
    Teaching,
    TrustPolicy,
    TrustRule,
):
    admin.site.register(_model)
