"""Staff pages of the twin: to look, not to write; districts are made by imports."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from twin.models import District, DistrictVersion


@admin.register(District)
class DistrictAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Districts; their name and place may be mended here."""

    list_display = ("name", "slug", "place", "current", "demo")
    readonly_fields = ("slug", "current", "demo")
    search_fields = ("name", "slug")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(DistrictVersion)
class DistrictVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Versions never change."""

    list_display = ("district", "number", "created_at", "licence", "dated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
