"""What an energy community decides: by which key its surplus is shared, and at what price (docs/deciding.md)."""

from django.utils.translation import gettext_lazy

from commons import sockets
from energy.deciding import body, sharing, tariff


def register() -> None:
    """Plug the body and what it can set into the sockets."""
    sockets.deciding_bodies.register(
        sockets.DecidingBody(
            body.KIND,
            gettext_lazy("Energy community"),
            body.find,
            body.members,
            body.stewards,
            body.keys_of,
            body.CHARTER,
            order=10,
        )
    )
    for effect in (sharing.EFFECT, tariff.EFFECT):
        sockets.effects.register(effect)
