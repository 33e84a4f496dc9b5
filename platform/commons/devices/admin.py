"""Devices for the staff: to look at, to revoke; readings are not edited by hand."""

from django.contrib import admin
from django.http import HttpRequest

from commons.devices.models import Device


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only but for the name and what the device belongs to."""

    list_display = ("name", "kind", "place", "organisation", "enrolled_at", "revoked_at", "last_seen_at", "link")
    list_filter = ("kind", "demo")
    search_fields = ("name", "hardware_id")
    fields = ("name", "kind", "hardware_id", "place", "organisation", "public", "counter_wraps_wh")
    list_select_related = ("place", "organisation")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        return False
