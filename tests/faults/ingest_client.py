"""A device that never gives up, as a process of its own: `ingest_client.py URL TOKEN READINGS BATCH START PAUSE`.

It sends batch after batch over HTTP, PAUSE seconds apart so that there is time to kill what it speaks to, goes on from
what is acknowledged, and sends again when it is refused for the time being or hears nothing. It exits 1 if an
acknowledgement is ever taken back, 2 if it is refused for good.
"""

import datetime as dt
import http.client
import json
import sys
import time
from urllib.parse import urlsplit

GIVE_UP_S = 600.0


def body(first: int, last: int, start: dt.datetime) -> bytes:
    """Counter readings first..last: 2 s apart, 3 Wh each."""
    items = [
        {
            "seq": seq,
            "ts": (start + dt.timedelta(seconds=2 * seq)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "channel": "energy_wh_total",
            "value": 3.0 * seq,
        }
        for seq in range(first, last + 1)
    ]
    return json.dumps({"readings": items}).encode()


def main(url: str, token: str, total: int, batch: int, start: dt.datetime, pause_s: float) -> int:
    """Send all; the exit status."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    acked = resent = 0
    until = time.monotonic() + GIVE_UP_S
    while acked < total:
        if time.monotonic() > until:
            return 2
        try:
            line.request("POST", "/api/v1/telemetry/", body(acked + 1, min(acked + batch, total), start), headers)
            answer = line.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            line.close()
            resent += 1
            time.sleep(0.1)
            continue
        if answer.status >= 500:
            resent += 1
            time.sleep(0.2)
            continue
        if answer.status != 200:
            print(told)  # noqa: T201 for who reads the log
            return 2
        if told["acked"] <= acked:
            return 1
        acked = told["acked"]
        time.sleep(pause_s)
    print(f"{acked} acknowledged, {resent} times sent again")  # noqa: T201 for who reads the log
    return 0


if __name__ == "__main__":
    url, token, total, batch, start, pause_s = sys.argv[1:]
    sys.exit(main(url, token, int(total), int(batch), dt.datetime.fromisoformat(start), float(pause_s)))
