"""Statistics of queues, workers, workflow and workspace as TaskRouter's REST API gives them (Twilio reference 3.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.asking import WORKSPACE, keep, one_of
from simulator.twilio.expressions import matching
from simulator.twilio.figures import (
    OF_WORKFLOW,
    OF_WORKSPACE,
    by_queue,
    cumulative,
    in_activities,
    of_workers,
    open_tasks,
    queue_now,
    told,
)
from simulator.twilio.paging import page
from simulator.twilio.problems import RestProblem
from simulator.twilio.routes.workers import worker_of
from simulator.twilio.show import Show
from simulator.world.engine import World
from simulator.world.entities import TaskQueue, Worker

Json = dict[str, Any]
_Part = Callable[[World, int], Json]
# Documented: worker statistics are off for larger workspaces. Status and code of the refusal are assumed.
_MOST_WORKERS = 100
_MOST_QUEUES = 50  # Twilio reference 3.1


def add_statistics_routes(blueprint: Blueprint, show: Show) -> None:
    """Everything is counted from the log, so that a comparison with it means something."""
    _add_queue_routes(blueprint, show)
    _add_worker_routes(blueprint, show)
    _add_routes_of_all(blueprint, show)


def _answer(show: Show, part: _Part) -> Response:
    """The answer with whose it is and where it stands."""
    with show.service.present() as (world, now_ms):
        body = part(world, now_ms)
    return jsonify(
        account_sid=show.account.account_sid, workspace_sid=show.account.workspace_sid, url=request.base_url, **body
    )


def _queue(world: World, sid: str) -> TaskQueue:
    found: TaskQueue = one_of(world.floor.all_queues(), sid)
    return found


def _add_queue_routes(blueprint: Blueprint, show: Show) -> None:
    address = f"{WORKSPACE}/TaskQueues"

    def counted(world: World, now_ms: int, sid: str) -> Json:
        window, events = told(world, now_ms)
        return cumulative(by_queue(events).get(_queue(world, sid).sid, []), window)

    @blueprint.get(f"{address}/Statistics")
    def list_queue_statistics(workspace_sid: str) -> Response:  # noqa: ARG001
        owned = {"account_sid": show.account.account_sid, "workspace_sid": show.account.workspace_sid}
        with show.service.present() as (world, now_ms):
            queues = keep(world.floor.all_queues(), "FriendlyName", lambda queue: queue.name)
            window, events = told(world, now_ms)
            of_queue = by_queue(events)

            def render(queue: TaskQueue) -> Json:
                return {
                    **owned,
                    "task_queue_sid": queue.sid,
                    "cumulative": cumulative(of_queue.get(queue.sid, []), window),
                    "realtime": queue_now(world, queue, now_ms),
                }

            body = page("task_queues_statistics", queues, lambda queue: (queue.created_ms, queue.sid), render)
        return jsonify(body)

    @blueprint.get(f"{address}/<sid>/CumulativeStatistics")
    def fetch_queue_cumulative(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        return _answer(show, lambda world, now_ms: {"task_queue_sid": sid, **counted(world, now_ms, sid)})

    @blueprint.get(f"{address}/<sid>/RealTimeStatistics")
    def fetch_queue_real_time(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        return _answer(
            show, lambda world, now_ms: {"task_queue_sid": sid, **queue_now(world, _queue(world, sid), now_ms)}
        )

    @blueprint.get(f"{address}/<sid>/Statistics")
    def fetch_queue_statistics(workspace_sid: str, sid: str) -> Response:  # noqa: ARG001
        return _answer(
            show,
            lambda world, now_ms: {
                "task_queue_sid": sid,
                "cumulative": counted(world, now_ms, sid),
                "realtime": queue_now(world, _queue(world, sid), now_ms),
            },
        )

    @blueprint.post(f"{address}/RealTimeStatistics")
    def fetch_bulk(workspace_sid: str) -> Response:  # noqa: ARG001
        sids = _asked_queues(request.get_json(silent=True))

        def part(world: World, now_ms: int) -> Json:
            known = {queue.sid: queue for queue in world.floor.all_queues()}
            # Documented: sids that name no queue give zeros.
            rows = [
                {"task_queue_sid": sid, **queue_now(world, known.get(sid, TaskQueue(sid, "", "", "", 0)), now_ms)}
                for sid in sids
            ]
            return {"task_queue_data": rows, "task_queue_response_count": len(rows)}

        return _answer(show, part)


def _asked_queues(body: Any) -> list[str]:
    """The queues of a bulk request; the documentation spells the key in two ways (Twilio reference 3.3)."""
    sids = (body.get("queueSids") or body.get("QueueSids")) if isinstance(body, dict) else None
    if not isinstance(sids, list) or not 1 <= len(sids) <= _MOST_QUEUES:
        raise RestProblem.invalid(f'Send JSON such as {{"queueSids": ["WQ..."]}} with 1 to {_MOST_QUEUES} queues')
    for sid in sids:
        if not (isinstance(sid, str) and len(sid) == 34 and sid.startswith("WQ")):
            raise RestProblem.invalid(f"{sid!r} is no sid of a queue")
    return sids


def _add_worker_routes(blueprint: Blueprint, show: Show) -> None:
    address = f"{WORKSPACE}/Workers"

    def counted(world: World, now_ms: int) -> Json:
        sids = {worker.sid for worker in _workers(world)}
        window, events = told(world, now_ms)
        return of_workers(world, [event for event in events if event.worker_sid in sids], window)

    def now(world: World, now_ms: int) -> Json:  # noqa: ARG001
        workers = _workers(world)
        return {"activity_statistics": in_activities(world, workers), "total_workers": len(workers)}

    @blueprint.get(f"{address}/CumulativeStatistics")
    def fetch_workers_cumulative(workspace_sid: str) -> Response:  # noqa: ARG001
        return _answer(show, counted)

    @blueprint.get(f"{address}/RealTimeStatistics")
    def fetch_workers_real_time(workspace_sid: str) -> Response:  # noqa: ARG001
        return _answer(show, now)

    @blueprint.get(f"{address}/Statistics")
    def fetch_workers_statistics(workspace_sid: str) -> Response:  # noqa: ARG001
        return _answer(
            show,
            lambda world, now_ms: {"cumulative": counted(world, now_ms), "realtime": now(world, now_ms)},
        )

    @blueprint.get(f"{address}/<worker_sid>/Statistics")
    def fetch_worker_statistics(workspace_sid: str, worker_sid: str) -> Response:  # noqa: ARG001
        def part(world: World, now_ms: int) -> Json:
            _check_size(world)
            worker = worker_of(world, worker_sid)
            window, events = told(world, now_ms)
            own = [event for event in events if event.worker_sid == worker.sid]
            return {"worker_sid": worker_sid, "cumulative": of_workers(world, own, window)}

        return _answer(show, part)


def _workers(world: World) -> list[Worker]:
    _check_size(world)
    rows = keep(world.floor.present(), "FriendlyName", lambda row: row.name)
    queue_sid, queue_name = request.args.get("TaskQueueSid"), request.args.get("TaskQueueName")
    if queue_sid or queue_name:
        queues = [one for one in world.floor.all_queues() if one.sid == queue_sid or one.name == queue_name]
        members = {worker.sid for queue in queues for worker in queue.workers}
        rows = [worker for worker in rows if worker.sid in members]
    return matching("TargetWorkersExpression", rows, lambda row: row.attributes)


def _check_size(world: World) -> None:
    if len(world.floor.present()) > _MOST_WORKERS:
        raise RestProblem(403, 20403, f"Worker statistics are off for more than {_MOST_WORKERS} workers")


def _add_routes_of_all(blueprint: Blueprint, show: Show) -> None:
    """Workflow and workspace: there is one workflow, so both look at everything."""

    def of_workflow(world: World, now_ms: int, sid: str) -> tuple[Json, Json]:
        one_of([world.floor.workflow], sid)
        window, events = told(world, now_ms)
        own = [event for event in events if event.task_sid]
        return cumulative(own, window, OF_WORKFLOW), open_tasks(world, now_ms)

    def of_workspace(world: World, now_ms: int) -> tuple[Json, Json]:
        window, events = told(world, now_ms)
        workers = world.floor.present()
        now = {
            **open_tasks(world, now_ms),
            "activity_statistics": in_activities(world, workers),
            "total_workers": len(workers),
        }
        return cumulative(events, window, OF_WORKSPACE), now

    @blueprint.get(f"{WORKSPACE}/Workflows/<sid>/<any(Statistics, CumulativeStatistics, RealTimeStatistics):kind>")
    def fetch_workflow_statistics(workspace_sid: str, sid: str, kind: str) -> Response:  # noqa: ARG001
        return _answer(
            show, lambda world, now_ms: {"workflow_sid": sid, **_of_kind(kind, of_workflow(world, now_ms, sid))}
        )

    @blueprint.get(f"{WORKSPACE}/<any(Statistics, CumulativeStatistics, RealTimeStatistics):kind>")
    def fetch_workspace_statistics(workspace_sid: str, kind: str) -> Response:  # noqa: ARG001
        return _answer(show, lambda world, now_ms: _of_kind(kind, of_workspace(world, now_ms)))


def _of_kind(kind: str, figures: tuple[Json, Json]) -> Json:
    counted, now = figures
    if kind == "CumulativeStatistics":
        return counted
    return now if kind == "RealTimeStatistics" else {"cumulative": counted, "realtime": now}
