"""The demo's labs: made by the real services, told by simulated machines through the real ingest."""
