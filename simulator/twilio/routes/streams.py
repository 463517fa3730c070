"""Event Streams: sinks with test and validation, subscriptions, and the catalogue of types (Twilio reference 2.2)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.twilio.asking import Form, by_creation, created, gone, keep
from simulator.twilio.conference_event import HOLD_TYPE
from simulator.twilio.paging import page
from simulator.twilio.problems import RestProblem
from simulator.twilio.resources import iso
from simulator.twilio.show import Show
from simulator.twilio.sinks import SCHEMA_ID, SCHEMA_VERSION, STREAM_TYPES, Sink, Subscription

Json = dict[str, Any]


def add_stream_routes(blueprint: Blueprint, show: Show) -> None:
    """All that the client's `events.v1` has."""
    _add_sinks(blueprint, show)
    _add_subscriptions(blueprint, show)
    _add_subscribed_events(blueprint, show)
    _add_catalogue(blueprint)


def _url() -> str:
    return request.host_url.rstrip("/") + "/v1"


def _add_sinks(blueprint: Blueprint, show: Show) -> None:
    streams = show.streams

    @blueprint.get("/v1/Sinks")
    def list_sinks() -> Response:
        rows = keep(streams.sinks.values(), "Status", lambda row: row.status)
        used = {one.sink.sid for one in streams.subscriptions.values()}
        rows = keep(rows, "InUse", lambda row: str(row.sid in used).lower())
        return jsonify(page("sinks", rows, by_creation, _sink))

    @blueprint.post("/v1/Sinks")
    def create_sink() -> tuple[Response, int]:
        form = Form("Description", "SinkConfiguration", "SinkType")
        description, configuration = form.required("Description"), form.required("SinkConfiguration")
        sink = streams.create_sink(form.required("SinkType"), description, configuration, show.service.now_ms())
        return created(_sink(sink))

    @blueprint.get("/v1/Sinks/<sid>")
    def fetch_sink(sid: str) -> Response:
        return jsonify(_sink(_found(streams.sinks, sid)))

    @blueprint.post("/v1/Sinks/<sid>")
    def update_sink(sid: str) -> Response:
        sink: Sink = _found(streams.sinks, sid)
        sink.description, sink.updated_ms = Form("Description").required("Description"), show.service.now_ms()
        return jsonify(_sink(sink))

    @blueprint.delete("/v1/Sinks/<sid>")
    def delete_sink(sid: str) -> tuple[str, int]:
        streams.delete_sink(_found(streams.sinks, sid))
        return gone()

    @blueprint.post("/v1/Sinks/<sid>/Test")
    def test_sink(sid: str) -> tuple[Response, int]:
        streams.test(_found(streams.sinks, sid))
        return created({"result": "submitted"})

    @blueprint.post("/v1/Sinks/<sid>/Validate")
    def validate_sink(sid: str) -> tuple[Response, int]:
        test_id = Form("TestId").required("TestId")
        if not streams.validate(_found(streams.sinks, sid), test_id):
            raise RestProblem.invalid("TestId is not that of the last test event; it stands there as data.test_id")
        return created({"result": "valid"})


def _sink(sink: Sink) -> Json:
    url = f"{_url()}/Sinks/{sink.sid}"
    return {
        "sid": sink.sid,
        "description": sink.description,
        "sink_type": sink.kind,
        "sink_configuration": sink.configuration,
        "status": sink.status,
        "date_created": iso(sink.created_ms),
        "date_updated": iso(sink.updated_ms),
        "url": url,
        "links": {"sink_test": f"{url}/Test", "sink_validate": f"{url}/Validate"},
    }


def _add_subscriptions(blueprint: Blueprint, show: Show) -> None:
    streams, account_sid = show.streams, show.account.account_sid

    def render(subscription: Subscription) -> Json:
        url = f"{_url()}/Subscriptions/{subscription.sid}"
        return {
            "sid": subscription.sid,
            "account_sid": account_sid,
            "description": subscription.description,
            "sink_sid": subscription.sink.sid,
            "date_created": iso(subscription.created_ms),
            "date_updated": iso(subscription.updated_ms),
            "url": url,
            "links": {"subscribed_events": f"{url}/SubscribedEvents"},
        }

    @blueprint.get("/v1/Subscriptions")
    def list_subscriptions() -> Response:
        rows = keep(streams.subscriptions.values(), "SinkSid", lambda row: row.sink.sid)
        return jsonify(page("subscriptions", rows, by_creation, render))

    @blueprint.post("/v1/Subscriptions")
    def create_subscription() -> tuple[Response, int]:
        form = Form("Description", "SinkSid", "Types")
        description, sink_sid = form.required("Description"), form.required("SinkSid")
        return created(render(streams.subscribe(sink_sid, description, form.texts("Types"), show.service.now_ms())))

    @blueprint.get("/v1/Subscriptions/<sid>")
    def fetch_subscription(sid: str) -> Response:
        return jsonify(render(_found(streams.subscriptions, sid)))

    @blueprint.post("/v1/Subscriptions/<sid>")
    def update_subscription(sid: str) -> Response:
        form = Form("Description", "SinkSid")
        subscription: Subscription = _found(streams.subscriptions, sid)
        description, sink_sid = form.text("Description"), form.text("SinkSid")
        if sink_sid is not None:
            streams.redirect(subscription, sink_sid)
        subscription.description = description or subscription.description
        subscription.updated_ms = show.service.now_ms()
        return jsonify(render(subscription))

    @blueprint.delete("/v1/Subscriptions/<sid>")
    def delete_subscription(sid: str) -> tuple[str, int]:
        streams.unsubscribe(_found(streams.subscriptions, sid))
        return gone()


def _add_subscribed_events(blueprint: Blueprint, show: Show) -> None:
    streams, account_sid = show.streams, show.account.account_sid
    address = "/v1/Subscriptions/<sid>/SubscribedEvents"

    def render(subscription: Subscription, kind: str) -> Json:
        return {
            "account_sid": account_sid,
            "subscription_sid": subscription.sid,
            "type": kind,
            "schema_version": subscription.types[kind],
            "url": f"{_url()}/Subscriptions/{subscription.sid}/SubscribedEvents/{kind}",
        }

    def found(sid: str, kind: str) -> Subscription:
        subscription: Subscription = _found(streams.subscriptions, sid)
        if kind not in subscription.types:
            raise RestProblem.not_found()
        return subscription

    @blueprint.get(address)
    def list_subscribed(sid: str) -> Response:
        subscription: Subscription = _found(streams.subscriptions, sid)
        return jsonify(
            page("types", list(subscription.types), lambda kind: (0, kind), lambda kind: render(subscription, kind))
        )

    @blueprint.post(address)
    def add_subscribed(sid: str) -> tuple[Response, int]:
        form = Form("Type", "SchemaVersion")
        subscription, kind = _found(streams.subscriptions, sid), form.required("Type")
        streams.add_type(subscription, kind, form.whole("SchemaVersion", 1, 1000), show.service.now_ms())
        return created(render(subscription, kind))

    @blueprint.get(f"{address}/<kind>")
    def fetch_subscribed(sid: str, kind: str) -> Response:
        return jsonify(render(found(sid, kind), kind))

    @blueprint.post(f"{address}/<kind>")
    def update_subscribed(sid: str, kind: str) -> Response:
        subscription = found(sid, kind)
        version = Form("SchemaVersion").whole("SchemaVersion", 1, 1000)
        streams.add_type(subscription, kind, version, show.service.now_ms())
        return jsonify(render(subscription, kind))

    @blueprint.delete(f"{address}/<kind>")
    def remove_subscribed(sid: str, kind: str) -> tuple[str, int]:
        del found(sid, kind).types[kind]
        return gone()


def _add_catalogue(blueprint: Blueprint) -> None:
    @blueprint.get("/v1/Types")
    def list_types() -> Response:
        rows = [kind for kind in STREAM_TYPES if request.args.get("SchemaId") in (None, "", _schema_of(kind))]
        return jsonify(page("types", rows, lambda kind: (0, kind), _type))

    @blueprint.get("/v1/Types/<kind>")
    def fetch_type(kind: str) -> Response:
        if kind not in STREAM_TYPES:
            raise RestProblem.not_found()
        return jsonify(_type(kind))

    @blueprint.get("/v1/Schemas/<schema_id>")
    def fetch_schema(schema_id: str) -> Response:
        _check_schema(schema_id)
        url = f"{_url()}/Schemas/{schema_id}"
        return jsonify(
            id=schema_id,
            latest_version=SCHEMA_VERSION,
            latest_version_date_created=iso(0),
            url=url,
            links={"versions": f"{url}/Versions"},
        )

    @blueprint.get("/v1/Schemas/<schema_id>/Versions")
    def list_versions(schema_id: str) -> Response:
        _check_schema(schema_id)
        return jsonify(
            page("schema_versions", [SCHEMA_VERSION], lambda one: (one, ""), lambda one: _version(schema_id, one))
        )

    @blueprint.get("/v1/Schemas/<schema_id>/Versions/<int:number>")
    def fetch_version(schema_id: str, number: int) -> Response:
        _check_schema(schema_id)
        if number != SCHEMA_VERSION:
            raise RestProblem.not_found()
        return jsonify(_version(schema_id, number))


def _check_schema(schema_id: str) -> None:
    if schema_id not in {_schema_of(kind) for kind in STREAM_TYPES}:
        raise RestProblem.not_found()


def _version(schema_id: str, number: int) -> Json:
    return {
        "id": schema_id,
        "schema_version": number,
        "date_created": iso(0),
        "url": f"{_url()}/Schemas/{schema_id}/Versions/{number}",
        "raw": f"https://events-schemas.twilio.com/{schema_id}/{number}",
    }


def _schema_of(kind: str) -> str:
    return "Voice.ConferenceParticipant" if kind == HOLD_TYPE else SCHEMA_ID  # the first one is assumed


def _type(kind: str) -> Json:
    return {
        "type": kind,
        "schema_id": _schema_of(kind),
        "latest_schema_version": SCHEMA_VERSION,
        "description": kind.rpartition(".")[2],
        "status": "available",
        "documentation_url": None,
        "date_created": iso(0),
        "date_updated": iso(0),
        "url": f"{_url()}/Types/{kind}",
        "links": {"schema": f"{_url()}/Schemas/{_schema_of(kind)}/Versions"},
    }


def _found(rows: dict[str, Any], sid: str) -> Any:
    row = rows.get(sid)
    if row is None:
        raise RestProblem.not_found()
    return row
