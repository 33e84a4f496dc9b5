"""Counting votes, pure: no Django, no clock, no chance. Whole numbers and fractions, so that anyone counts the same."""

ENGINE_VERSION = "tally/1"
