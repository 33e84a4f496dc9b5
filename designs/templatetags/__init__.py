"""Filters of the templates of designs."""
