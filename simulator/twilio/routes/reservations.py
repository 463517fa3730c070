"""Reservations, below the task that was offered and below the worker to whom."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from simulator.twilio.asking import WORKSPACE, Form, by_creation, keep, must_match, one_of, versioned
from simulator.twilio.paging import page
from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import resources_of
from simulator.twilio.routes.tasks import task_of
from simulator.twilio.routes.workers import activity_of, worker_of
from simulator.twilio.show import Show
from simulator.world.engine import World
from simulator.world.entities import Reservation

_INSTRUCTIONS = (
    "Instruction", "DequeuePostWorkActivitySid", "DequeueFrom", "DequeueRecord", "DequeueTimeout", "DequeueTo",
    "DequeueStatusCallbackUrl", "DequeueStatusCallbackEvent", "CallFrom", "CallRecord", "CallTimeout", "CallTo",
    "CallUrl", "CallStatusCallbackUrl", "CallAccept", "RedirectCallSid", "RedirectAccept", "RedirectUrl", "To", "From",
    "StatusCallback", "StatusCallbackMethod", "StatusCallbackEvent", "Timeout", "Record", "Muted", "Beep",
    "StartConferenceOnEnter", "EndConferenceOnExit", "WaitUrl", "WaitMethod", "EarlyMedia", "MaxParticipants",
    "ConferenceStatusCallback", "ConferenceStatusCallbackMethod", "ConferenceStatusCallbackEvent", "ConferenceRecord",
    "ConferenceTrim", "RecordingChannels", "RecordingStatusCallback", "RecordingStatusCallbackMethod",
    "ConferenceRecordingStatusCallback", "ConferenceRecordingStatusCallbackMethod", "Region", "SipAuthUsername",
    "SipAuthPassword", "PostWorkActivitySid", "SupervisorMode", "Supervisor", "EndConferenceOnCustomerExit",
    "BeepOnCustomerEntrance", "JitterBufferSize",
)  # fmt: skip
_NO_CALLS = dict.fromkeys(_INSTRUCTIONS, "there are no telephone calls here; set ReservationStatus")


def add_reservation_routes(blueprint: Blueprint, show: Show) -> None:
    """Reads and the update, under both addresses."""

    @blueprint.get(f"{WORKSPACE}/Workers/<worker_sid>/Reservations")
    def list_worker_reservations(workspace_sid: str, worker_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return _page(show, worker_of(world, worker_sid).history, of_worker=True)

    @blueprint.get(f"{WORKSPACE}/Workers/<worker_sid>/Reservations/<sid>")
    def fetch_worker_reservation(workspace_sid: str, worker_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, _):
            return _shown(show, one_of(worker_of(world, worker_sid).history, sid), of_worker=True)

    @blueprint.post(f"{WORKSPACE}/Workers/<worker_sid>/Reservations/<sid>")
    def update_worker_reservation(workspace_sid: str, worker_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.in_hand() as (world, _):
            reservation = one_of(worker_of(world, worker_sid).history, sid)
            _update(world, reservation)
            return _shown(show, reservation, of_worker=True)

    @blueprint.get(f"{WORKSPACE}/Tasks/<task_sid>/Reservations")
    def list_task_reservations(workspace_sid: str, task_sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            rows = keep(task_of(world, task_sid, now_ms).reservations, "WorkerSid", lambda row: row.worker.sid)
            return _page(show, rows, of_worker=False)

    @blueprint.get(f"{WORKSPACE}/Tasks/<task_sid>/Reservations/<sid>")
    def fetch_task_reservation(workspace_sid: str, task_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.present() as (world, now_ms):
            return _shown(show, one_of(task_of(world, task_sid, now_ms).reservations, sid), of_worker=False)

    @blueprint.post(f"{WORKSPACE}/Tasks/<task_sid>/Reservations/<sid>")
    def update_task_reservation(workspace_sid: str, task_sid: str, sid: str) -> Response:  # noqa: ARG001
        with show.service.in_hand() as (world, now_ms):
            reservation = one_of(task_of(world, task_sid, now_ms).reservations, sid)
            _update(world, reservation)
            return _shown(show, reservation, of_worker=False)


def _update(world: World, reservation: Reservation) -> None:
    form = Form("ReservationStatus", "WorkerActivitySid", unknown=_NO_CALLS)
    must_match(reservation.version)
    status, activity_sid = form.required("ReservationStatus"), form.text("WorkerActivitySid")
    activity, hands = activity_of(world, activity_sid, "WorkerActivitySid"), world.hands
    steps = {
        "accepted": hands.contacts.accept,
        "rejected": hands.contacts.reject,
        "wrapping": hands.contacts.wrap,
        "completed": hands.contacts.complete,
    }
    if status not in steps:
        raise RestProblem.invalid(f"ReservationStatus can be set to {', '.join(steps)}, not {status}")
    if activity is not None and status != "rejected":
        raise RestProblem.invalid("WorkerActivitySid goes with ReservationStatus=rejected alone")
    steps[status](reservation)
    if activity is not None:
        hands.workers.set_activity(reservation.worker, activity)


def _page(show: Show, rows: list[Reservation], *, of_worker: bool) -> Response:
    resources = resources_of(show)
    rows = keep(rows, "ReservationStatus", lambda row: str(row.status.value))
    return jsonify(page("reservations", rows, by_creation, lambda row: resources.reservation(row, of_worker=of_worker)))


def _shown(show: Show, reservation: Reservation, *, of_worker: bool) -> Response:
    return versioned(resources_of(show).reservation(reservation, of_worker=of_worker), reservation.version)
