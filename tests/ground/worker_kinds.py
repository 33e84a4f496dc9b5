"""Kinds of runs for these tests; the worker imports this module."""

import os

from commons.runs.registry import Inputs, Job, Outcome, kind

PID = "tests.ground.pid"


@kind(PID)
def pid(job: Job, inputs: Inputs) -> Outcome:
    """Answer the worker's process id."""
    job.progress(0.5, "half")
    return Outcome({"pid": os.getpid(), **inputs})
