"""The account and its Flex configuration."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import iso
from simulator.twilio.show import Show


def add_account_routes(blueprint: Blueprint, show: Show) -> None:
    """Reads alone; accounts are not made here."""
    account = show.account

    @blueprint.get("/2010-04-01/Accounts/<account_sid>.json")
    def fetch_account(account_sid: str) -> Response:
        if account_sid != account.account_sid:
            raise RestProblem.not_found()
        return jsonify(
            sid=account.account_sid,
            owner_account_sid=account.account_sid,
            friendly_name="Simulated account",
            status="active",
            type="Full",
            auth_token="",
            date_created="Thu, 01 May 2025 08:00:00 +0000",
            date_updated="Thu, 01 May 2025 08:00:00 +0000",
            uri=f"/2010-04-01/Accounts/{account.account_sid}.json",
            subresource_uris={},
        )

    @blueprint.get("/v1/Configuration")
    def fetch_configuration() -> Response:
        with show.service.present() as (world, _):
            floor = world.floor
            queues = floor.all_queues()
            dates = {"date_created": iso(floor.offline.created_ms), "date_updated": iso(floor.offline.created_ms)}
            return jsonify(
                account_sid=account.account_sid,
                **dates,
                status="ok",
                attributes={},
                taskrouter_workspace_sid=account.workspace_sid,
                taskrouter_target_workflow_sid=floor.workflow.sid,
                taskrouter_target_taskqueue_sid=floor.everyone.sid,
                taskrouter_taskqueues=[{"sid": queue.sid, "targettable": True} for queue in queues],
                taskrouter_skills=[],
                taskrouter_worker_channels={},
                taskrouter_worker_attributes={},
                taskrouter_offline_activity_sid=floor.offline.sid,
                runtime_domain=None,
                flex_instance_sid=account.flex_instance_sid,
                ui_language="en",
                ui_attributes={},
                ui_version="2",
                url=f"{request.host_url}v1/Configuration",
            )
