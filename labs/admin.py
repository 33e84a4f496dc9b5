"""The staff's view of the room."""

from django.contrib import admin

from labs.models import (
    Badge,
    BadgeGrant,
    Booking,
    BookingSeries,
    Course,
    CourseSession,
    FeedKey,
    Job,
    Lab,
    Machine,
    SignOff,
    Teaching,
    TrustPolicy,
    TrustRule,
    WaitlistEntry,
)

for _model in (
    Badge,
    BadgeGrant,
    Booking,
    BookingSeries,
    Course,
    CourseSession,
    FeedKey,
    Job,
    Lab,
    Machine,
    SignOff,
    Teaching,
    TrustPolicy,
    TrustRule,
    WaitlistEntry,
):
    admin.site.register(_model)
