"""Public series of devices by OGC SensorThings 1.1, for reading (docs/open-data.md).

`odata` reads what is asked and `judge` weighs it: both pure, and without a word of one version of the standard. `model`
holds the entities of 1.1; `source` fills them from devices; `reply` writes them. Version 2.0 needs another `model` and
`reply` beside these.
"""
