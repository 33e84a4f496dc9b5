"""Puts the ground floor on the path before pytest reads the settings, and brings the servers of this run."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [folder for folder in (str(ROOT / "platform"), str(ROOT)) if folder not in sys.path]

from livingcity.dev.pytest_plugin import pytest_load_initial_conftests, pytest_unconfigure  # noqa: E402

__all__ = ["pytest_load_initial_conftests", "pytest_unconfigure"]
