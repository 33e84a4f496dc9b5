"""What the public sees is of a published version; a simulation knows what it answered and to which question."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def publish_newest(apps: StateApps, _schema: BaseDatabaseSchemaEditor) -> None:
    """What everybody saw until now is published: the newest version of each community."""
    versions = apps.get_model("energy", "CommunityVersion").objects
    publications = apps.get_model("energy", "Publication").objects
    for pk in versions.order_by("community", "-number").distinct("community").values_list("pk", flat=True):
        publications.create(version_id=pk)


class Migration(migrations.Migration):
    dependencies = [("energy", "0003_bills"), ("runs", "0002_kept_sentences")]

    operations = [
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("published_at", models.DateTimeField(auto_now_add=True)),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="publication",
                        to="energy.communityversion",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="simulation",
            name="inputs_sha256",
            field=models.CharField(
                blank=True,
                help_text="of what the answer depends on: data, control, sharing, horizon …",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="simulation",
            name="result_sha256",
            field=models.CharField(blank=True, help_text="of all figures and series, bit for bit", max_length=64),
        ),
        migrations.AddField(model_name="simulation", name="seed", field=models.BigIntegerField(default=0)),
        migrations.AddIndex(
            model_name="simulation",
            index=models.Index(fields=["inputs_sha256", "seed"], name="energy_simulation_same"),
        ),
        migrations.RunPython(publish_newest, migrations.RunPython.noop),
    ]
