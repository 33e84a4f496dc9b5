"""The ledger of what was published of households, with what the public has been told until now."""

import datetime as dt

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

GUARD = """
CREATE FUNCTION energy_spans_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version_id IS NULL AND to_jsonb(NEW) - 'version_id' = to_jsonb(OLD) - 'version_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what was published is never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER energy_publishedspan_is_final BEFORE UPDATE ON energy_publishedspan
    FOR EACH ROW EXECUTE FUNCTION energy_spans_are_final();
"""
UNGUARD = """
DROP TRIGGER energy_publishedspan_is_final ON energy_publishedspan;
DROP FUNCTION energy_spans_are_final();
"""
OPEN = ("load:lab", "load:public")


def lay(apps, schema_editor):
    """Write down what was published of each version, the oldest first, in the time that no earlier one had."""
    from energy import series, veil  # noqa: PLC0415 they know no table of this step

    Publication = apps.get_model("energy", "Publication")
    Span = apps.get_model("energy", "PublishedSpan")
    rows = Publication.objects.filter(version__demo=False).select_related("version").order_by("version__number")
    for version in (row.version for row in rows):
        names = ("load", "cells", *OPEN)
        found = dict(version.series.filter(name__in=names).values_list("name", "packed"))
        curves = {name: series.unpack(packed) for name, packed in found.items()}
        if "cells" not in curves or curves["cells"][0] == veil.NOT_SHOWN:
            continue
        open_loads = [curves[name] for name in OPEN if name in curves]
        households = [whole - sum(part) for whole, *part in zip(curves["load"], *open_loads, strict=True)]
        told = veil.over_cells(households, curves["cells"])
        step = dt.timedelta(minutes=version.step_minutes)
        until = version.start + step * version.steps
        said = list(
            Span.objects.filter(community=version.community_id, start__lt=until, end__gt=version.start).order_by("start")
        )
        first = 0
        edges = [((span.start - version.start) // step, -(-(span.end - version.start) // step)) for span in said]
        for begins, ends in [*edges, (version.steps, version.steps)]:
            if begins > first:
                Span.objects.create(
                    community_id=version.community_id, version=version, start=version.start + step * first,
                    end=version.start + step * begins, step_minutes=version.step_minutes,
                    packed=series.pack(told[first:begins]),
                )  # fmt: skip
            first = max(first, ends)


class Migration(migrations.Migration):
    dependencies = [("energy", "0010_surplus")]

    operations = [
        migrations.CreateModel(
            name="PublishedSpan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("step_minutes", models.PositiveSmallIntegerField()),
                ("packed", models.BinaryField()),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="published_spans",
                        to="energy.community",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="published_spans",
                        to="energy.communityversion",
                    ),
                ),
            ],
            options={
                "ordering": ("start",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start"))), name="energy_span_is_one"
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=(
                            ("community", "="),
                            (
                                models.Func(
                                    models.F("start"),
                                    models.F("end"),
                                    models.Value("[)"),
                                    function="tstzrange",
                                    output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                                ),
                                "&&",
                            ),
                        ),
                        name="energy_span_once",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunPython(lay, migrations.RunPython.noop),
    ]
