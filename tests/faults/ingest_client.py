"""A device that never gives up, as a process of its own: `python ingest_client.py DEVICE READINGS BATCH`.

It sends reading after reading through the ingest, goes on from what is acknowledged, and sends again when the
database is away. It exits 1 if an acknowledgement is ever taken back.
"""

import datetime as dt
import os
import sys
import time

import django


def readings(first: int, last: int, start: dt.datetime) -> list[dict[str, object]]:
    """Counter readings first..last: 2 s apart, 3 Wh each."""
    return [
        {
            "seq": seq,
            "ts": (start + dt.timedelta(seconds=2 * seq)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "channel": "energy_wh_total",
            "value": 3.0 * seq,
        }
        for seq in range(first, last + 1)
    ]


def main(device_id: str, total: int, batch: int) -> int:
    """Send all; the exit status."""
    from django.db import InterfaceError, OperationalError, connection

    from commons.devices import services
    from commons.devices.models import Device

    start = dt.datetime.fromisoformat(os.environ["DRILL_START"])
    acked = resent = 0
    device = Device(pk=device_id)
    while acked < total:
        try:
            ack = services.ingest(device=device, readings=readings(acked + 1, min(acked + batch, total), start))
        except (OperationalError, InterfaceError):
            connection.close()
            resent += 1
            time.sleep(0.05)
            continue
        if ack.acked <= acked:
            return 1
        acked = ack.acked
    print(f"{acked} acknowledged, {resent} times sent again")  # noqa: T201 for who reads the log
    return 0


if __name__ == "__main__":
    django.setup()
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
