"""The staff's view of the room."""

from django.contrib import admin

from labs.models import Badge, BadgeGrant, Booking, Job, Lab, Machine

for _model in (Badge, BadgeGrant, Booking, Job, Lab, Machine):
    admin.site.register(_model)
