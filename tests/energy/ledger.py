"""Data of a community as if they had been published: their households' sums stand in the ledger."""

from energy import series, veil
from energy.models import CommunityVersion, Publication, PublishedSpan

OPEN = ("load:lab", "load:public")


def published(version: CommunityVersion) -> Publication:
    """Publish curves that no members stand behind, by the cells that they bring."""
    found = dict(version.series.filter(name__in=("load", "cells", *OPEN)).values_list("name", "packed"))
    curves = {name: series.unpack(packed) for name, packed in found.items()}
    open_loads = [curves[name] for name in OPEN if name in curves]
    households = [whole - sum(part) for whole, *part in zip(curves["load"], *open_loads, strict=True)]
    PublishedSpan.objects.create(
        community=version.community, version=version, start=version.start, end=version.end,
        step_minutes=version.step_minutes, packed=series.pack(veil.over_cells(households, curves["cells"])),
    )  # fmt: skip
    return Publication.objects.create(version=version)
