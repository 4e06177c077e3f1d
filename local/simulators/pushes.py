"""
What the platforms tell their customers by themselves: sent in the background, tried again as each vendor does it.

What a vendor tells, and how often it tries, is in its file under webhooks/. Delivered requests are kept, to be sent once
more: by the platform that thinks it got no answer, or by somebody who overheard one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from local.simulators import outgoing
from local.simulators.outgoing import Basic, Outgoing
from local.simulators.vendor import Vendor
from local.simulators.webhooks.base import Delivery
from local.simulators.world import Call, Happened, Happening, World

#: Before the second attempt; then twice as long each time. The vendors wait for seconds to hours: here what matters is
#: that the request comes again, and a test has no time. With four attempts at most, the last is 0.35 seconds late.
FIRST_RETRY_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where a customer wants to be told, and the user by which the platform is let in."""

    #: As configured: it may name a user itself.
    url: str = field(repr=False)
    basic: Basic | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One attempt, and its answer's status; 0 if there was none."""

    at: datetime
    event: str
    status: int
    outgoing: Outgoing


class Pushes:
    """Listens to a world and tells the customers."""

    def __init__(self, world: World, vendors: Mapping[str, Vendor]) -> None:
        self._world: Final = world
        self._vendors: Final = vendors
        self._subscriptions: Final[dict[str, Subscription]] = {}
        self._delivered: Final[dict[str, list[Delivered]]] = {}
        self._under_way: Final[set[asyncio.Task[None]]] = set()
        world.listeners.append(self._hear)

    def subscribe(self, call: Call, subscription: Subscription) -> None:
        """Tell of this call from now on, first of all that it has begun."""
        self._subscriptions[call.call_id] = subscription
        self._hear(Happening(what=Happened.CALL_STARTED, call=call))

    def delivered(self, call: Call) -> list[Delivered]:
        """What was sent about this call so far, in the order of the answers."""
        return self._delivered.setdefault(call.call_id, [])

    async def repeat(self, call: Call, delivered: Delivered) -> Delivered:
        """Send once more what was sent, byte for byte."""
        timeout_seconds = self._delivery(call).timeout_seconds
        return await self._attempt(call, delivered.event, delivered.outgoing, timeout_seconds=timeout_seconds)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await outgoing.close()

    def _hear(self, happening: Happening) -> None:
        call = happening.call
        if (subscription := self._subscriptions.get(call.call_id)) is None:
            return
        webhooks = self._vendors[call.vendor].webhooks
        for push in webhooks.pushes(happening):
            # Made now, sent later: it says what is true at this moment.
            make = webhooks.json_callback if push.as_json else webhooks.callback
            request = make(subscription.url, push.fields, basic=subscription.basic)
            task = asyncio.get_running_loop().create_task(self._deliver(call, push.event, request))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _deliver(self, call: Call, event: str, request: Outgoing) -> None:
        delivery = self._delivery(call)
        for attempt in range(delivery.attempts):
            if attempt:
                await asyncio.sleep(FIRST_RETRY_SECONDS * 2 ** (attempt - 1))
            made = await self._attempt(call, event, request, timeout_seconds=delivery.timeout_seconds)
            if not delivery.tries_again(made.status):
                return

    async def _attempt(self, call: Call, event: str, request: Outgoing, *, timeout_seconds: float) -> Delivered:
        at = self._world.clock()
        sent = await outgoing.send(request, timeout_seconds=timeout_seconds)
        made = Delivered(at=at, event=event, status=sent.status, outgoing=request)
        self.delivered(call).append(made)
        return made

    def _delivery(self, call: Call) -> Delivery:
        return self._vendors[call.vendor].webhooks.delivery
