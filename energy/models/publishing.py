"""Which data of a community its public figures are made of."""

from django.db import models


class Publication(models.Model):
    """A version whose sums the public may see. Versions without one wait: they differ from one that was published by
    too few members, so that the difference would tell of these few (docs/energy-privacy.md).
    """

    version = models.OneToOneField("energy.CommunityVersion", on_delete=models.CASCADE, related_name="publication")
    published_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.version)
