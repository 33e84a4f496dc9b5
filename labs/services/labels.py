"""Labels of machines: a short code that a phone reads from the machine itself."""

import secrets

from django.conf import settings
from django.db import transaction

from labs.models import Machine, MachineLabel
from labs.queries.addresses import path_of

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without what people confuse; 31^8 codes, so that none is guessed: who knows one has seen the label."""


@transaction.atomic
def label_of(*, machine: Machine, renew: bool = False) -> MachineLabel:
    """The machine's label, made on first use; renewed, the printed one leads nowhere any more."""
    Machine.objects.select_for_update(no_key=True).only("pk").get(pk=machine.pk)
    held = MachineLabel.objects.filter(machine=machine).first()
    if held is not None and not renew:
        return held
    if held is not None:
        held.delete()
    code = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return MachineLabel.objects.create(machine=machine, code=code)


def address_of(label: MachineLabel) -> str:
    """What the label says: the whole address."""
    return f"{settings.PUBLIC_URL}{path_of('rooms:at_machine', label.code)}"
