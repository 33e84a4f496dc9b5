"""What machines and plugs say, as measured values. Pure: bytes or JSON in, values out; no network, no clock."""
