"""What the city is made of: the locks read, written down as an SBOM, held against known advisories (docs/security.md).
Needs no network and nothing of Django."""
