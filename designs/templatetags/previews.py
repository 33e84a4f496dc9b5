"""`{% preview design blob "small" %}`: the address of a picture or model of a file."""

from django.template import Library

from designs.addresses import preview_url
from designs.models import Blob, Design

register = Library()


@register.simple_tag
def preview(design: Design, blob: Blob, kind: str) -> str:
    """The address of a blob's picture (`png`, `small`, `large`) or model (`glb`) as this design shows it."""
    return preview_url(design, blob, kind)
