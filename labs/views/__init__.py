"""The room's pages, split by noun: labs and machines, bookings, jobs, the desk."""
