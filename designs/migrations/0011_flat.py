"""A file may be ready with facts alone: a document or a schematic has no picture."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("designs", "0010_upkeep")]

    operations = [
        migrations.RemoveConstraint(model_name="blob", name="designs_blob_ready_has_something"),
        migrations.AddConstraint(
            model_name="blob",
            constraint=models.CheckConstraint(
                condition=~Q(preview="ready") | ~Q(png="") | ~Q(glb="") | Q(facts__isnull=False, facts__has_key="more"),
                name="designs_blob_ready_is_known",
            ),
        ),
    ]
