"""The tests of the whole city; `tests/<package>/` mirrors the packages, `tests/engines/` needs no database."""
