"""Open data: what rooms give away, as files with a catalogue (docs/open-data.md)."""
