"""The parts that a test of the way in is made of."""

import pytest

from tests.unit.fakes import FakeClock, FakePlatforms, FakeSecretsManager, RecordingObserver, demo_secrets


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="platforms")
def _platforms() -> FakePlatforms:
    return FakePlatforms()


@pytest.fixture(name="secrets_manager")
def _secrets_manager() -> FakeSecretsManager:
    return FakeSecretsManager(demo_secrets())


@pytest.fixture(name="observer")
def _observer() -> RecordingObserver:
    return RecordingObserver()
