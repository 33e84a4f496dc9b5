"""What-ifs of a district: the question, its versions of measures, and what engines answered.

A scenario is like a design: it has versions, may be forked from a version of another one, and is found by its link.
One that is not listed can be seen by whoever has the link; its id cannot be guessed (69 bits).
"""

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from twin.models.districts import District

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_id() -> str:
    """Fourteen letters and digits, without those that people confuse."""
    return "".join(secrets.choice(_LETTERS) for _position in range(14))


class Scenario(models.Model):
    """A question to a district. `owner` is None where somebody without an account asked; who has the secret whose
    SHA-256 is `edit_key_sha256` may go on editing.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    district = models.ForeignKey(District, on_delete=models.CASCADE, related_name="scenarios")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="scenarios"
    )
    edit_key_sha256 = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=120)
    question = models.CharField(max_length=500, blank=True)
    parent_version = models.ForeignKey(
        "ScenarioVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="forks"
    )
    listed = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        indexes = (models.Index(fields=["district", "-created_at"], name="twin_scenario_newest"),)

    def __str__(self) -> str:
        return self.title


class ScenarioVersion(models.Model):
    """One list of measures, in order, as `twin.engine.measures` writes them. Never changes once written.

    `assumptions`: {"traffic": {…}, "energy": {…}}, only what differs from ours.
    """

    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    measures = models.JSONField(default=list)
    assumptions = models.JSONField(default=dict)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("scenario", "number", name="twin_scenario_version_once"),)

    def __str__(self) -> str:
        return f"{self.scenario} {self.number}"


class ScenarioResult(models.Model):
    """What engines answered to a list of measures. A pure function of what `inputs_hash` names: the district's version,
    the measures, the assumptions, the engines' versions and the seeds. Other versions with the same inputs share it.

    `summary`: the comparison without names and addresses (`twin.engine.scenario.Comparison.document`).
    `detail_sha256`: of the gzipped JSON with the columns of buildings and streets (`twin.scenario_files`).
    """

    class Depth(models.TextChoices):
        """How deep the engines went."""

        QUICK = "quick", _("at once")
        SEEDS = "seeds", _("with 20 seeds of SUMO")
        DEEP = "deep", _("vehicle by vehicle")

    version = models.ForeignKey(ScenarioVersion, on_delete=models.CASCADE, related_name="results")
    depth = models.CharField(max_length=8, choices=Depth.choices, default=Depth.QUICK)
    inputs_hash = models.CharField(max_length=64)
    city_version = models.PositiveIntegerField()
    engines = models.JSONField(default=list)
    seeds = models.JSONField(default=list)
    summary = models.JSONField(default=dict)
    detail_sha256 = models.CharField(max_length=64, blank=True)
    took_s = models.FloatField(default=0.0)
    run = models.ForeignKey("runs.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("inputs_hash", "depth", name="twin_scenario_reckoned_once"),)

    def __str__(self) -> str:
        return f"{self.version} ({self.depth})"
