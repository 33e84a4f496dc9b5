"""The city model by standards of the Open Geospatial Consortium: API Features and Processes (docs/open-data.md)."""
