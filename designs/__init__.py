"""The room of designs."""
