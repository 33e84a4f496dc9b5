"""Calls are made in the world of the access tables; without it there is nothing to ask."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("tests.authz") else ["test_document.py", "test_fields.py", "test_parameters.py"]
