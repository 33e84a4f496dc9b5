"""Staff's view of the tables."""

from django.contrib import admin

from designs.models import Blob, Design


@admin.register(Design)
class DesignAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic while running
    """Designs."""

    list_display = ("name", "owner", "slug", "licence", "visibility", "pushed_at", "demo")
    list_filter = ("visibility", "demo", "licence")
    search_fields = ("name", "slug", "owner__name")
    raw_id_fields = ("owner", "cover", "created_by")


@admin.register(Blob)
class BlobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Contents of files, with how their previews went."""

    list_display = ("oid", "format", "size", "preview", "reason")
    list_filter = ("preview", "format")
    search_fields = ("oid", "sha256")
