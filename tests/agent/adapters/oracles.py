"""What other people's programs read in the same payloads. Run it in an environment of its own:

    python -m venv oracles && oracles/bin/pip install hatasmota ha-mqtt-discoverable
    oracles/bin/python tests/agent/adapters/oracles.py > tests/agent/adapters/oracles.json

They need other versions of packages than the city, so their answers are kept beside this file and
`test_oracles.py` compares with those.
"""

import json
import sys
from importlib.metadata import version
from typing import Any

TASMOTA = [
    {
        "Time": "2026-06-18T16:50:00",
        "ENERGY": {
            "TotalStartTime": "2026-01-02T09:00:00",
            "Total": 12.34567,
            "Yesterday": 0.4,
            "Today": 0.1,
            "Period": 1,
            "Power": 61,
            "ApparentPower": 66,
            "ReactivePower": 24,
            "Factor": 0.93,
            "Voltage": 229,
            "Current": 0.287,
        },
    },
    {
        "Time": "2026-06-18T16:50:00",
        "ENERGY": {
            "TotalStartTime": "2026-01-02T09:00:00",
            "Total": [1.5, 0.25, 0.004],
            "Power": [100, 20, 3],
            "Voltage": [229, 230, 231],
            "Current": [0.4, 0.1, 0.02],
        },
    },
    {
        "Time": "2026-06-18T16:50:00",
        "ENERGY": {"Total": 1.754, "Power": [100, 20], "Voltage": 230, "Current": [0.4, 0.1]},
    },
]

ENTITIES = [
    {"name": "Power", "device_class": "power", "state_class": "measurement", "unit_of_measurement": "W"},
    {"name": "Energy", "device_class": "energy", "state_class": "total_increasing", "unit_of_measurement": "kWh"},
]


def hatasmota() -> list[dict[str, Any]]:
    """Each sensor that HATasmota finds in a message: where, what it says and in which unit."""
    from hatasmota.sensor import get_sensor_entities  # type: ignore[import-not-found]
    from hatasmota.utils import get_value_by_path  # type: ignore[import-not-found]

    device = json.loads(
        '{"ip":"192.168.1.6","dn":"Plug","fn":["Plug"],"hn":"plug","mac":"A8032ABE54DC","md":"Plug","ty":0,"if":0,'
        '"ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],"sw":"13.1.0","t":"plug",'
        '"ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1],"swc":[-1],"swn":[null],"btn":[0],"so":{},'
        '"lk":0,"lt_st":0,"sho":[],"bat":0,"dslp":0,"ver":1}'
    )
    found = []
    for payload in TASMOTA:
        sensors = get_sensor_entities({"sn": payload, "ver": 1}, device)
        found.append(
            {
                "payload": payload,
                "sensors": [
                    {
                        "path": config.value_path,
                        "value": get_value_by_path(json.dumps(payload), config.value_path),
                        "unit": config.unit,
                    }
                    for config, _hash in sensors
                    if config is not None and config.value_path[0] == "ENERGY"
                ],
            }
        )
    return found


def discoverable() -> list[dict[str, Any]]:
    """What ha-mqtt-discoverable announces for entities of the same kind."""
    from ha_mqtt_discoverable import DeviceInfo, Settings  # type: ignore[import-not-found]
    from ha_mqtt_discoverable.sensors import Sensor, SensorInfo  # type: ignore[import-not-found]
    from paho.mqtt.client import CallbackAPIVersion, Client

    found = []
    for entity in ENTITIES:
        device = DeviceInfo(name="Plug 1", identifiers=["id"], manufacturer="Living City", model="m", sw_version="1")
        info = SensorInfo(**entity, unique_id=f"id_{entity['name']}", device=device)
        sensor = Sensor(
            Settings(
                mqtt=Settings.MQTT(client=Client(CallbackAPIVersion.VERSION2)), entity=info, manual_availability=True
            )
        )
        config = sensor.generate_config()
        found.append({"topic": sensor.config_topic, "config": json.loads(json.dumps(config, default=str))})
    return found


if __name__ == "__main__":
    names = ("HATasmota", "ha-mqtt-discoverable")
    versions = {name: version(name) for name in names}
    answers = {"versions": versions, "tasmota": hatasmota(), "homeassistant": discoverable()}
    sys.stdout.write(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
