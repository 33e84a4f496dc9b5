"""MQTT 5 beside HTTP: the same bodies, the same acknowledgement, each device on its own topics (docs/mqtt.md).

`topics` names them, `accounts` writes the broker's password and access files, `client` is the city itself on the
broker (inside the process `ingest`), `link` knows whether it is connected.
"""
