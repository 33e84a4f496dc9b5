"""The staff's view of the room."""

from django.contrib import admin

from labs.models import Badge, BadgeGrant, Booking, BookingSeries, FeedKey, Job, Lab, Machine, WaitlistEntry

for _model in (Badge, BadgeGrant, Booking, BookingSeries, FeedKey, Job, Lab, Machine, WaitlistEntry):
    admin.site.register(_model)
