"""Set up a machine's interlock, lock it out, take it away: for those who run the lab."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.errors.interlocks import BadInterlock
from labs.interlocks import addresses, trust
from labs.models import Interlock, InterlockCommand, Machine
from labs.services.interlocks.asking import look_again
from labs.services.interlocks.sealing import seal

What = InterlockCommand.What
NUMBERS = {"channel": 255, "unit": 255, "timer": 65_535}
HOLD_S, GRACE_S = (60, 3600), (0, 1800)


@transaction.atomic
def set_interlock(
    *,
    machine: Machine,
    by: User,
    driver: str,
    url: str = "",
    username: str = "",
    password: str | None = None,
    options: Mapping[str, Any] | None = None,
    hold_s: int = 180,
    grace_s: int = 60,
    in_use: bool = True,
) -> Interlock:
    """The relay of a machine and how it is spoken to. No password keeps the one that is there, an empty one drops it.

    Whatever power there is ends first: it is switched off where it was. Raises BadInterlock.
    """
    if driver not in Interlock.Driver.values:
        raise BadInterlock(_("There is no driver “%(driver)s”.") % {"driver": driver})
    if not HOLD_S[0] <= hold_s <= HOLD_S[1] or not GRACE_S[0] <= grace_s <= GRACE_S[1]:
        raise BadInterlock(_("The relay's own timer is 60 to 3600 seconds, what is left after a booking 0 to 1800."))
    good = checked_options(driver, options or {})
    if driver == Interlock.Driver.NONE:
        url = ""
    else:
        addresses.check_typed(driver, url)
    Machine.objects.select_for_update(no_key=True).get(pk=machine.pk)
    held = Interlock.objects.select_for_update().filter(machine=machine).first()
    moved = held is not None and (held.driver, held.url) != (driver, url.strip())
    if held is not None and moved and held.state != Interlock.State.OFF:
        raise BadInterlock(_("Lock the machine out first, and wait until its power is off: the old relay may be on."))
    held = held or Interlock(machine=machine)
    held.driver, held.url, held.username, held.options = driver, url.strip()[:200], username.strip()[:64], good
    if password is not None or moved:
        held.sealed = seal(password or "")  # another address never gets the password of the old one
    held.hold_s, held.grace_s, held.in_use, held.next_at = hold_s, grace_s, in_use, None
    held.save()
    _note(held, What.SET, by, f"{held.get_driver_display()} {held.url}".strip())
    look_again([held.pk])
    return held


def checked_options(driver: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a driver knows, each a small number or a short text. Raises BadInterlock."""
    good: dict[str, Any] = {}
    for name, most in NUMBERS.items():
        value = options.get(name)
        if value in (None, ""):
            continue
        if isinstance(value, bool) or not str(value).isdecimal() or not int(str(value)[:9]) <= most:
            raise BadInterlock(_("“%(name)s” is a whole number up to %(most)s.") % {"name": name, "most": most})
        good[name] = int(value)
    if authority := str(options.get("ca") or "").strip():
        good["ca"] = trust.check_authority(authority)
    topic = str(options.get("topic") or "").strip("/ ")
    if driver == Interlock.Driver.MQTT:
        if not topic or len(topic) > 120 or any(letter in topic for letter in "+#\0"):
            raise BadInterlock(_("Give the relay's topic, without + and #."))
        good["topic"] = topic
        good["dialect"] = "tasmota" if options.get("dialect") == "tasmota" else "plain"
    if driver == Interlock.Driver.MODBUS and "timer" not in good:
        if options.get("without_timer") is not True:
            raise BadInterlock(
                _("Name the register of the relay's own timer, or say that it has none: then nothing opens it when "
                  "this site falls silent, and the machine must be safe with its power on.")
            )  # fmt: skip
        good["without_timer"] = True
    return good


@transaction.atomic
def lock_out(*, interlock: Interlock, by: User, reason: str = "") -> Interlock:
    """No power for anybody, until the lock is taken off."""
    held = Interlock.objects.select_for_update().get(pk=interlock.pk)
    held.locked, held.locked_reason, held.asked = True, reason[:200], None
    held.save(update_fields=["locked", "locked_reason", "asked", "updated_at"])
    _note(held, What.LOCKED, by, reason)
    look_again([held.pk])
    return held


@transaction.atomic
def free(*, interlock: Interlock, by: User) -> Interlock:
    """Take the lock off. Nothing is switched on by it."""
    held = Interlock.objects.select_for_update().get(pk=interlock.pk)
    held.locked, held.locked_reason, held.asked = False, "", None
    held.save(update_fields=["locked", "locked_reason", "asked", "updated_at"])
    _note(held, What.FREED, by)
    look_again([held.pk])
    return held


def ask_relay(*, interlock: Interlock) -> None:
    """Have the worker look at the relay now, whatever it said last."""
    Interlock.objects.filter(pk=interlock.pk).update(next_at=None)
    look_again([interlock.pk])


@transaction.atomic
def remove(*, interlock: Interlock, by: User) -> None:
    """The machine has no relay any more; what was said to it stays. Raises BadInterlock while it may be on."""
    held = Interlock.objects.select_for_update().get(pk=interlock.pk)
    if held.state != Interlock.State.OFF:
        raise BadInterlock(_("Lock the machine out first, and wait until its power is off: the relay may be on."))
    _note(held, What.REMOVED, by)
    held.delete()


def _note(held: Interlock, what: str, by: User, sentence: str = "") -> None:
    InterlockCommand.objects.create(
        machine_id=held.machine_id, what=what, driver=held.driver, person=by, sentence=sentence[:300]
    )
