"""Exports are files of runs; there is no table."""

from commons.kept import Kept

KEPT: tuple[Kept, ...] = ()
NOT_PERSONAL: dict[str, str] = {}
