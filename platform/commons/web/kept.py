"""What the web kit keeps: of nobody who could be named."""

from commons.kept import Kept

KEPT: tuple[Kept, ...] = ()
NOT_PERSONAL = {"web.IdempotentAnswer": "hashes and a sealed answer, for a day; only who asked can open it"}
