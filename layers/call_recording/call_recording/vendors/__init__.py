"""The vendors, by the name that an account's secret gives.

All are imported at init: which one an account needs is not known then, and the import would fall to the caller.
"""

from collections.abc import Mapping

import httpx

from ..account import Account
from ..errors import ConfigurationError
from .bandwidth import Bandwidth
from .base import BaseVendor
from .bird import Bird
from .signalwire import SignalWire
from .twilio import Twilio

VENDORS: Mapping[str, type[BaseVendor]] = {
    "bandwidth": Bandwidth,
    "bird": Bird,
    "signalwire": SignalWire,
    "twilio": Twilio,
}


class ConnectedVendors:
    """The vendors of the accounts, kept while their secrets stay the same: with them their tokens."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._connected: dict[str, BaseVendor] = {}

    def __call__(self, account: Account) -> BaseVendor:
        """Return the vendor of *account*.  Raises ConfigurationError if the secret does not fit it."""
        connected = self._connected.get(account.name)
        if connected is None or connected.account != account:
            if account.vendor not in VENDORS:
                raise ConfigurationError("vendor", f"must be one of {', '.join(VENDORS)}")
            connected = self._connected[account.name] = VENDORS[account.vendor](account, self._client)
        return connected
