"""Asking the same question again: a simulation repeated from what was written down of it."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from energy import policies
from energy.errors import BadCommunity, NotYours
from energy.models import Simulation
from energy.services.communities import KIND


def repeat(*, simulation: Simulation, viewer: policies.Viewer) -> Run:
    """Run a simulation again: the same data, choices and seed, on the engine of now. Raises NotYours, BadCommunity."""
    if not isinstance(viewer, User) or not policies.may_simulate(viewer, simulation.version):
        raise NotYours(_("Sign in to repeat a simulation."))
    before = simulation.run
    if before is None or before.inputs.get("content_sha256") != simulation.version.content_sha256:
        raise BadCommunity(
            _("What this simulation was asked is no longer written down, so it cannot be repeated; start a new one.")
        )
    inputs = {**before.inputs, "full": policies.is_steward(viewer, simulation.version.community)}
    return runs.start(
        kind=KIND,
        inputs=inputs,
        title=said(gettext_lazy("Simulate %(community)s again"), community=simulation.version.community.name),
        subject=before.subject,
        owner=viewer,
        seed=before.seed,
    )
