"""Devices and streams for the tests of this folder."""

import pytest

from commons.devices import services
from commons.devices.models import Device


@pytest.fixture
def device(db: None) -> Device:
    """An enrolled device that has said nothing yet."""
    made = services.create_device(name="Prusa 1", kind="printer", public=True)
    return services.enrol(code=str(services.create_enrolment_code(device=made)), kind="printer")[0]
