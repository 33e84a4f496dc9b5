"""What the people of a lab decide: how much each may book, when it is open, what the sun makes cheaper
(docs/deciding.md)."""

from django.utils.translation import gettext_lazy

from commons import sockets
from labs.deciding import body, opening, quota, surplus


def register() -> None:
    """Plug the body and what it can set into the sockets."""
    sockets.deciding_bodies.register(
        sockets.DecidingBody(
            body.KIND,
            gettext_lazy("Lab"),
            body.find,
            body.members,
            body.stewards,
            body.keys_of,
            body.CHARTER,
            order=20,
        )
    )
    for effect in (quota.EFFECT, opening.EFFECT, surplus.EFFECT):
        sockets.effects.register(effect)
