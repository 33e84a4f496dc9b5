"""Staff pages of places."""

from typing import TYPE_CHECKING

from django.contrib import admin

from commons.places.models import Place

if TYPE_CHECKING:
    PlaceModelAdmin = admin.ModelAdmin[Place]
else:
    PlaceModelAdmin = admin.ModelAdmin


@admin.register(Place)
class PlaceAdmin(PlaceModelAdmin):
    """Cities and neighbourhoods."""

    list_display = ("name", "slug", "kind", "parent", "timezone", "demo")
    list_filter = ("kind", "demo")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012 Django's own way
