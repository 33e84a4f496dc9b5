"""Live boards of labs: what they say, that pages follow them, who may look."""

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons import sockets
from commons.devices import services as devices
from commons.errors import NotFound
from labs.models import Job, Lab, Machine
from tests.labs.conftest import design, enrolled, lab, machine, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> tuple[Lab, Machine]:
    """A lab with a machine that has drawn 120 W for a quarter of an hour, and one without a meter."""
    made = lab("live-lab")
    one = machine(made, "Saimaa")
    machine(made, "Mute")
    device, _token = enrolled(one)
    one.refresh_from_db()
    now = timezone.now().replace(microsecond=0)
    items = [
        {
            "seq": n + 1,
            "ts": (now - dt.timedelta(seconds=30 * (30 - n))).isoformat(),
            "channel": "power_w",
            "value": 120.0,
        }
        for n in range(31)
    ]
    devices.ingest(device=device, readings=items)
    return made, one


def watched(board: str, key: str) -> sockets.Watched:
    found = sockets.live_boards.get(board)
    assert found is not None
    return found.find(key, None, None)


def test_a_labs_board_says_what_its_page_says(stage: tuple[Lab, Machine], client: Client) -> None:
    made, one = stage
    board = watched("lab", made.slug)
    told = json.loads(json.dumps(board.tell()))
    asked = client.get(f"/labs/{made.slug}/live/").json()
    assert told.keys() == asked.keys()
    assert {name: words.get("watts") for name, words in told.items()} == {
        n: words.get("watts") for n, words in asked.items()
    }
    assert told[one.slug]["watts"] == "120\u00a0W"
    assert told["lab"]["watts"] == "120\u00a0W"
    assert set(board.devices) == {one.device_id}
    assert board.slow is not None
    assert board.slow()[one.slug]["line"].startswith("M")
    page = client.get(f"/labs/{made.slug}/").content.decode()
    assert f'stream="/api/v1/live/lab/{made.slug}/?lang=en"' in page
    assert f'data-live-d="{one.slug}.line"' in page


def test_a_machines_board_moves_the_end_of_its_curve(stage: tuple[Lab, Machine], client: Client) -> None:
    made, one = stage
    told = watched("machine", str(one.pk)).tell()
    assert told["curve"]["values"][-1] == 120.0
    assert told["curve"]["x"][-1] % 900 == 0
    page = client.get(f"/labs/{made.slug}/{one.slug}/").content.decode()
    assert f'stream="/api/v1/live/machine/{one.pk}/?lang=en"' in page
    yesterday = (timezone.now() - dt.timedelta(days=1)).date()
    old = client.get(f"/labs/{made.slug}/{one.slug}/?day={yesterday}").content.decode()
    assert 'live="curve"' not in old, "a day that is over does not move"


def test_a_machine_without_a_device_has_a_quiet_board(stage: tuple[Lab, Machine]) -> None:
    mute = Machine.objects.get(name="Mute")
    board = watched("machine", str(mute.pk))
    told = board.tell()
    assert (set(board.devices), told.keys()) == (set(), {mute.slug})
    assert told[mute.slug]["state"] == "Free"
    assert "watts" not in told[mute.slug]
    Machine.objects.filter(pk=mute.pk).update(state="repair")
    assert (board.tell()[mute.slug]["state"], board.tell()[mute.slug]["tone"]) == ("In repair", "bad")


def test_a_board_tells_everybody_nothing_of_a_private_design(stage: tuple[Lab, Machine]) -> None:
    """A tile has another sign when a job begins, and the same for a private design's file as for one nobody knows."""
    from labs.queries import board as boards

    made, one = stage
    quiet = watched("lab", made.slug).tell()[one.slug]["sign"]
    assert one.device is not None
    job = Job.objects.create(machine=one, device=one.device, device_job="j1", started_at=timezone.now(), progress=0.5)
    told = watched("lab", made.slug).tell()[one.slug]
    assert told["sign"] != quiet
    assert (told["percent"], told["since"][:4]) == (50, "50\u00a0%")
    owner = person()
    secret, shown = design(owner, b"solid a", public=False).design, design(owner, b"solid b").design
    Job.objects.filter(pk=job.pk).update(design=secret, provenance="proven")
    assert watched("lab", made.slug).tell()[one.slug]["sign"] == told["sign"]
    [mine] = boards.tiles([one], viewer=owner, now=timezone.now())
    assert mine.job is not None and mine.job.design == secret
    assert mine.sign == told["sign"], "or the owner's page would ask again and again"
    Job.objects.filter(pk=job.pk).update(design=shown)
    assert watched("lab", made.slug).tell()[one.slug]["sign"] != told["sign"]


def test_a_tile_alone_is_the_tile_of_the_board(stage: tuple[Lab, Machine], client: Client) -> None:
    made, one = stage
    alone = client.get(f"/labs/{made.slug}/{one.slug}/tile/").content.decode()
    assert f'id="tile-{one.slug}"' in alone
    assert watched("lab", made.slug).tell()[one.slug]["sign"] in alone
    assert client.get(f"/labs/{made.slug}/nothing/tile/").status_code == 404


@pytest.mark.parametrize(
    ("board", "key"), [("lab", "nowhere"), ("machine", "999999"), ("machine", "x"), ("machine", "9" * 30)]
)
def test_what_is_not_there_is_not_found(stage: Any, board: str, key: str) -> None:
    with pytest.raises(NotFound):
        watched(board, key)


def test_a_board_speaks_the_readers_language(stage: tuple[Lab, Machine]) -> None:
    from django.utils import translation

    made, one = stage
    with translation.override("fi"):
        assert watched("lab", made.slug).tell()[one.slug]["heard"].startswith("kuultu")
