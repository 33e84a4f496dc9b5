"""A broker for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.agent.adapters.stage import Mosquitto, mosquitto


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Debian's mosquitto with an account."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as started:
        yield started
