"""At the edges of what comes in: the longest batch, tokens that changed, clocks wrong both ways, sets of seqs."""

import datetime as dt
import random
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from commons.devices import queries, services
from commons.devices.engine import seqs as sets
from commons.devices.engine.fold import Fold
from commons.devices.errors import DeviceRevoked, TooManyGaps
from commons.devices.models import Device, LastValue
from commons.devices.services import Ack, Sent, read_items, rollups
from commons.devices.services import seqs as seqs_services
from commons.devices.services.ingest import MAX_READINGS
from commons.devices.signals import Stored, group_stored
from tests.devices.streams import day_start, reading, rollups_of

pytestmark = pytest.mark.django_db
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
Items = list[dict[str, Any]]


def minutes(n: int, first: int = 1, value: float = 100.0) -> Items:
    return [reading(seq, day_start() + seq * MINUTE, value) for seq in range(first, first + n)]


def raw_rows(device: Device) -> list[tuple[int, int]]:
    """What is stored: seq and flag, by seq."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, flags FROM devices_reading WHERE device = %s ORDER BY seq", [device.number])
        return cursor.fetchall()


def one_by_one(device: Device, items: Items) -> list[Ack]:
    return [services.ingest(device=device, readings=[item]) for item in items]


# --- what is taken ---------------------------------------------------------------------------------------------------


def test_the_longest_body_is_taken() -> None:
    assert MAX_READINGS == 10_000
    assert len(services.read_body(b'{"readings": [' + b",".join([b"1"] * MAX_READINGS) + b"]}")) == MAX_READINGS


def test_singles_are_known_again(device: Device) -> None:
    first, second, again = one_by_one(device, [*minutes(2), minutes(1)[0]])
    assert (first.stored, first.duplicates, first.acked) == (1, 0, 1)
    assert (second.stored, second.duplicates, second.acked) == (1, 0, 2)
    assert (again.stored, again.duplicates, again.acked) == (0, 1, 2)
    assert raw_rows(device) == [(1, 0), (2, 0)]


def test_a_batch_that_begins_with_the_last_one_seen_and_one_that_follows_it(device: Device) -> None:
    services.ingest(device=device, readings=minutes(3))
    following = services.ingest(device=device, readings=minutes(2, 4))
    assert (following.stored, following.duplicates, following.acked) == (2, 0, 5)
    over = services.ingest(device=device, readings=minutes(3, 5))
    assert (over.stored, over.duplicates, over.acked) == (2, 1, 7)
    before = services.ingest(device=device, readings=[*minutes(2, 20), *minutes(1, 10), *minutes(1, 20)])
    assert (before.stored, before.duplicates, before.acked) == (3, 1, 7)
    between = services.ingest(device=device, readings=[*minutes(1, 9), *minutes(2, 10), *minutes(1, 19)])
    assert (between.stored, between.duplicates) == (3, 1)
    assert [seq for seq, _flag in raw_rows(device)] == [*range(1, 8), 9, 10, 11, 19, 20, 21]


def test_of_a_seq_twice_the_first_is_kept(device: Device) -> None:
    twice = [reading(1, day_start(), 5.0), reading(2, day_start() + MINUTE, 7.0), reading(1, day_start(), 9.0)]
    assert services.ingest(device=device, readings=twice).stored == 2
    rows = rollups_of(device)
    assert {row[0] for row in rows.values()} == {2} and {row[1] for row in rows.values()} == {12.0}


def test_what_is_good_once_is_not_said_to_be_bad(device: Device) -> None:
    good, bad = minutes(1, 2)[0], {**minutes(1, 2)[0], "value": None}
    both = services.ingest(device=device, readings=[minutes(1)[0], bad, good, {**minutes(1, 3)[0], "value": "x"}])
    assert (both.stored, both.duplicates, both.acked) == (2, 1, 3)
    assert [(r.seq, r.code) for r in both.rejected] == [(3, "reading:bad-value")]
    again = services.ingest(device=device, readings=[bad, {"seq": 9, "ts": "x", "channel": "power_w", "value": 1}])
    assert (again.stored, again.duplicates, again.acked) == (0, 1, 3)
    assert [(r.seq, r.code) for r in again.rejected] == [(9, "reading:bad-time")]


def test_a_device_that_says_nothing_new_was_heard_all_the_same(device: Device) -> None:
    services.ingest(device=device, readings=minutes(1))
    Device.objects.filter(pk=device.pk).update(last_seen_at=timezone.now() - DAY)
    services.ingest(device=device, readings=[{**minutes(1, 2)[0], "value": None}])
    device.refresh_from_db()
    assert device.last_seen_at is not None and timezone.now() - device.last_seen_at < DAY / 2
    assert queries.acked(device) == 2


def test_the_answer_on_the_wire_says_which_and_why(device: Device) -> None:
    now = timezone.now()
    bad = {"seq": 2, "ts": now.isoformat(), "channel": "watts", "value": 1}
    ahead = reading(3, now + DAY, 1.0)
    said = services.ingest(device=device, readings=[reading(1, now, 1.0), bad, ahead], received_at=now).as_dict()
    rejected, flagged = said.pop("rejected"), said.pop("flagged")
    assert said == {"acked": 3, "stored": 2, "duplicates": 0}
    assert [(r["seq"], r["code"]) for r in rejected] == [(2, "reading:unknown-channel")]
    assert "Reading 1 " in rejected[0]["sentence"] and "power_w, " in rejected[0]["sentence"]
    assert [(r["seq"], r["code"]) for r in flagged] == [(3, "reading:clock-ahead")]
    assert "future" in flagged[0]["sentence"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_whatever_order_a_batch_comes_it_adds_up_the_same(order: tuple[int, ...], device: Device) -> None:
    start = day_start()
    watts = [(0, 60.0), (2, 180.0), (2, 120.0), (4, 0.0)]  # two at one moment: the later seq is the later one
    items = [reading(n + 1, start + at * MINUTE, value) for n, (at, value) in enumerate(watts)]
    warm = [reading(n + 5, start + at * MINUTE, 20.0 + n, "temperature_c") for n, (at, _w) in enumerate(watts)]
    services.ingest(device=device, readings=[item for n in order for item in (warm[n], items[n])])
    rows = rollups_of(device)
    (power,) = (row for key, row in rows.items() if key[:2] == (1, 3600))
    count, total, low, high, energy_wh, covered_s, _dense_s = power
    assert (count, total, low, high, covered_s) == (4, 360.0, 0.0, 180.0, 240.0)
    assert energy_wh == pytest.approx((120.0 + 60.0) * 2 / 60)
    last = {value.channel: (value.seq, value.value) for value in LastValue.objects.filter(device=device)}
    assert last[1] == (4, 0.0) and (8, 23.0) in last.values()


@pytest.mark.parametrize("channel", ["power_w", "energy_wh_total", "temperature_c"])
@pytest.mark.parametrize(("minutes_apart", "compiled"), [(3, False), (50, False), (50, True)])
def test_however_it_is_cut_into_batches_it_adds_up_the_same(
    channel: str, minutes_apart: int, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one, in two halves, and with the middle last: as in one batch, to the last bit."""
    monkeypatch.setattr(rollups, "folder", Fold if compiled else None)
    items = [
        reading(n + 1, day_start() + n * minutes_apart * MINUTE, 60.0 * n + n % 3, channel) for n in range(9)
    ]
    ways = [[items], [[item] for item in items], [items[:4], items[4:]], [items[:3], items[6:], items[3:6]]]
    ways += [[[*items[:2], *items[3:]], [{**items[2], "seq": 20}]]]
    found = []
    for batches in ways:
        made = services.create_device(name="any", kind="meter")
        device = services.enrol(code=str(services.create_enrolment_code(device=made)), kind="meter")[0]
        for batch in batches:
            services.ingest(device=device, readings=batch)
        found.append(rollups_of(device))
        last = LastValue.objects.get(device=device)
        assert (last.seq, last.value) == (9, items[-1]["value"])
    assert all(one == found[0] for one in found)
    assert sum(row[0] for key, row in found[0].items() if key[1] == 900) == 9
    for (_channel, _step, _start), (count, _total, low, high, energy_wh, _covered, _dense) in found[0].items():
        assert (count > 0) == (low is not None) == (high is not None)
        assert (energy_wh is None) == (channel == "temperature_c")


# --- clocks ----------------------------------------------------------------------------------------------------------


def test_clocks_that_are_wrong_in_both_directions(device: Device) -> None:
    now = timezone.now()
    stamps = [now + DAY, now - MINUTE, now - 401 * DAY, now, now + 6 * MINUTE]
    batch = [reading(seq, at, 10.0 * seq) for seq, at in enumerate(stamps, 1)]
    ack = services.ingest(device=device, readings=batch, received_at=now)
    assert (ack.stored, ack.acked, ack.duplicates) == (5, 5, 0)
    ahead, behind = "reading:clock-ahead", "reading:clock-behind"
    assert [(r.seq, r.code) for r in ack.flagged] == [(1, ahead), (3, behind), (5, ahead)]
    assert [seq for seq, flag in raw_rows(device) if flag] == [1, 3, 5]
    hours = [row for key, row in rollups_of(device).items() if key[1] == 3600]
    assert sum(row[0] for row in hours) == 2 and sum(row[1] for row in hours) == 60.0
    assert LastValue.objects.get(device=device).seq == 4


@pytest.mark.parametrize(
    ("off", "flagged"),
    [(5 * MINUTE, False), (5 * MINUTE + dt.timedelta(microseconds=1), True), (-400 * DAY, False),
     (-400 * DAY - dt.timedelta(microseconds=1), True)],
)  # fmt: skip
def test_how_far_a_clock_may_be_off(device: Device, off: dt.timedelta, flagged: bool) -> None:
    now = timezone.now()
    ack = services.ingest(device=device, readings=[reading(1, now + off, 1.0)], received_at=now)
    assert bool(ack.flagged) is flagged
    assert LastValue.objects.filter(device=device).exists() is not flagged


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_a_token_that_changed_meanwhile_stores_nothing(device: Device) -> None:
    kept = bytes(Device.objects.get(pk=device.pk).token_sha256)
    batches = [
        Sent(device.pk, read_items(minutes(1, seq)), 1, token)
        for seq, token in enumerate((kept, b"another", None), 1)
    ]
    first, second, third = services.ingest_many(sent=batches)
    assert isinstance(first, Ack) and isinstance(third, Ack)
    assert isinstance(second, DeviceRevoked) and "token" in str(second)
    assert [seq for seq, _flag in raw_rows(device)] == [1, 3]


def test_who_was_revoked_hears_what_to_do(device: Device) -> None:
    services.revoke_device(device=device)
    for act in (
        lambda: services.ingest(device=device, readings=minutes(1)),
        lambda: services.claim_seqs(device=device, seqs=[1]),
        lambda: services.mark_seen(device=device, seqs=[1]),
    ):
        with pytest.raises(DeviceRevoked, match="enrol it again"):
            act()


# --- who hears of it -------------------------------------------------------------------------------------------------


def test_the_whole_group_is_told_once_and_each_device_over_all_its_channels(device: Device) -> None:
    heard: list[list[Stored]] = []

    def hear(stored: list[Stored], **_more: Any) -> None:
        heard.append(stored)

    start = day_start()
    items = [
        reading(1, start + 10 * MINUTE, 1.0), reading(2, start + 30 * MINUTE, 1.0),
        reading(3, start, 20.0, "temperature_c"), reading(4, start + 20 * MINUTE, 20.0, "temperature_c"),
    ]  # fmt: skip
    group_stored.connect(hear)
    try:
        services.ingest(device=device, readings=items)
        services.ingest(device=device, readings=items)
    finally:
        group_stored.disconnect(hear)
    ((told,),) = heard
    assert (told.device.pk, told.start, told.end) == (device.pk, start, start + 30 * MINUTE)


# --- sets of numbers -------------------------------------------------------------------------------------------------


def test_sets_of_numbers_against_pythons_own() -> None:
    chance = random.Random(7)
    for _ in range(300):
        left, right = ({chance.randrange(30) for _ in range(chance.randrange(12))} for _ in range(2))
        one, other = sets.ranges_of(left), sets.ranges_of(chance.sample(sorted(right), len(right)))
        for ranges, numbers in ((one, left), (other, right), (sets.union(one, other), left | right)):
            assert {n for low, high in ranges for n in range(low, high)} == numbers
            assert all(a[1] < b[0] for a, b in pairwise(ranges)), "no two ranges touch"
            assert {n for n in range(-1, 32) if sets.holds(ranges, n)} == numbers
            run = next(n for n in range(1, 40) if n not in numbers) - 1
            assert sets.acknowledged(ranges) == run
            assert sets.next_free(ranges) == max(max(numbers, default=0) + 1, 1)
        assert seqs_services.ranges_of_sorted(np.array(sorted(left), dtype=np.int64)) == one


def test_as_many_gaps_as_are_allowed_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seqs_services, "MAX_RANGES", 3)
    seen = sets.ranges_of([1, 3])
    assert seqs_services.widened(seen, sets.ranges_of([5])) == ((1, 2), (3, 4), (5, 6))
    assert seqs_services.widened(seen, ()) == seen
    with pytest.raises(TooManyGaps, match="more than 3 gaps"):
        seqs_services.widened(seen, sets.ranges_of([5, 7]))


def test_seqs_that_are_claimed_and_marked(device: Device) -> None:
    assert services.claim_seqs(device=device, seqs=[2, 1, 2, 4]) == ([2, 1, 4], [2])
    assert services.claim_seqs(device=device, seqs=[1]) == ([1], []), "nothing is seen until it is marked"
    assert services.mark_seen(device=device, seqs=[2, 1, 4]) == 2
    assert device.seen == ((1, 3), (4, 5)), "the caller's own object knows it too"
    assert services.claim_seqs(device=device, seqs=[3, 4]) == ([3], [4])
    assert services.mark_seen(device=device, seqs=[3]) == 4
    device.refresh_from_db()
    assert device.last_seen_at is not None
