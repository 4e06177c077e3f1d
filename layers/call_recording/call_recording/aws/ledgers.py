"""The ledgers of calls, in DynamoDB: one item per call, saved as a whole on the condition that nobody else has.

An item: `call` (the key, "<account>/<call id>"), `version`, `document` (JSON), `expires_at` (its end, by TTL), and while
somebody has to look at the call again `due_shard` and `due_at`, the key of the index `due`.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol
from zlib import crc32

from .. import ledger_json
from ..errors import UnavailableError
from ..ledger import CallLedger, LedgerConflictError
from ..model import Call
from ..ports import Clock
from .attempts import Attempts
from .failures import AWS_ERRORS, may_be_read_again, not_carried_out, reason, refused

#: The index is spread over this many keys: one key takes 1,000 writes a second. Lower it, and what is due under the
#: keys that are no longer asked for is not found.
SHARDS: Final = 8
#: Past this the rest of the index waits for the next sweep, which begins elsewhere; seconds.
DUE_SECONDS: Final = 5.0
DUE_INDEX: Final = "due"
DAY_SECONDS: Final = 86_400


class DynamoClient(Protocol):
    """The operations that are used of botocore's client."""

    def get_item(self, **request: Any) -> dict[str, Any]:
        """Read an item."""

    def put_item(self, **request: Any) -> dict[str, Any]:
        """Write an item."""

    def query(self, **request: Any) -> dict[str, Any]:
        """Read a part of an index."""


class DynamoLedgers:
    """Loads and saves ledgers.  An error that it raises says what failed, and nothing of what was asked or answered."""

    def __init__(
        self,
        client: DynamoClient,
        *,
        table: str,
        retention_days: int,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._table = table
        self._retention_seconds = retention_days * DAY_SECONDS
        self._clock = clock
        self._jitter = jitter

    def load(self, account: str, call: Call) -> CallLedger:
        """Return the ledger as last saved, or a new one if there is none.  Raises UnavailableError."""
        request = partial(
            self._client.get_item,
            TableName=self._table,
            Key={"call": {"S": _key(account, call)}},
            ConsistentRead=True,  # decisions are made on it
        )
        try:
            answer = self._attempts().make(request, again=may_be_read_again)
        except AWS_ERRORS as exc:
            raise UnavailableError(f"DynamoDB: {reason(exc)}") from exc
        return _ledger(answer["Item"]) if "Item" in answer else CallLedger(account=account, call=call)

    def save(self, ledger: CallLedger) -> CallLedger:
        """Write *ledger* if nobody has since it was loaded, and return it with its new version.

        Raises LedgerConflictError with the ledger as it is now if somebody has, without it if nobody knows whether
        this was written; UnavailableError if it certainly was not.
        """
        saved = replace(ledger, version=ledger.version + 1)
        request = partial(
            self._client.put_item,
            TableName=self._table,
            Item=self._item(saved),
            **_unchanged_since(ledger),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        try:
            self._attempts().make(request, again=not_carried_out)
        except AWS_ERRORS as exc:
            if reason(exc) == "ConditionalCheckFailedException":
                raise LedgerConflictError(_current(exc)) from exc
            if refused(exc) or not_carried_out(exc):
                raise UnavailableError(f"DynamoDB: {reason(exc)}") from exc
            raise LedgerConflictError from exc  # the answer is lost: it may be written, and it may be written yet
        return saved

    def due(self, now: float, limit: int) -> list[tuple[str, str]]:
        """Return account and call id of at most *limit* calls that were due by *now*.

        The longest overdue first, or every other time, at random, last.

        A part of the index that does not answer is left out; UnavailableError is raised if the others have nothing.
        """
        attempts, ends_at = self._attempts(), self._clock.monotonic() + DUE_SECONDS
        found: list[tuple[float, str]] = []
        failure = None
        first = int(self._jitter() * SHARDS)  # anywhere: a slow one must not always keep the same others waiting
        backwards = self._jitter() < 0.5
        for shard in range(first, first + SHARDS):
            if self._clock.monotonic() > ends_at:
                failure = failure or "TimeOver"
                break
            try:
                found += self._due_in(str(shard % SHARDS), now, limit, attempts, backwards=backwards)
            except AWS_ERRORS as exc:
                failure = reason(exc)
        if failure and not found:
            raise UnavailableError(f"DynamoDB: {failure}")
        return [_account_and_call_id(key) for _, key in sorted(found, reverse=backwards)[:limit]]

    def _due_in(
        self, shard: str, now: float, limit: int, attempts: Attempts, *, backwards: bool
    ) -> list[tuple[float, str]]:
        found: list[tuple[float, str]] = []
        request = partial(
            self._client.query,
            TableName=self._table,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": {"S": shard}, ":now": _number(now)},
            Limit=limit,
            ScanIndexForward=not backwards,
        )
        while True:
            answer = attempts.make(request, again=may_be_read_again)
            found += [(float(item["due_at"]["N"]), item["call"]["S"]) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer or len(found) >= limit:
                return found
            request = partial(request, ExclusiveStartKey=answer["LastEvaluatedKey"])

    def _item(self, ledger: CallLedger) -> dict[str, Any]:
        key = _key(ledger.account, ledger.call)
        item = {
            "call": {"S": key},
            "version": {"N": str(ledger.version)},
            "document": {"S": ledger_json.dumps(ledger)},
            "expires_at": {"N": str(int(self._clock.now()) + self._retention_seconds)},
        }
        if ledger.due_at is not None:
            # crc32, not hash(): the same in every process
            item |= {"due_shard": {"S": str(crc32(key.encode()) % SHARDS)}, "due_at": _number(ledger.due_at)}
        return item

    def _attempts(self) -> Attempts:
        return Attempts(clock=self._clock, jitter=self._jitter)


def _unchanged_since(ledger: CallLedger) -> dict[str, Any]:
    """Return the condition that the item is still as *ledger* was loaded.  `call` is a reserved word of DynamoDB's."""
    if ledger.version == 0:
        return {"ConditionExpression": "attribute_not_exists(#call)", "ExpressionAttributeNames": {"#call": "call"}}
    return {
        "ConditionExpression": "#version = :loaded",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":loaded": {"N": str(ledger.version)}},
    }


def _current(exc: Exception) -> CallLedger | None:
    """Return the ledger that stood in the way; None if it is gone by now."""
    item = getattr(exc, "response", {}).get("Item")
    return _ledger(item) if item else None


def _ledger(item: dict[str, Any]) -> CallLedger:
    try:
        return ledger_json.loads(item["document"]["S"], int(item["version"]["N"]))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as exc:
        # as good as out of reach: a pause is still sent, nothing is proven, and nobody writes over it
        raise UnavailableError(f"DynamoDB: the ledger is not readable ({type(exc).__name__})") from exc


def _key(account: str, call: Call) -> str:
    return f"{account}/{call.call_id}".lower()  # vendors take their ids in either case: it is one call


def _account_and_call_id(key: str) -> tuple[str, str]:
    account, _, call_id = key.partition("/")
    return account, call_id


def _number(seconds: float) -> dict[str, str]:
    return {"N": f"{seconds:.3f}"}
