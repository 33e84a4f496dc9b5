"""What people ask of devices: asked, handed to the agent, answered. Who may ask is the rooms' business."""

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices.errors import CommandNotFound, DeviceAway
from commons.devices.models import Command, Device
from commons.people.models import User

log = logging.getLogger(__name__)

LIVES = dt.timedelta(minutes=2)
"""After that a person has walked away, and nothing shall move by itself."""

NEWS = "devices:commands"
ANSWERS = (Command.State.DONE, Command.State.REFUSED)


@transaction.atomic
def ask(
    *,
    device: Device,
    kind: Command.Kind,
    by: User,
    body: Mapping[str, Any] | None = None,
    about: str = "",
    source: Mapping[str, Any] | None = None,
    lives: dt.timedelta = LIVES,
) -> Command:
    """Ask for something; the same again while it is open is the same command. Locks the device. Raises DeviceAway."""
    held = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    if not held.is_active:
        raise DeviceAway(_("No agent is enrolled for this machine."))
    now = timezone.now()
    same = Command.objects.filter(
        device=held, kind=kind, body=dict(body or {}), about=about, state__in=Command.OPEN, expires_at__gt=now
    ).first()
    if same is not None:
        return same
    made = Command.objects.create(
        device=held,
        kind=kind,
        body=dict(body or {}),
        about=about,
        source=dict(source or {}),
        asked_by=by,
        asked_at=now,
        expires_at=now + lives,
    )
    transaction.on_commit(lambda: _ring(held.pk), robust=True)
    return made


@transaction.atomic
def take(*, device: Device) -> list[Command]:
    """What is open for the device, oldest first; each is given again until it is answered or its time is past."""
    now = timezone.now()
    rows = Command.objects.select_for_update(skip_locked=True).filter(
        device=device, state__in=Command.OPEN, expires_at__gt=now
    )
    found = list(rows.order_by("asked_at", "pk"))
    Command.objects.filter(pk__in=[row.pk for row in found], taken_at=None).update(
        state=Command.State.TAKEN, taken_at=now
    )
    return found


@transaction.atomic
def answer(*, device: Device, command: UUID, state: str, sentence: str) -> Command:
    """What became of it, in the agent's sentence; the first answer stands. Raises CommandNotFound."""
    held = Command.objects.select_for_update(no_key=True).filter(pk=command, device=device).first()
    if held is None:
        raise CommandNotFound(_("There is no such command for this device."))
    if held.state in Command.OPEN:
        held.state = state if state in ANSWERS else Command.State.REFUSED
        held.sentence, held.answered_at = sentence.replace("\0", "")[:300], timezone.now()
        held.save(update_fields=["state", "sentence", "answered_at"])
    return held


def open_for(*, device: Device) -> bool:
    """Whether anything waits for the device; a short question, without locks."""
    soon = Q(state__in=Command.OPEN, expires_at__gt=timezone.now())
    return Command.objects.filter(soon, device=device).exists()


def _ring(device: UUID) -> None:
    """Wake the agent's long question; without Valkey it looks by itself every few seconds."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as valkey:
            valkey.publish(NEWS, str(device))
    except redis.RedisError:
        log.info("the news of a command did not go out; the agent's question finds it")
