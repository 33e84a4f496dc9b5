"""What was made, summed by day: the third figure reads these rows, whatever the number of jobs."""

from django.db import models


class ProductionDay(models.Model):
    """Finished jobs of a lab on a UTC day with one provenance and licence. `jobs` may be a part of one: a plate of
    several designs is shared out by volume. `mass_jobs` and `kwh_jobs`: of how many of them it is known."""

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="production")
    day = models.DateField()
    provenance = models.CharField(max_length=10)
    open = models.BooleanField()
    licence = models.CharField(max_length=160, blank=True)
    demo = models.BooleanField(default=False)
    jobs = models.FloatField()
    machine_s = models.FloatField()
    mass_g = models.FloatField()
    mass_jobs = models.FloatField()
    energy_kwh = models.FloatField()
    kwh_jobs = models.FloatField()

    class Meta:
        constraints = (
            models.UniqueConstraint("lab", "day", "provenance", "open", "licence", "demo", name="labs_production_once"),
        )
        indexes = (models.Index(fields=["day", "lab"], name="labs_production_day"),)

    def __str__(self) -> str:
        return f"{self.lab_id} {self.day} {self.provenance}"


class ProductionDue(models.Model):
    """A day of a lab whose sums are to be made anew: written with every change of a finished job, in its transaction;
    until then that day is read from its jobs. Jobs that go with their lab write one too, so nothing binds it to it."""

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    day = models.DateField()

    def __str__(self) -> str:
        return f"{self.lab_id} {self.day}"
