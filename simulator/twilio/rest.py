"""The REST face of one account: who may ask, how often, and the routes."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from simulator.twilio.problems import RestProblem
from simulator.twilio.routes.account import add_account_routes
from simulator.twilio.routes.catalogue import add_catalogue_routes
from simulator.twilio.routes.events import add_event_routes
from simulator.twilio.routes.reservations import add_reservation_routes
from simulator.twilio.routes.statistics import add_statistics_routes
from simulator.twilio.routes.streams import add_stream_routes
from simulator.twilio.routes.tasks import add_task_routes
from simulator.twilio.routes.workers import add_worker_routes
from simulator.twilio.routes.workspace import add_workspace_routes
from simulator.twilio.show import Show


def rest_blueprint(show: Show) -> Blueprint:
    """All routes of this show's account; every one of them asks for credentials."""
    blueprint = Blueprint("rest", __name__)
    account = show.account

    @blueprint.before_request
    def admit() -> None:
        credentials = request.authorization
        username = credentials.username if credentials is not None else None
        password = credentials.password if credentials is not None else None
        if username is None or password is None or not account.admits(username, password):
            hint = (
                f"Basic authentication takes the account sid {account.account_sid} with its auth token, or the API key "
                f"{account.api_key_sid} with its secret; the simulator shows both when it starts"
            )
            raise RestProblem(401, 20003, "Authenticate", {"what_to_do": hint})
        named = (request.view_args or {}).get("workspace_sid")
        if named not in (None, account.workspace_sid):
            problem = RestProblem.not_found()
            problem.details = {"what_to_do": f"the workspace of these credentials is {account.workspace_sid}"}
            raise problem
        g.rate_limit = show.limiter.admit()

    @blueprint.after_request
    def tell_limit(response: Response) -> Response:
        response.headers.update(g.get("rate_limit", {}))
        return response

    for add in (
        add_account_routes,
        add_workspace_routes,
        add_catalogue_routes,
        add_worker_routes,
        add_task_routes,
        add_reservation_routes,
        add_event_routes,
        add_statistics_routes,
        add_stream_routes,
    ):
        add(blueprint, show)
    return blueprint
