"""The quick way of `migrate` leads to the tables that Django's own way leads to."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings

from livingcity.dev.places import ROOT
from livingcity.dev.pytest_plugin import TEMPLATE

DJANGOS = """
import django
from django.core.management import call_command
from django.core.management.commands.migrate import Command
django.setup()
call_command(Command(), verbosity=0, interactive=False, skip_checks=True)
"""
#: Everything that migrations make, as PostgreSQL writes it down itself.
SCHEMA = """
SELECT 'column', c.table_name, c.column_name, concat_ws(' ', c.data_type, c.udt_name, c.is_nullable, c.column_default,
       c.character_maximum_length, c.is_identity, c.generation_expression)
  FROM information_schema.columns c WHERE table_schema = 'public'
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger
  WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, '', prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'migration', app, name, '' FROM django_migrations
UNION ALL SELECT 'type', app_label, model, '' FROM django_content_type
UNION ALL SELECT 'right', codename, '', name FROM auth_permission
"""


def tables(database: str) -> set[tuple[str, ...]]:
    named = settings.DATABASES["default"]
    with psycopg.connect(f"postgresql://{named['USER']}@/{database}?host={named['HOST']}") as connection:
        return set(connection.execute(SCHEMA).fetchall())


@pytest.mark.drill
def test_the_quick_way_makes_the_same_tables() -> None:
    named = settings.DATABASES["default"]
    address = f"postgresql://{named['USER']}@/{{}}?host={named['HOST']}".format
    with psycopg.connect(address("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE by_django")
    environment = {
        "DATABASE_URL": address("by_django"), "DJANGO_SETTINGS_MODULE": "livingcity.settings",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", DJANGOS], check=True, cwd=ROOT, env=os.environ | environment)
    quick, slow = tables(TEMPLATE), tables("by_django")
    assert len(slow) > 1000
    assert quick == slow
