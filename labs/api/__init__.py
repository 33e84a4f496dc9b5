"""The room's API, split by noun: catalogue, bookings, jobs."""
