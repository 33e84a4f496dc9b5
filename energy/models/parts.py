"""What slices of a large simulation answered, until the whole is put together."""

from django.db import models


class SimulationPart(models.Model):
    """One slice of a run: `energy.engine.slices.Part`, packed row after row; gone when the run has ended well."""

    run = models.ForeignKey("runs.Run", on_delete=models.CASCADE, related_name="energy_parts")
    number = models.PositiveIntegerField()
    first = models.PositiveIntegerField()
    members = models.PositiveIntegerField()
    totals = models.BinaryField()
    series = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint("run", "number", name="energy_part_once"),)

    def __str__(self) -> str:
        return f"{self.run_id}, {self.number}"
