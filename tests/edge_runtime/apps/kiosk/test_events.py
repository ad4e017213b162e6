"""Messages to clients that read, that do not, and that are too many."""

from __future__ import annotations

import asyncio
import json

import pytest

from edge_runtime.apps.kiosk.events import MAX_CLIENTS, EventHub, TooManyClientsError


def test_each_client_gets_each_decision_and_the_newest_view() -> None:
    async def run() -> None:
        hub = EventHub()
        with hub.subscribed() as one, hub.subscribed() as other:
            for number in range(3):
                hub.publish({"type": "view", "state": "known", "number": number})
                hub.publish({"type": "decision", "number": number})
            for client in (one, other):
                found = [json.loads(await client.next() or "") for _ in range(4)]
                assert [m["number"] for m in found if m["type"] == "decision"] == [0, 1, 2]
                assert [m["number"] for m in found if m["type"] == "view"] == [2]
        assert hub.clients == 0

    asyncio.run(run())


def test_a_client_that_does_not_read_takes_bounded_room() -> None:
    async def run() -> None:
        hub = EventHub()
        with hub.subscribed() as client:
            for number in range(1000):
                hub.publish({"type": "decision", "number": number})
            found = []
            hub.publish({"type": "view", "state": "known"})
            while (text := json.loads(await client.next() or ""))["type"] != "view":
                found.append(text["number"])
            assert found == list(range(900, 1000))

    asyncio.run(run())


@pytest.mark.parametrize(("state", "told"), [("known", [1]), ("nobody", [1]), ("idle", []),
                                             ("looking", []), ("enrolling", [])])
def test_a_client_that_reads_late_is_told_who_is_there_now(state: str, told: list[int]) -> None:
    async def run() -> None:
        clock_s = [0.0]
        hub = EventHub(lambda: clock_s[0])
        with hub.subscribed() as client:
            for number in range(2):
                hub.publish({"type": "decision", "number": number})
            hub.publish({"type": "view", "state": state})
            clock_s[0] = 11.0
            found = []
            while (text := json.loads(await client.next() or ""))["type"] != "view":
                found.append(text["number"])
            assert found == told
            hub.publish({"type": "decision", "number": 2})
            clock_s[0] = 20.0
            assert json.loads(await client.next() or "")["number"] == 2

    asyncio.run(run())


def test_a_waiting_client_is_told_the_end() -> None:
    async def run() -> None:
        hub = EventHub()
        with hub.subscribed() as client:
            waiting = asyncio.create_task(client.next())
            await asyncio.sleep(0)
            hub.close()
            assert await waiting is None
        with hub.subscribed() as late:
            assert await late.next() is None

    asyncio.run(run())


def test_too_many_clients() -> None:
    hub = EventHub()
    opened = [hub.subscribed() for _ in range(MAX_CLIENTS)]
    for client in opened:
        client.__enter__()
    assert not hub.room
    with pytest.raises(TooManyClientsError), hub.subscribed():
        pass
