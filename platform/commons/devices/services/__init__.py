"""Writes about devices, each one transaction."""

from commons.devices.services.devices import (
    ShownCode,
    create_device,
    create_enrolment_code,
    delete_devices,
    enrol,
    revoke_device,
    rotate_token,
)
from commons.devices.services.ingest import Ack, Remark, Sent, ingest, ingest_many, read_body, read_items
from commons.devices.services.partitions import ensure_days
from commons.devices.services.seqs import claim_seqs, mark_seen

__all__ = [
    "Ack",
    "Remark",
    "Sent",
    "ShownCode",
    "claim_seqs",
    "create_device",
    "create_enrolment_code",
    "delete_devices",
    "enrol",
    "ensure_days",
    "ingest",
    "ingest_many",
    "mark_seen",
    "read_body",
    "read_items",
    "revoke_device",
    "rotate_token",
]
