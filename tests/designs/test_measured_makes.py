"""A person who shows what they made may point to the machine's own record of it, and nobody to another's."""

import hashlib
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client

from commons.people.models import User
from designs.errors import NoSuchMeasured
from designs.models import Design, Make
from designs.queries.measured import measured_of, own_measured
from designs.services.makes import add_make
from labs.models import Booking, Job
from tests.designs.conftest import cube_stl
from tests.labs.conftest import lab, machine
from tests.labs.test_jobs import HOUR, START, Agent

pytestmark = pytest.mark.django_db


def test_a_make_points_to_a_job_of_ones_own(design: Design, maker: User, neighbour: User) -> None:
    thing, other, printer = design, neighbour, machine(lab())
    body = cube_stl(12)
    file = {"name": "cube.stl", "sha256": hashlib.sha256(body).hexdigest()}
    job = Agent(printer).made(file, start=START, hours=1.5)
    assert job.design == thing
    assert own_measured(thing, maker) == [], "nobody had booked it"
    booking = Booking.objects.create(
        machine=printer, user=maker, start=START, end=START + 2 * HOUR,
        blocked=DateTimeTZRange(START, START + 2 * HOUR),
    )  # fmt: skip
    Job.objects.filter(pk=job.pk).update(booking=booking)

    [found] = own_measured(thing, maker)
    assert (found.url, found.commit) == (f"/jobs/{job.pk}/", job.design_commit)
    assert own_measured(thing, other) == own_measured(thing, None) == []
    for key in (found.key, "labs.job:nonsense", "x"):
        with pytest.raises(NoSuchMeasured):
            add_make(design=thing, author=other, text="Mine!", measured=key)

    client = Client()
    client.force_login(maker)
    page = f"/designs/{thing.owner.name}/{thing.slug}/makes/"
    assert f'<option value="{found.key}"' in client.get(page).content.decode()
    assert client.post(f"{page}add/", {"measured": found.key}).status_code == 302
    made = Make.objects.get()
    assert made.measured == found.key and made.commit == job.design_commit[:40]
    shown = Client().get(page).content.decode()
    assert f'href="/jobs/{job.pk}/"' in shown and printer.name in shown
    assert own_measured(thing, maker) == [], "it is told of once"
    assert client.post(f"{page}add/", {"measured": found.key}).status_code == 404
    answer: dict[str, Any] = Client().get(f"/api/v1/designs/{thing.owner.name}/{thing.slug}/makes/").json()
    assert answer["results"][0]["measured"] == found.key
    job.delete()
    assert measured_of([made]) == {} and Client().get(page).status_code == 200
