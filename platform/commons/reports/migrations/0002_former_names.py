"""The log of reports stays as it was, but for the name of an account that was closed."""

from django.db import migrations

RELAX = """
CREATE OR REPLACE FUNCTION reports_log_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) ->> 'by' ~ '^former-[0-9]+$' AND to_jsonb(NEW) - 'by' = to_jsonb(OLD) - 'by' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the log of reports is never changed' USING ERRCODE = 'restrict_violation';
END $$;
"""
STRICT = """
CREATE OR REPLACE FUNCTION reports_log_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log of reports is never changed' USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial")]

    operations = [migrations.RunSQL(RELAX, STRICT)]
