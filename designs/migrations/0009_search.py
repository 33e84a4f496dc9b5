"""Cards and search texts: tables, the text search configurations, and the triggers that keep them in step.

The three extensions are trusted: the owner of a database may make them.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.contrib.postgres.operations import CreateExtension, TrigramExtension, UnaccentExtension
from django.db import migrations, models

#: The bits of designs.vocabulary as they were when this was written: slug and bit.
BITS = {
    "fff": 0, "sla": 1, "laser-cutting": 2, "milling": 3, "knife-cutting": 4, "sewing": 5, "pcb": 6, "welding": 7,
    "woodworking": 8, "turning": 9, "casting": 10, "sheet-metal": 11, "hand-work": 12,
    "stl": 24, "step": 25, "3mf": 26, "obj": 27, "ply": 28, "off": 29, "glb": 30, "gltf": 31, "dxf": 32, "svg": 33,
    "gerber": 34, "kicad": 35, "openscad": 36, "freecad": 37, "gcode": 38, "fusion": 39, "blender": 40,
    "solidworks": 41, "pdf": 42, "markdown": 43, "csv": 44,
}  # fmt: skip

BITS_SQL = (
    "CREATE OR REPLACE FUNCTION designs_bits(words text[]) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ "
    "SELECT coalesce(bit_or(bit), 0)::bigint FROM (VALUES "
    + ", ".join(f"('{slug}', {1 << bit}::bigint)" for slug, bit in BITS.items())
    + ") AS known(word, bit) WHERE word = ANY(words) $$;"
)

# Accents are taken off before stemming; a word is kept as it is written and as English and Finnish bend it.
CONFIGURATIONS = """
CREATE TEXT SEARCH CONFIGURATION designs_simple (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION designs_simple ALTER MAPPING FOR hword, hword_part, word WITH unaccent, simple;
CREATE TEXT SEARCH CONFIGURATION designs_english (COPY = english);
ALTER TEXT SEARCH CONFIGURATION designs_english ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;
CREATE TEXT SEARCH CONFIGURATION designs_finnish (COPY = finnish);
ALTER TEXT SEARCH CONFIGURATION designs_finnish ALTER MAPPING FOR hword, hword_part, word WITH unaccent, finnish_stem;
"""
NO_CONFIGURATIONS = """
DROP TEXT SEARCH CONFIGURATION designs_finnish;
DROP TEXT SEARCH CONFIGURATION designs_english;
DROP TEXT SEARCH CONFIGURATION designs_simple;
"""

# Signs become blanks first, so that the parser sees words and numbers and no host names, paths or addresses.
VECTOR = """
CREATE FUNCTION designs_vector(words text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_tsvector('designs_simple', plain) || to_tsvector('designs_english', plain)
         || to_tsvector('designs_finnish', plain)
  FROM translate(coalesce(words, ''), '-_./\\:@#&+,;=~<>()[]{}!?*|%$^`"''', repeat(' ', 40)) AS plain
$$;
"""

FOLLOW = """
CREATE FUNCTION designs_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who text;
  heading tsvector;
  seen timestamptz := coalesce(NEW.pushed_at, NEW.created_at);
BEGIN
  INSERT INTO designs_card AS card (design_id, is_open, owner_id, licence, facets, released, tags, long_mm, middle_mm,
      short_mm, stars, makes, pushed_at, prior)
  VALUES (NEW.id, NEW.visibility = 'public' AND NEW.deleted_at IS NULL AND NEW.hidden_at IS NULL,
      NEW.owner_id, NEW.licence,
      designs_bits(NEW.formats::text[] || NEW.processes::text[]), NEW.released_at IS NOT NULL, NEW.tags,
      NEW.box_mm[1], NEW.box_mm[2], NEW.box_mm[3], NEW.star_count, NEW.make_count, seen,
      round(300 * ln(1 + NEW.star_count) + 400 * ln(1 + NEW.make_count)
            + CASE WHEN NEW.released_at IS NULL THEN 0 ELSE 200 END
            + 300 * extract(epoch FROM seen - '2020-01-01T00:00:00Z'::timestamptz)::float8 / 31557600)::integer)
  ON CONFLICT (design_id) DO UPDATE SET (is_open, owner_id, licence, facets, released, tags, long_mm, middle_mm,
      short_mm, stars, makes, pushed_at, prior)
    = ROW (excluded.is_open, excluded.owner_id, excluded.licence, excluded.facets, excluded.released, excluded.tags,
      excluded.long_mm, excluded.middle_mm, excluded.short_mm, excluded.stars, excluded.makes, excluded.pushed_at,
      excluded.prior);
  IF TG_OP = 'UPDATE' AND (NEW.name, NEW.slug, NEW.summary, NEW.tags, NEW.owner_id)
      IS NOT DISTINCT FROM (OLD.name, OLD.slug, OLD.summary, OLD.tags, OLD.owner_id)
      AND EXISTS (SELECT FROM designs_searchtext t WHERE t.design_id = NEW.id) THEN
    RETURN NULL;
  END IF;
  SELECT concat_ws(' ', handle.name, person.name, organisation.name) INTO who FROM people_handle handle
    LEFT JOIN people_user person ON person.id = handle.user_id
    LEFT JOIN people_organisation organisation ON organisation.id = handle.organisation_id
    WHERE handle.id = NEW.owner_id;
  heading := setweight(designs_vector(NEW.name), 'A')
    || setweight(designs_vector(array_to_string(NEW.tags, ' ') || ' ' || coalesce(who, '')), 'B')
    || setweight(designs_vector(NEW.summary || ' ' || NEW.slug), 'C');
  INSERT INTO designs_searchtext (design_id, name, title) VALUES (NEW.id, lower(NEW.name), heading)
  ON CONFLICT (design_id) DO UPDATE SET name = excluded.name, title = excluded.title;
  INSERT INTO designs_abouttext AS t (design_id, about, body) VALUES (NEW.id, '', heading)
  ON CONFLICT (design_id) DO UPDATE SET body = excluded.body || setweight(designs_vector(t.about), 'D');
  RETURN NULL;
END $$;
CREATE TRIGGER designs_follow_new AFTER INSERT ON designs_design FOR EACH ROW EXECUTE FUNCTION designs_follow();
CREATE TRIGGER designs_follow AFTER UPDATE OF name, slug, summary, tags, owner_id, visibility, deleted_at,
  hidden_at, licence, formats, processes, box_mm, star_count, make_count, released_at, pushed_at, created_at ON designs_design
  FOR EACH ROW EXECUTE FUNCTION designs_follow();
CREATE FUNCTION designs_about() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.body := coalesce((SELECT title FROM designs_searchtext t WHERE t.design_id = NEW.design_id), ''::tsvector)
    || setweight(designs_vector(NEW.about), 'D');
  RETURN NEW;
END $$;
CREATE TRIGGER designs_about BEFORE UPDATE OF about ON designs_abouttext FOR EACH ROW
  EXECUTE FUNCTION designs_about();
"""
NO_FOLLOW = """
DROP TRIGGER designs_follow_new ON designs_design;
DROP TRIGGER designs_follow ON designs_design;
DROP FUNCTION designs_follow();
DROP TRIGGER designs_about ON designs_abouttext;
DROP FUNCTION designs_about();
"""
# Every design that is there already gets its rows.
FIRST = "UPDATE designs_design SET name = name;"


class Migration(migrations.Migration):
    dependencies = [
        ("designs", "0008_okh_parts"),
        ("people", "0001_initial"),
    ]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        CreateExtension("fuzzystrmatch"),
        migrations.CreateModel(
            name="Card",
            fields=[
                (
                    "design",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="card",
                        serialize=False,
                        to="designs.design",
                    ),
                ),
                ("is_open", models.BooleanField()),
                ("licence", models.CharField(max_length=160)),
                ("facets", models.BigIntegerField(default=0)),
                ("released", models.BooleanField(default=False)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("long_mm", models.FloatField(null=True)),
                ("middle_mm", models.FloatField(null=True)),
                ("short_mm", models.FloatField(null=True)),
                ("stars", models.PositiveIntegerField(default=0)),
                ("makes", models.PositiveIntegerField(default=0)),
                ("pushed_at", models.DateTimeField()),
                ("prior", models.IntegerField(default=0)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="people.handle",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="KnownWord",
            fields=[
                ("word", models.CharField(max_length=40, primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name="AboutText",
            fields=[
                (
                    "card",
                    models.OneToOneField(
                        db_column="design_id",
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="readme",
                        serialize=False,
                        to="designs.card",
                    ),
                ),
                ("about", models.TextField(blank=True, default="")),
                ("body", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["body"], name="designs_about_body"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchText",
            fields=[
                (
                    "card",
                    models.OneToOneField(
                        db_column="design_id",
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="text",
                        serialize=False,
                        to="designs.card",
                    ),
                ),
                ("name", models.CharField(default="", max_length=120)),
                ("title", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["title"], name="designs_text_title"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(fields=["-prior", "-design"], name="designs_card_best"),
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(fields=["-pushed_at", "-design"], name="designs_card_new"),
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(fields=["-makes", "-design"], name="designs_card_made"),
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(fields=["-stars", "-design"], name="designs_card_starred"),
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(fields=["owner"], name="designs_card_owner"),
        ),
        migrations.AddIndex(
            model_name="card",
            index=django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="designs_card_tags"),
        ),
        migrations.RunSQL(CONFIGURATIONS, NO_CONFIGURATIONS),
        migrations.RunSQL(BITS_SQL, "DROP FUNCTION designs_bits(text[]);"),
        migrations.RunSQL(VECTOR, "DROP FUNCTION designs_vector(text);"),
        migrations.RunSQL(FOLLOW, NO_FOLLOW),
        migrations.RunSQL(FIRST, migrations.RunSQL.noop),
    ]
