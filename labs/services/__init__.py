"""Writes of the room, split by noun: bookings, catalogue, jobs."""
