"""Writes about devices, each one transaction."""

from commons.devices.services.devices import (
    ShownCode,
    create_device,
    create_enrolment_code,
    delete_devices,
    enrol,
    revoke_device,
    rotate_token,
    tell_link,
)
from commons.devices.services.ingest import Ack, Remark, ingest, read_body
from commons.devices.services.partitions import ensure_days
from commons.devices.services.seqs import claim_seqs, mark_seen

__all__ = [
    "Ack",
    "Remark",
    "ShownCode",
    "claim_seqs",
    "create_device",
    "create_enrolment_code",
    "delete_devices",
    "enrol",
    "ensure_days",
    "ingest",
    "mark_seen",
    "read_body",
    "revoke_device",
    "rotate_token",
    "tell_link",
]
