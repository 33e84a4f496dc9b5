"""What the city has hidden is no card that everybody sees: the list and search leave it out."""

from django.db import migrations

FOLLOW = """
CREATE OR REPLACE FUNCTION designs_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who text;
  heading tsvector;
  seen timestamptz := coalesce(NEW.pushed_at, NEW.created_at);
BEGIN
  INSERT INTO designs_card AS card (design_id, is_open, owner_id, licence, facets, released, tags, long_mm, middle_mm,
      short_mm, stars, makes, pushed_at, prior)
  VALUES (NEW.id, NEW.visibility = 'public' AND NEW.deleted_at IS NULL, NEW.owner_id, NEW.licence,
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
DROP TRIGGER designs_follow ON designs_design;
CREATE TRIGGER designs_follow AFTER UPDATE OF name, slug, summary, tags, owner_id, visibility, deleted_at, licence,
  formats, processes, box_mm, star_count, make_count, released_at, pushed_at, created_at ON designs_design
  FOR EACH ROW EXECUTE FUNCTION designs_follow();
"""
BEFORE = "NEW.visibility = 'public' AND NEW.deleted_at IS NULL,"
AFTER = """NEW.visibility = 'public' AND NEW.deleted_at IS NULL AND NEW.hidden_at IS NULL,
     """
CLOSE = """
UPDATE designs_card SET is_open = FALSE FROM designs_design
  WHERE designs_design.id = designs_card.design_id AND designs_design.hidden_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("designs", "0012_release_dates")]

    operations = [
        migrations.RunSQL(
            FOLLOW.replace(BEFORE, AFTER).replace("deleted_at, licence", "deleted_at, hidden_at, licence") + CLOSE,
            FOLLOW,
        ),
    ]
