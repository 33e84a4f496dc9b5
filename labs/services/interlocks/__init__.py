"""Interlocks: power asked for, given, held, ended; set up, locked out. `settle` alone speaks to relays."""

from labs.services.interlocks.asking import ask_power, heard, look_again, look_at
from labs.services.interlocks.mending import end_mending, let_mend, power_to_mend
from labs.services.interlocks.setting import ask_relay, free, lock_out, remove, set_interlock
from labs.services.interlocks.settling import settle

__all__ = [
    "ask_power",
    "ask_relay",
    "end_mending",
    "free",
    "heard",
    "let_mend",
    "lock_out",
    "look_again",
    "look_at",
    "power_to_mend",
    "remove",
    "set_interlock",
    "settle",
]
