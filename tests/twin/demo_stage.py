"""The parts that other rooms bring to the demonstration, small: what its loop is seeded on."""

import datetime as dt

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from commons.people.models import Organisation
from commons.people.services import create_organisation, create_user, set_role
from commons.places.models import Place
from labs.models import Booking, Lab
from labs.services import catalogue
from tests.twin.conftest import Import, town
from tests.twin.test_came_of import FIGURES, measured
from twin.models import District, ScenarioResult
from twin.queries import scenarios as reads
from twin.services import scenarios

__all__ = ["town"]


@pytest.fixture
def stage(town: Import) -> Lab:
    """The parts that other rooms bring to the demonstration: a quarter, a lab with people, a community, two answers."""
    place = Place.objects.create(slug="kamppi", name="Kamppi", timezone="UTC", demo=True)
    town(place=place, demo=True)
    guild = create_organisation(
        handle="kamppi-open-lab", name="Kamppi Open Lab", kind=Organisation.Kind.LAB, demo=True
    )
    lab = catalogue.open_lab(organisation=guild, name="Kamppi Open Lab", place=place, lat=60.17, lon=24.944, demo=True)
    machine = catalogue.add_machine(lab=lab, name="Ilves", cls="3d-printer", demo=True)
    for name in ("aino", "leila", "mikko"):
        person = create_user(username=name, demo=True)
        set_role(organisation=guild, user=person, role="member")
        start = timezone.now() - dt.timedelta(days=3)
        if name == "aino":
            end = start + dt.timedelta(hours=2)
            Booking.objects.create(
                machine=machine, user=person, start=start, end=end, blocked=DateTimeTZRange(start, end), status="done"
            )
    version = measured(place, days=60, since=13, pv_before=1.0, pv_since=2.0)
    version.community.demo = True
    version.community.slug = "kamppi"
    version.community.save()
    for title in ("Sun and batteries", "Calm the centre"):
        made = scenarios.create(
            district=District.objects.get(), by=None, title=title,
            measures=[{"kind": "solar", "share_percent": 20 + len(title)}], demo=True,
        )  # fmt: skip
        of = made.versions.get()
        name = reads.inputs_hash(reads.inputs(of, "quick"))
        ScenarioResult.objects.create(version=of, inputs_hash=name, city_version=1, summary={"figures": FIGURES})
    return lab
