"""Reads of traffic."""

from typing import Any

from django.db.models import QuerySet

from commons.runs.models import Run
from twin.models import DistrictVersion
from twin.models.traffic import Traffic

KINDS = ("twin.traffic", "twin.traffic_seeds", "twin.traffic_deep")


def traffic_answers(of: DistrictVersion) -> QuerySet[Traffic]:
    """The answers of a version, newest first, without what is heavy."""
    return Traffic.objects.filter(version=of).order_by("-created_at", "-pk").defer("streets", "zones", "picture")


def default_traffic(of: DistrictVersion) -> Traffic | None:
    """The newest equilibrium by our own assumptions, else by any."""
    found = Traffic.objects.filter(version=of, method=Traffic.Method.EQUILIBRIUM).order_by("-created_at", "-pk")
    return found.filter(assumptions={}).first() or found.first()


def chosen_traffic(of: DistrictVersion, asked: str) -> Traffic | None:
    """The equilibrium of this version that the address asks for, or the default one."""
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    found = Traffic.objects.filter(version=of, pk=number, method=Traffic.Method.EQUILIBRIUM).first() if number else None
    return found or default_traffic(of)


def open_traffic_runs(slug: str) -> list[Any]:
    """Runs about a district's traffic that are not over, oldest first."""
    waiting = (Run.Status.QUEUED, Run.Status.RUNNING)
    found = Run.objects.filter(kind__in=KINDS, subject=f"twin.district:{slug}", status__in=waiting, public=True)
    return list(found.order_by("created_at")[:5])
