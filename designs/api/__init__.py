"""The room's API, split by noun: designs with their files, and provenance."""
