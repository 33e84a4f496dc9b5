"""Coming from elsewhere: members, machines and bookings out of tables and other programs' files. Pure.

An adapter (`csv_files`, `nemo`) reads bytes into a `Reading` of neutral rows; `checking` compares those with what the
lab has and answers a `Plan`. Nothing here knows the database: `labs.queries.imports` gathers what is known, and
`labs.services.imports` carries the plan out (docs/migrate.md).
"""
