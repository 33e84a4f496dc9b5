"""Kinds of runs for these tests; the worker imports this module."""

import os
import time

from commons.runs.registry import Inputs, Job, Outcome, kind

PID = "tests.ground.pid"


@kind(PID)
def pid(job: Job, inputs: Inputs) -> Outcome:
    """Answer the worker's process id."""
    job.progress(0.5, "half")
    return Outcome({"pid": os.getpid(), **inputs})


STEPS = "tests.ground.steps"


@kind(STEPS)
def steps(job: Job, inputs: Inputs) -> Outcome:
    """Take that many steps, with a pause after each."""
    for step in range(inputs["steps"]):
        job.progress(step / inputs["steps"], f"step {step}")
        time.sleep(inputs["pause_s"])
    return Outcome({"steps": inputs["steps"]})
