"""A lab, machines, people, a design with a real file, a device that reports: made by the real services."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from commons.devices import services as devices
from commons.devices.models import Device
from commons.people.models import Organisation, User
from commons.people.services import create_organisation, create_user
from commons.places.models import Place
from designs.models import Blob, Design, FileVersion
from labs.models import Lab, Machine
from labs.services import catalogue

NUMBERS = count(1)


def person(name: str = "") -> User:
    return create_user(username=name or f"person{next(NUMBERS)}")


def lab(name: str = "", **facts: Any) -> Lab:
    handle = name or f"lab{next(NUMBERS)}"
    organisation = create_organisation(handle=handle, name=handle.title(), kind=Organisation.Kind.LAB)
    return catalogue.open_lab(organisation=organisation, name=handle.title(), **facts)


def machine(of: Lab, name: str = "", **facts: Any) -> Machine:
    defaults: dict[str, Any] = {
        "cls": "3d-printer",
        "volume_x_mm": 250,
        "volume_y_mm": 210,
        "volume_z_mm": 220,
    }
    return catalogue.add_machine(lab=of, name=name or f"Machine {next(NUMBERS)}", **{**defaults, **facts})


def enrolled(of: Machine) -> tuple[Device, str]:
    """The machine's device, let in by its code as an agent would be; and its token."""
    code = catalogue.enrolment_code(machine=of)
    return devices.enrol(code=str(code), kind="machine", hardware_id=f"hw-{next(NUMBERS)}")


@dataclass(frozen=True)
class Made:
    """A design with one file, and the file's bytes."""

    design: Design
    body: bytes
    commit: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def sha1(self) -> str:
        return hashlib.sha1(self.body).hexdigest()  # noqa: S324 machines report it

    @property
    def oid(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.body) + self.body).hexdigest()  # noqa: S324 git's name


def design(
    owner: User,
    body: bytes,
    *,
    slug: str = "",
    public: bool = True,
    licence: str = "CERN-OHL-S-2.0",
    **more: Any,
) -> Made:
    """A design whose index holds one file; the repository itself is not asked by the room of labs."""
    slug = slug or f"design-{next(NUMBERS)}"
    row = Design.objects.create(
        owner=owner.handle,
        slug=slug,
        name=slug.title(),
        licence=licence,
        visibility="public" if public else "private",
    )
    made = Made(row, body, hashlib.sha1(slug.encode()).hexdigest())  # noqa: S324
    blob, _ = Blob.objects.get_or_create(
        oid=made.oid,
        defaults={
            "sha1": made.sha1,
            "sha256": made.sha256,
            "size": len(body),
            "format": "stl",
            "facts": more.get("facts"),
        },
    )
    FileVersion.objects.create(
        design=row,
        blob=blob,
        path=more.get("path", "body.stl"),
        commit=made.commit,
        committed_at=timezone.now() - dt.timedelta(days=5),
        current=True,
    )
    return made


def tomorrow(hour: int = 10, **more: int) -> dt.datetime:
    day = timezone.now().replace(hour=hour, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    return day + dt.timedelta(**more)


@pytest.fixture
def kamppi(db: None) -> Place:
    return Place.objects.create(slug="kamppi", name="Kamppi", timezone="Europe/Helsinki")


@pytest.fixture
def city_lab(kamppi: Place) -> Lab:
    return lab(place=kamppi)


@pytest.fixture
def printer(city_lab: Lab) -> Machine:
    return machine(city_lab)
