"""What the list and search ask, apart from the designs themselves so that a hundred thousand are read quickly.

Cards and search texts are written by triggers of the database on `designs_design` (migration 0009_search), whatever
changes a design; `services.cards` gives the text of the README, and `reindex_designs` makes all of them again.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from designs.models.designs import Design
from designs.vocabulary import SHOWN_BITS

FILTERED = ("is_open", "facets", "licence", "released")


class Card(models.Model):
    """A row of the list: by what a design is filtered, counted and sorted.

    `is_open`: everybody may see it, and nobody hid it. `facets` has a bit for each way of making and format
    (`vocabulary`), `shown` has those of them that are counted. The sides of the box that each part fits into are in mm,
    longest first. `prior` is what ranks it before any words are asked.
    """

    design = models.OneToOneField(Design, on_delete=models.CASCADE, primary_key=True, related_name="card")
    is_open = models.BooleanField()
    owner = models.ForeignKey("people.Handle", on_delete=models.CASCADE, related_name="+", db_index=False)
    licence = models.CharField(max_length=160)
    facets = models.BigIntegerField(default=0)
    shown = models.GeneratedField(
        expression=F("facets").bitand(SHOWN_BITS), output_field=models.BigIntegerField(), db_persist=True
    )
    released = models.BooleanField(default=False)
    tags = ArrayField(models.CharField(max_length=40), default=list)
    long_mm = models.FloatField(null=True)
    middle_mm = models.FloatField(null=True)
    short_mm = models.FloatField(null=True)
    stars = models.PositiveIntegerField(default=0)
    makes = models.PositiveIntegerField(default=0)
    pushed_at = models.DateTimeField()
    prior = models.IntegerField(default=0)

    class Meta:
        indexes = (
            # With all that lists filter by, so that pages, however deep, are read from the index alone.
            models.Index(fields=["-prior", "-design"], include=FILTERED, name="designs_card_best"),
            models.Index(fields=["-pushed_at", "-design"], include=FILTERED, name="designs_card_new"),
            models.Index(fields=["-makes", "-design"], include=FILTERED, name="designs_card_made"),
            models.Index(fields=["-stars", "-design"], include=FILTERED, name="designs_card_starred"),
            # How many there are of each kind is counted along this one.
            models.Index(fields=["shown", "licence", "released"], condition=Q(is_open=True), name="designs_card_kinds"),
            models.Index(fields=["owner"], name="designs_card_owner"),
            GinIndex(fields=["tags"], name="designs_card_tags"),
        )

    def __str__(self) -> str:
        return f"card of {self.pk}"


class SearchText(models.Model):
    """The words that rank a design: `name` in small letters, for who asks for exactly it; `title` weighs name (A), tags
    and owner (B) and summary (C)."""

    card = models.OneToOneField(
        Card, on_delete=models.CASCADE, primary_key=True, related_name="text", db_column="design_id"
    )
    name = models.CharField(max_length=120, default="")
    title = SearchVectorField()

    class Meta:
        indexes = (GinIndex(fields=["title"], name="designs_text_title", fastupdate=False),)

    def __str__(self) -> str:
        return f"words of {self.pk}"


class AboutText(models.Model):
    """The words that make a design found besides: `about`, the beginning of its README. `body` has all its words. It is
    a table of its own, so that the words that rank are read without those that do not."""

    card = models.OneToOneField(
        Card, on_delete=models.CASCADE, primary_key=True, related_name="readme", db_column="design_id"
    )
    about = models.TextField(default="", blank=True)
    body = SearchVectorField()

    class Meta:
        indexes = (GinIndex(fields=["body"], name="designs_about_body", fastupdate=False),)

    def __str__(self) -> str:
        return f"README of {self.pk}"


class KnownWord(models.Model):
    """A word that some design has in its name, tags, owner or summary: what a typing error is compared with."""

    word = models.CharField(max_length=40, primary_key=True)

    def __str__(self) -> str:
        return self.word
