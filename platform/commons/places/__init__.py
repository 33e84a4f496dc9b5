"""Cities and neighbourhoods."""
