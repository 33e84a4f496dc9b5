"""Badges that anyone can check without us: Open Badges 3.0 as verifiable credentials (docs/credentials.md).

`keys` and `documents` are light and may load in the web process; `signing` and `verifying` bring a JSON-LD processor
(about 25 MB) and are loaded by a worker alone.
"""
