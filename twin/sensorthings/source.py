"""Where the entities come from: devices whose series everybody may see, and their quarters of an hour.

Whose they are: devices that were declared public; those that measure a lab's machine or circuit; proved meters of labs
and public buildings. Never what measures a home or a business, whatever else is true of it (docs/energy-privacy.md). An
observation is a quarter of an hour that is over: a mean, or the energy of a counter. Single readings and what a machine
is doing are not told. Devices without a place on the map are left out.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Case, F, Q, QuerySet, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import channels
from commons.devices.models import HEARTBEAT, QUARTER_S, Device, LastValue, Rollup
from commons.places.models import Place
from twin.sensorthings.model import KINDS, Entity, Span

QUARTER = dt.timedelta(seconds=QUARTER_S)
_CHANNELS, _QUARTERS = 1 << 15, 1 << 23
"""How many channels a device has, and quarters of an hour time has, in the numbers of datastreams and observations."""
_QUDT = "https://qudt.org/vocab/"


@dataclass(frozen=True, slots=True)
class Property:
    """What a channel tells: its name, the unit's name, symbol and address, and the address of what it is."""

    name: str
    unit: str
    symbol: str
    unit_address: str
    address: str
    what: str


PROPERTIES: Mapping[int, Property] = {
    channels.POWER_W: Property(
        "Power", "watt", "W", f"{_QUDT}unit/W", f"{_QUDT}quantitykind/ElectricPower",
        "Electric power, the mean of a quarter of an hour",
    ),
    channels.ENERGY_WH_TOTAL: Property(
        "Energy", "watt hour", "Wh", f"{_QUDT}unit/W-HR", f"{_QUDT}quantitykind/Energy",
        "Electric energy of a quarter of an hour, by a counter",
    ),
    channels.TEMPERATURE_C: Property(
        "Temperature", "degree Celsius", "°C", f"{_QUDT}unit/DEG_C", f"{_QUDT}quantitykind/Temperature",
        "Temperature, the mean of a quarter of an hour",
    ),
    channels.VOLTAGE_V: Property(
        "Voltage", "volt", "V", f"{_QUDT}unit/V", f"{_QUDT}quantitykind/Voltage",
        "Voltage, the mean of a quarter of an hour",
    ),
}  # fmt: skip


def public_devices() -> QuerySet[Device]:
    """Devices whose series everybody may see."""
    shown, hidden = Q(public=True), Q(kind=HEARTBEAT)
    if apps.is_installed("labs"):
        shown |= Q(machine__isnull=False) | Q(power_meter__isnull=False)
    if apps.is_installed("energy"):
        from energy.models import MeterPoint  # noqa: PLC0415 the room may be left out
        from energy.policies import OPEN_KINDS  # noqa: PLC0415 as above

        tied = MeterPoint.objects.filter(device__isnull=False)
        open_ = Q(participant__kind__in=OPEN_KINDS)
        shown |= Q(pk__in=tied.filter(open_).exclude(proof=MeterPoint.Proof.CLAIMED).values("device"))
        hidden |= Q(pk__in=tied.exclude(open_).values("device"))
    active = Device.objects.filter(enrolled_at__isnull=False, revoked_at=None)
    return active.filter(shown).exclude(hidden).order_by("number")


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place on the map: a lab, or a neighbourhood."""

    id: int
    name: str
    what: str
    geometry: dict[str, Any]
    url: str


@dataclass(frozen=True, slots=True)
class _Public:
    """A device with where it stands and what it is called there."""

    device: Device
    spot: _Spot
    name: str
    url: str


class Source:
    """All that one request asks; each table is read at most once."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.now = timezone.now()

    @cached_property
    def devices(self) -> dict[int, _Public]:
        """Public devices by number."""
        of_machine, labs = self._labs()
        found: dict[int, _Public] = {}
        for device in public_devices().select_related("place__parent"):
            spot = labs.get(device.number) or self._spot_of(device.place)
            if spot is not None:
                name, url = of_machine.get(device.number, (device.name, spot.url))
                found[device.number] = _Public(device, spot, name, url)
        return found

    def _labs(self) -> tuple[dict[int, tuple[str, str]], dict[int, _Spot]]:
        """What a device measures in a lab (name and page), and where."""
        if not apps.is_installed("labs"):
            return {}, {}
        from labs.models import Machine, PowerMeter  # noqa: PLC0415 the room may be left out

        names: dict[int, tuple[str, str]] = {}
        spots: dict[int, _Spot] = {}

        def put(device: Device, lab: Any, name: str, url: str) -> None:
            names[device.number] = (name, url)
            spot = self._lab_spot(lab) or self._spot_of(lab.place)
            if spot is not None:
                spots[device.number] = spot

        machines = Machine.objects.filter(device__isnull=False).select_related("device", "lab__place__parent")
        meters = PowerMeter.objects.select_related("device", "machine__lab__place", "circuit__lab__place")
        for meter in meters:
            if meter.machine is not None:
                put(meter.device, meter.machine.lab, str(meter.machine), _machine_page(meter.machine))
            elif meter.circuit is not None:
                put(meter.device, meter.circuit.lab, str(meter.circuit), _lab_page(meter.circuit.lab))
        for machine in machines:
            if machine.device is not None:
                put(machine.device, machine.lab, str(machine), _machine_page(machine))
        return names, spots

    def _lab_spot(self, lab: Any) -> _Spot | None:
        if lab.lat is None or lab.lon is None:
            return None
        point = {"type": "Point", "coordinates": [lab.lon, lab.lat]}
        return _Spot(2 * lab.pk, lab.name, _("A lab"), point, _lab_page(lab))

    def _spot_of(self, place: Place | None) -> _Spot | None:
        while place is not None and not place.outline:
            place = place.parent
        if place is None or not place.outline:
            return None
        page = reverse("place", args=[place.slug])
        return _Spot(2 * place.pk + 1, place.name, _("A neighbourhood or city"), place.outline, page)

    @cached_property
    def streams(self) -> dict[int, tuple[_Public, int]]:
        """Datastreams by id: the device and the channel."""
        rows = LastValue.objects.filter(device_id__in=list(self.devices), channel__in=list(PROPERTIES))
        pairs: list[tuple[int, int]] = sorted(rows.values_list("device__number", "channel"))
        return {number * _CHANNELS + channel: (self.devices[number], channel) for number, channel in pairs}

    @cached_property
    def _times(self) -> dict[int, Span]:
        """From when until when a datastream has observations: the ends of an index, no scan."""
        if not self.streams:
            return {}
        numbers, kinds = zip(
            *((public.device.number, channel) for public, channel in self.streams.values()), strict=True
        )
        edge = "SELECT r.start FROM devices_rollup r WHERE r.device_id = d.number AND r.channel = d.channel"
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT d.number, d.channel,
                    ({edge} AND r.step_s = {QUARTER_S} AND r.start <= %s ORDER BY r.start LIMIT 1),
                    ({edge} AND r.step_s = {QUARTER_S} AND r.start <= %s ORDER BY r.start DESC LIMIT 1)
                FROM unnest(%s::int[], %s::int[]) AS d(number, channel)""",  # noqa: S608 our own words
                [self.now - QUARTER, self.now - QUARTER, list(numbers), list(kinds)],
            )
            rows = cursor.fetchall()
        return {n * _CHANNELS + c: Span(first, last + QUARTER) for n, c, first, last in rows if first is not None}

    # --- entities ----------------------------------------------------------------------------------------------------

    @cached_property
    def sets(self) -> dict[str, dict[int, Entity]]:
        """All entities but observations, by kind and id."""
        made: dict[str, dict[int, Entity]] = {name: {} for name in KINDS if name != "Observation"}

        def put(kind: str, number: int, **values: Any) -> None:
            made[kind][number] = Entity(KINDS[kind], number, values)

        for number, public in self.devices.items():
            self._put_device(put, number, public)
        for number, (public, channel) in self.streams.items():
            about = PROPERTIES[channel]
            put(
                "Datastream",
                number,
                name=f"{about.name} of {public.name}",
                description=about.what,
                observationType="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                unitOfMeasurement={"name": about.unit, "symbol": about.symbol, "definition": about.unit_address},
                observedArea=None,
                phenomenonTime=self._times.get(number),
                resultTime=self._times.get(number),
                properties={"channel": channels.slug_of(channel), "step_s": QUARTER_S, "licence": "CC-BY-4.0"},
            )
            put(
                "ObservedProperty",
                channel,
                name=about.name,
                definition=about.address,
                description=about.what,
                properties={"channel": channels.slug_of(channel)},
            )
        return made

    def _put_device(self, put: Any, number: int, public: _Public) -> None:
        device, spot = public.device, public.spot
        put(
            "Thing",
            number,
            name=public.name,
            description=_("What is measured here"),
            properties={"kind": device.kind, "page": self.base + public.url, "demo": device.demo},
        )
        put("HistoricalLocation", number, time=device.enrolled_at)
        put(
            "Sensor",
            number,
            name=device.name,
            description=_("The device that measures"),
            encodingType="text/html",
            metadata=self.base + public.url,
            properties={"kind": device.kind},
        )
        common = {"name": spot.name, "description": spot.what, "properties": {"page": self.base + spot.url}}
        put("Location", spot.id, encodingType="application/geo+json", location=spot.geometry, **common)
        put("FeatureOfInterest", spot.id, encodingType="application/geo+json", feature=spot.geometry, **common)

    def entity(self, kind: str, number: int | None) -> Entity | None:
        """An entity by its id."""
        if number is None:
            return None
        return self.observation(number) if kind == "Observation" else self.sets[kind].get(number)

    def related(self, of: Entity, name: str) -> list[Entity]:
        """What a navigation leads to, but for observations; the one of a single one."""
        target = of.kind.leads(name)
        assert target is not None  # noqa: S101 the caller has looked
        return [self.sets[target][number] for number in self._related(of, target)]

    def _related(self, of: Entity, target: str) -> list[int]:
        kind, number = of.kind.name, of.id
        if kind == "Observation":
            stream = number // _QUARTERS
            return [stream] if target == "Datastream" else [self.streams[stream][0].spot.id]
        if kind == "Datastream":
            return [number % _CHANNELS if target == "ObservedProperty" else number // _CHANNELS]
        if target == "Datastream":
            if kind == "ObservedProperty":
                return [stream for stream in self.streams if stream % _CHANNELS == number]
            return [stream for stream in self.streams if stream // _CHANNELS == number]
        if kind in {"Location", "FeatureOfInterest"}:
            return [n for n, public in self.devices.items() if public.spot.id == number]
        return [self.devices[number].spot.id] if target == "Location" else [number]

    def streams_of(self, of: Entity) -> list[int]:
        """The datastreams whose observations an entity leads to."""
        if of.kind.name == "Datastream":
            return [of.id]
        return [n for n, (public, _channel) in self.streams.items() if public.spot.id == of.id]

    # --- observations ------------------------------------------------------------------------------------------------

    def rows(self, streams: Iterable[int] | None = None) -> QuerySet[Any]:
        """The quarters of these datastreams (of all, if none are named) that are over and hold a value."""
        meant: dict[int, list[int]] = {channel: [] for channel in PROPERTIES}
        for number in self.streams if streams is None else streams:
            meant[number % _CHANNELS].append(number // _CHANNELS)
        which = Q(pk__in=[])
        for channel, numbers in meant.items():
            if numbers:
                which |= Q(channel=channel, device_id__in=numbers)
        found: QuerySet[Any] = (
            Rollup.objects.filter(which, step_s=QUARTER_S, start__lte=self.now - QUARTER)
            .annotate(result=RESULT)
            .filter(result__isnull=False)
        )
        return found

    def observation(self, number: int) -> Entity | None:
        """An observation by its id."""
        stream, quarter = divmod(number, _QUARTERS)
        if stream not in self.streams:
            return None
        start = dt.datetime.fromtimestamp(quarter * QUARTER_S, dt.UTC)
        return next(self.observations(self.rows([stream]).filter(start=start)), None)

    def observations(self, rows: "QuerySet[Any]") -> Iterator[Entity]:
        """Rows as observations."""
        picked = rows.values_list("device_id", "channel", "start", "result")
        for device, channel, start, result in picked.iterator(chunk_size=2000):
            quarter = int(start.timestamp()) // QUARTER_S
            values = {
                "phenomenonTime": Span(start, start + QUARTER),
                "result": result,
                "resultTime": start + QUARTER,
                "resultQuality": None,
                "validTime": None,
                "parameters": None,
            }
            yield Entity(KINDS["Observation"], (device * _CHANNELS + channel) * _QUARTERS + quarter, values)


def start_of(number: int) -> tuple[int, dt.datetime]:
    """The datastream and the beginning of an observation's id."""
    stream, quarter = divmod(number, _QUARTERS)
    return stream, dt.datetime.fromtimestamp(quarter * QUARTER_S, dt.UTC)


RESULT = Case(When(channel=channels.ENERGY_WH_TOTAL, then=F("energy_wh")), default=F("mean"))


def _lab_page(lab: Any) -> str:
    return reverse("rooms:lab", args=[lab.slug])


def _machine_page(machine: Any) -> str:
    return reverse("rooms:machine", args=[machine.lab.slug, machine.slug])
