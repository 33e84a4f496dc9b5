"""A city with sixteen homes, a lab that has made things, and people."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from commons.people.models import User
from commons.people.services import create_user
from commons.places.models import Place
from commons.places.services import box, ensure_city, ensure_neighbourhood
from energy import services as energy
from energy.models import CommunityVersion
from labs.models import EnergyFigure, Job, Machine
from tests.energy.conftest import write
from tests.labs.conftest import Made, design, enrolled, lab, machine

DAYS = 16


@dataclass(frozen=True)
class World:
    """What stands in the city of these tests."""

    city: Place
    kamppi: Place
    version: CommunityVersion
    printer: Machine
    public: Made
    private: Made
    aino: User


def job(
    of: Machine, made: Made | None, *, kwh: float | None, hours: float = 2, days_ago: float = 3, **facts: Any
) -> Job:
    end = timezone.now() - dt.timedelta(days=days_ago)
    known: dict[str, Any] = {}
    if made is not None:
        known = {
            "design": made.design,
            "provenance": "proven",
            "public_made": made.design.is_public,
            "licence_made": made.design.licence if made.design.is_public else "",
        }
    assert of.device is not None
    return Job.objects.create(
        machine=of,
        device=of.device,
        device_job=f"job-{Job.objects.count()}",
        started_at=end - dt.timedelta(hours=hours),
        finished_at=end,
        outcome="finished",
        energy_kwh=kwh,
        energy_quality="measured" if kwh is not None else "none",
        **(known | facts),
    )


@pytest.fixture
def world(tmp_path: Path, db: None) -> World:
    city = ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki", country="FI")
    kamppi = ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city, outline=box(24.93, 60.16, 24.95, 60.18))
    ensure_neighbourhood(slug="kallio", name="Kallio", city=city, outline=box(24.95, 60.18, 24.97, 60.19))
    version = energy.import_folder(folder=write(tmp_path / "homes", days=DAYS), slug="homes", place=kamppi)
    aino = create_user(username="aino", name="Aino")
    printer = machine(lab("workshop", place=kamppi), "Saimaa")
    enrolled(printer)
    printer.refresh_from_db()
    public, private = design(aino, b"open", slug="bracket"), design(aino, b"secret", slug="secret-gift", public=False)
    for nth, kwh in enumerate((0.2, 0.4, 0.9)):
        made = job(printer, public, kwh=kwh, material_g=10 + nth)
        EnergyFigure.objects.create(
            job=made, number=1, quality="measured", coverage=1, kwh=kwh, co2_g=100 * kwh, sha256="0" * 64,
            warm_kwh=0, making_kwh=kwh, idle_kwh=0, pm_kwh=0,
        )  # fmt: skip
    job(printer, private, kwh=0.7, material_g=700)
    job(printer, None, kwh=None)
    return World(city, kamppi, version, printer, public, private, aino)
