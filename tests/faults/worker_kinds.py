"""Kinds of runs for the drills of this folder; the worker imports this module."""

import ctypes
import hashlib
import os
import random
import time
from pathlib import Path

from django.core.cache import cache

from commons.people.models import User
from commons.runs.pulse import pulse
from commons.runs.registry import Inputs, Job, Outcome, kind

DEAF = "tests.faults.deaf"
WALK = "tests.faults.walk"


@kind(DEAF)
def deaf(job: Job, inputs: Inputs) -> Outcome:
    """One call into C that never lets go of Python's lock, as a solver may."""
    if where := inputs.get("say"):
        Path(where).write_text(f"{os.getpid()} {pulse.pid}\n")
    ctypes.PyDLL(None).usleep(int(inputs["seconds"] * 1e6))
    return Outcome({"attempt": job.run.attempts}, effect=lambda: leave_a_mark(inputs["name"]))


@kind(WALK, max_attempts=20)
def walk(job: Job, inputs: Inputs) -> Outcome:
    """A random walk whose every step rests on all before it, so that one lost or done twice would show."""
    chance, place, chain = random.Random(job.seed), 0.0, b""
    steps = int(inputs["steps"])
    for step in range(steps):
        place += chance.gauss(0, 1)
        chain = hashlib.sha256(chain + repr(place).encode()).digest()
        cache.set(f"tests.faults.walk:{job.run.pk}", f"{os.getpid()} {job.run.attempts} {step}", 600)
        job.progress(step / steps, f"step {step}")
        time.sleep(inputs["pause_s"])
    return Outcome({"place": place, "chain": chain.hex(), "steps": steps}, effect=lambda: leave_a_mark(inputs["name"]))


def leave_a_mark(name: str) -> None:
    """One account more, so that a second effect would show."""
    User.objects.create(username=f"{name}-{User.objects.filter(username__startswith=name).count()}")
