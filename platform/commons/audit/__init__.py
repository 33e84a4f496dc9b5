"""Who did what with more than a person's own rights: rows that are added to and never changed, each holding the hash
of the one before (docs/security.md)."""
