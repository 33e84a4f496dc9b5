"""Places are of nobody."""

from commons.kept import Kept

KEPT: tuple[Kept, ...] = ()
NOT_PERSONAL = {"places.Place": "of the city"}
