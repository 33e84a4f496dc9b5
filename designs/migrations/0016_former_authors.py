from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("designs", "0015_make_measured")]

    operations = [
        migrations.CreateModel(
            name="FormerAuthor",
            fields=[
                ("digest", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=39)),
            ],
        ),
    ]
