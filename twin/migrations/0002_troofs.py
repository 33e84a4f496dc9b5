import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("twin", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reckoning",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("roofs", "sun on the roofs"), ("risk", "risk"), ("carbon", "carbon")], max_length=12
                    ),
                ),
                ("engine_version", models.CharField(max_length=60)),
                ("inputs", models.JSONField(default=dict)),
                ("summary", models.JSONField(default=dict)),
                ("keys", models.JSONField(default=list)),
                ("columns", models.JSONField(default=dict)),
                ("drawings", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reckonings",
                        to="twin.districtversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("version"), models.F("kind"), models.F("engine_version"), name="twin_reckoned_once"
                    )
                ],
            },
        ),
    ]
