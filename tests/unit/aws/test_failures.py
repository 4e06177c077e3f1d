"""What AWS's errors tell."""

import pytest

from call_recording.aws.failures import AWS_ERRORS, not_carried_out, reason, refused
from tests.unit.aws.fake_aws import NOT_CARRIED_OUT, REFUSED, UNCLEAR, aws_error


@pytest.mark.parametrize("error", [*NOT_CARRIED_OUT, *REFUSED, *UNCLEAR], ids=repr)
def test_each_means_one_thing(error):
    """An error says that nothing was done, for now or for good; of every other nobody knows."""
    told = (not_carried_out(error), refused(error))

    assert told == (error in NOT_CARRIED_OUT, error in REFUSED)
    assert isinstance(error, AWS_ERRORS)


def test_an_error_without_a_status_is_a_refusal():
    """An error that AWS named, and that came with no HTTP status, is AWS's no."""
    error = aws_error("SomeException")
    del error.response["ResponseMetadata"]

    assert refused(error)


@pytest.mark.parametrize("error", [*NOT_CARRIED_OUT, *REFUSED, *UNCLEAR], ids=repr)
def test_the_reason_is_one_word(error):
    """What is told of an error is AWS's code or its class, without anything that was asked or answered."""
    assert reason(error).isalpha()
