"""Kinds of runs for these tests; the worker imports this module."""

import os
import time

from django.core.cache import cache

from commons.errors import BadInput
from commons.people.models import User
from commons.runs.registry import Inputs, Job, Outcome, kind

SLEEP = "tests.sleep"
REFUSE = "tests.refuse"
BREAK = "tests.break"
COUNT = "tests.count"
DIE = "tests.die"


@kind(SLEEP, engine_version="7")
def sleep(job: Job, inputs: Inputs) -> Outcome:
    """Work for so many seconds in steps; its effect is one more account, so that a second effect would show."""
    cache.set(f"tests.sleep.pid:{job.run.pk}:{job.run.attempts}", os.getpid(), 300)
    steps = int(inputs["seconds"] / 0.1)
    for step in range(steps):
        job.progress(step / steps, f"step {step}")
        time.sleep(0.1)
    return Outcome({"steps": steps, "attempt": job.run.attempts}, effect=lambda: make_account(inputs["name"]))


def make_account(name: str) -> None:
    """One account more; the same name twice is refused by the database."""
    User.objects.create(username=f"{name}-{User.objects.filter(username__startswith=name).count()}")


@kind(REFUSE)
def refuse(job: Job, inputs: Inputs) -> Outcome:
    """The user's mistake."""
    raise BadInput("Line 3 is not a number.")


@kind(BREAK)
def break_down(job: Job, inputs: Inputs) -> Outcome:
    """Our mistake."""
    raise ZeroDivisionError("secret detail")


@kind(COUNT)
def count(job: Job, inputs: Inputs) -> Outcome:
    """Its effect counts up, and may fail."""

    def effect() -> None:
        make_account("count")
        if inputs.get("fail"):
            raise BadInput("The effect was refused.")

    return Outcome({"seed": job.seed}, effect=effect)


@kind(DIE)
def die(job: Job, inputs: Inputs) -> Outcome:
    """Kill the process that works on it, as a lack of memory would."""
    os._exit(9)
