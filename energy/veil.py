"""The veil: a sum over households is published once, and stays as it was published.

`lay` writes down what the public hears of a version's households in the time of which nothing was said yet; `lift`
reads it back. Cells of the new time are cut by themselves, so none of them reaches into time that was published with
other members. Nothing here is loaded with numpy but where cells are cut, which happens when data come in.
"""

import datetime as dt
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from energy import policies, series
from energy.models import CommunityVersion, PublishedSpan

ROUND_KWH = 0.1
NOT_SHOWN = -1


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps of a version from `first` until `until`."""

    first: int
    until: int


def over_cells(values: Sequence[float], cells: Sequence[float]) -> "array[float]":
    """Sums of the cells, rounded and spread evenly over their steps."""
    found = array("d", bytes(8 * len(values)))
    first = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or cells[i] != cells[first]:
            even = round(sum(values[first:i]) / ROUND_KWH) * ROUND_KWH / (i - first)
            for j in range(first, i):
                found[j] = even
            first = i
    return found


def lay(version: CommunityVersion) -> bool:
    """Publish the households' use of the time that is new in this version; whether all of it may be. Where it may not,
    nothing is written, and the version waits for more time or more members."""
    rows = version.members.exclude(kind__in=policies.OPEN_KINDS)
    whole = version.series.filter(name="cells").values_list("packed", flat=True).first()
    if whole is None or series.unpack(whole)[0] == NOT_SHOWN:
        return True  # nothing of households is published of it
    use = [series.unpack(packed) for packed in rows.values_list("load", flat=True)]
    laid = []
    for stretch in _unsaid(version):
        part = [values[stretch.first : stretch.until] for values in use]
        cells = _cells(version, stretch, part)
        if cells[0] == NOT_SHOWN:
            return False
        told = over_cells([sum(step) for step in zip(*part, strict=True)], cells)
        laid.append(
            PublishedSpan(
                community=version.community, version=version, start=_time(version, stretch.first),
                end=_time(version, stretch.until), step_minutes=version.step_minutes, packed=series.pack(told),
            )
        )  # fmt: skip
    PublishedSpan.objects.bulk_create(laid)
    return True


def lift(version: CommunityVersion) -> "array[float]":
    """What was published of the households' use in the time of a version, kWh a step of it; empty unless all of it."""
    found = array("d", bytes(8 * version.steps))
    known = bytearray(version.steps)
    for span in _spans(version):
        told = _in_steps(span, version)
        first = (span.start - version.start) // dt.timedelta(minutes=version.step_minutes)
        begins, ends = max(0, first), min(version.steps, first + len(told))
        found[begins:ends] = told[begins - first : ends - first]
        known[begins:ends] = b"\1" * (ends - begins)
    return found if all(known) else array("d")


def cells(version: CommunityVersion) -> "array[float]":
    """The number of the cell of each step, as the ledger cut them: a stretch that was told evenly is one. Empty where
    not all of the version's time was told. What else is shown of these households by the hour is cut alike."""
    told = lift(version)
    found = array("d", bytes(8 * len(told)))
    for i in range(1, len(told)):
        found[i] = found[i - 1] + (told[i] != told[i - 1])
    return found


def laid_by(version: CommunityVersion) -> list[int | None]:
    """The versions that said what the ledger has of the time of this one; None for one that is gone."""
    return list(_said(version).values_list("version", flat=True))


def _in_steps(span: PublishedSpan, version: CommunityVersion) -> "array[float]":
    """What was published in a stretch, in whole steps of a version: added up, or spread evenly."""
    told = series.unpack(span.packed)
    if version.step_minutes == span.step_minutes:
        return told
    if version.step_minutes > span.step_minutes:
        many = version.step_minutes // span.step_minutes
        skip = -((span.start - version.start) // dt.timedelta(minutes=span.step_minutes)) % many
        if skip:
            return array("d")  # it begins within a step: that time is not known in steps as long as these
        return array("d", (sum(told[i : i + many]) for i in range(0, len(told) - len(told) % many, many)))
    many = span.step_minutes // version.step_minutes
    return array("d", (value / many for value in told for _part in range(many)))


def _spans(version: CommunityVersion) -> Iterator[PublishedSpan]:
    return _said(version).iterator()


def _said(version: CommunityVersion) -> "QuerySet[PublishedSpan]":
    rows = PublishedSpan.objects.filter(community=version.community_id, start__lt=version.end, end__gt=version.start)
    return rows.order_by("start")


def _unsaid(version: CommunityVersion) -> list[Stretch]:
    """Stretches of the version's time of which nothing was published."""
    step = dt.timedelta(minutes=version.step_minutes)
    found, first = [], 0
    for span in _spans(version):
        before = (span.start - version.start) // step
        if before > first:
            found.append(Stretch(first, before))
        first = max(first, -(-(span.end - version.start) // step))
    if first < version.steps:
        found.append(Stretch(first, version.steps))
    return found


def _time(version: CommunityVersion, step: int) -> dt.datetime:
    return version.start + dt.timedelta(minutes=version.step_minutes) * step


def _cells(version: CommunityVersion, stretch: Stretch, use: "list[array[float]]") -> list[float]:
    import numpy as np  # noqa: PLC0415 numpy is loaded where data come in alone

    from energy.engine import disclosure  # noqa: PLC0415 as above

    found = disclosure.cells(
        np.array(use), start=_time(version, stretch.first), step_minutes=version.step_minutes,
        timezone=version.timezone, least=policies.LEAST_MEMBERS,
        least_below_an_hour=policies.LEAST_MEMBERS_BELOW_AN_HOUR, largest_share=policies.LARGEST_SHARE,
    )  # fmt: skip
    return [float(number) for number in found]
