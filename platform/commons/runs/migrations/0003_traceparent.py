from django.db import migrations, models


class Migration(migrations.Migration):
    """A run knows in which trace it was started (W3C Trace Context). A column with a constant default locks nothing."""

    dependencies = [("runs", "0002_kept_sentences")]

    operations = [
        migrations.AddField(
            "run", "traceparent", models.CharField(blank=True, default="", editable=False, max_length=55)
        ),
    ]
