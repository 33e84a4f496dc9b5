"""What the API says about the difference of two versions."""

from typing import Any

from rest_framework import serializers

from designs.queries.diffs import Comparison, FileDiff
from designs.views.comparing import asset_url


class GeometryOut(serializers.Serializer[Any]):
    """What differs in a shape. Volumes in mm³ are null where one side bounds none: then `method` is "sampled" and
    `max_deviation_mm` says how far the surfaces are apart."""

    method = serializers.ChoiceField(choices=("boolean", "sampled", "none"))
    added_mm3 = serializers.FloatField(allow_null=True)
    removed_mm3 = serializers.FloatField(allow_null=True)
    common_mm3 = serializers.FloatField(allow_null=True)
    max_deviation_mm = serializers.FloatField(allow_null=True)
    glb = serializers.URLField(allow_null=True)


class FileDiffOut(serializers.Serializer[Any]):
    """A file that differs. `geometry` is null for what is no shape, and while `status` is pending."""

    path = serializers.CharField()
    old_path = serializers.CharField()
    change = serializers.CharField(help_text="added, removed, changed or renamed")
    kind = serializers.CharField(help_text="solid, drawing, image, table or text")
    status = serializers.CharField(help_text="ready, pending, failed, or none where nothing is computed")
    reason = serializers.CharField(allow_blank=True)
    geometry = GeometryOut(allow_null=True)


def of_comparison(comparison: Comparison, absolute: Any) -> list[dict[str, Any]]:
    """The comparison as the API gives it; `absolute` makes an address whole."""
    return [_of_file(comparison, file, absolute) for file in comparison.files]


def _of_file(comparison: Comparison, file: FileDiff, absolute: Any) -> dict[str, Any]:
    return {
        "path": file.path,
        "old_path": file.change.old_path,
        "change": file.change.kind,
        "kind": file.kind,
        "status": file.status,
        "reason": file.shape.reason if file.shape else "",
        "geometry": _geometry(comparison, file, absolute),
    }


def _geometry(comparison: Comparison, file: FileDiff, absolute: Any) -> dict[str, Any] | None:
    if file.kind not in {"solid", "drawing"} or file.status in {"pending", "failed"}:
        return None
    if file.status == "none":
        return _one_sided(file)
    figures, method = file.figures, file.method
    glb = absolute(asset_url(comparison, file, "model.glb")) if file.shape and file.shape.glb else None
    return {
        "method": method if method in {"boolean", "sampled"} else "none",
        **{key: figures.get(key) for key in ("added_mm3", "removed_mm3", "common_mm3", "max_deviation_mm")},
        "glb": glb,
    }


def _one_sided(file: FileDiff) -> dict[str, Any]:
    """A shape that came, went or only has another name: nothing is computed; its volume is a fact of the file."""
    volume = file.only_volume_mm3
    moved, new = file.change.is_moved_only, bool(file.change.new_oid)
    return (
        {
            "method": "none",
            "added_mm3": 0.0 if moved or not new else volume,
            "removed_mm3": 0.0 if moved or new else volume,
            "common_mm3": volume if moved else 0.0,
            "max_deviation_mm": 0.0 if moved else None,
            "glb": None,
        }
        if not file.left_out
        else dict.fromkeys(GeometryOut().fields, None) | {"method": "none"}
    )
