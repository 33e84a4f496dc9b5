"""The room of labs."""
