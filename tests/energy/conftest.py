"""A small community folder, and the community it becomes."""

import datetime as dt
from pathlib import Path

import pytest

from commons.people.models import User
from commons.people.services import create_user
from commons.places import services as places
from commons.places.models import Place
from energy import services
from energy.models import CommunityVersion

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAYS = 4


def write(
    folder: Path, *, homes: int = 16, name: str = "Sixteen homes", days: int = DAYS, start: dt.datetime = START
) -> Path:
    """A folder of homes with a roof on every second, a lab, and a battery; use 0.5 kWh an hour, sun 2 kWh at
    noon.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = [f"h{i:02d}" for i in range(homes)] + ["lab"]
    (folder / "community.toml").write_text(
        f'name = "{name}"\ncurrency = "EUR"\ntimezone = "Europe/Helsinki"\nstart = "{start:%Y-%m-%dT%H:%M:%SZ}"\n'
        "step_minutes = 60\nexport_price = 0.05\n"
    )
    rows = [
        f"{i},{i.title()},{'lab' if i == 'lab' else 'home'},{k % 2 * 2},{'5,2' if k == 1 else ','}"
        for k, i in enumerate(ids)
    ]
    (folder / "members.csv").write_text("id,name,kind,pv_kwp,battery_kwh,battery_kw\n" + "\n".join(rows) + "\n")
    times = [(start + dt.timedelta(hours=h)).isoformat() for h in range(24 * days)]
    load = "\n".join(f"{t}," + ",".join(f"{0.4 + 0.1 * (k % 3):.1f}" for k in range(len(ids))) for t in times)
    pv = "\n".join(
        f"{t}," + ",".join(f"{2.0 if k % 2 and 9 <= h % 24 < 14 else 0:.1f}" for k in range(len(ids)))
        for h, t in enumerate(times)
    )
    header = "time," + ",".join(ids) + "\n"
    (folder / "load_kwh.csv").write_text(header + load + "\n")
    (folder / "pv_kwh.csv").write_text(header + pv + "\n")
    (folder / "prices.csv").write_text("time,import_price\n" + "\n".join(f"{t},0.2" for t in times) + "\n")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "sixteen")


@pytest.fixture
def kamppi(db: None) -> Place:
    city = places.ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki", country="FI")
    return places.ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city)


@pytest.fixture
def version(folder: Path, kamppi: Place) -> CommunityVersion:
    return services.import_folder(folder=folder, slug="sixteen", place=kamppi)


@pytest.fixture
def neighbour(db: None) -> User:
    return create_user(username="nea", name="Nea", password="a long pass phrase")
