"""The OpenAPI page is true: schemathesis asks what it allows, and finds no fault of the server."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, given, settings

from edge_runtime.apps.kiosk.service import Service
from tests.edge_runtime.apps.kiosk.stand_ins import Scene, room, served

STREAMS = ("/camera.mjpg", "/api/events/stream")  # they do not end


def statuses_of(operation: schemathesis.APIOperation, owner: dict[str, str]) -> set[int]:
    """What the route answers to all that the page allows."""
    statuses: set[int] = set()

    @settings(max_examples=10, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(headers=owner)
        statuses.add(answer.status_code)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    ask()
    return statuses


def test_schemathesis_finds_no_fault_of_the_server(
    enrolling_service: Service, scene: Scene, owner: dict[str, str]
) -> None:
    enrolling_service.enrolment.recorded_s, enrolling_service.enrolment.wait_s = 0.05, 0.2
    scene.picture = room(1)
    asked: dict[str, set[int]] = {}
    with served(enrolling_service) as port:
        schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/openapi.json")
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path in STREAMS:
                continue
            asked[f"{operation.method.upper()} {operation.path}"] = statuses_of(operation, owner)
    assert len(asked) == 11
    for route in ("GET /api/status", "GET /api/people", "POST /api/enrolment"):
        assert {200, 201} & asked[route], asked
