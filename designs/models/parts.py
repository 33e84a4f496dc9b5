"""Designs as parts of other designs: an index of parts lists, made again with every push."""

from django.db import models

from designs.models.designs import Design


class PartUse(models.Model):
    """A line of a design's parts list (of its default branch) that is another design.

    `owner` and `slug` are as the list writes them; `used` is empty while there is no such design. `version` is what it
    is pinned to, or empty.
    """

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="part_uses")
    used = models.ForeignKey(Design, null=True, blank=True, on_delete=models.SET_NULL, related_name="used_in")
    owner = models.CharField(max_length=39)
    slug = models.CharField(max_length=60)
    version = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=300)
    quantity = models.FloatField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["owner", "slug"], name="designs_part_use_named"),)

    def __str__(self) -> str:
        return f"{self.quantity or '?'} × {self.owner}/{self.slug} in {self.design}"
