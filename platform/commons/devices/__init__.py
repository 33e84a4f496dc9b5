"""Devices, their enrolment, their readings and rollups."""
