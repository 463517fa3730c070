"""Several floors behind one address: each an account and a workspace of its own, told apart by the credentials."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, jsonify, request
from werkzeug.datastructures import Authorization

from simulator.twilio.app import create_twilio_app
from simulator.twilio.grounds import Grounds, grounds_of
from simulator.twilio.problems import install_problems
from simulator.twilio.show import Show

FIRST = "main"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Place:
    """One floor, what it was made of, and its application."""

    name: str
    grounds: Grounds
    show: Show
    app: WSGIApplication


class Worlds:
    """A WSGI application that hands each request to the floor it is meant for.

    REST requests belong to the floor of their credentials, and among floors of one account to that of their
    workspace. `/sim/...` is the control face of the first floor, `/sim/worlds/NAME/...` that of any.
    """

    def __init__(self, first: Grounds) -> None:
        self._places: dict[str, Place] = {}
        self._changing = threading.Lock()
        self._face = self._own_face()
        self._put(FIRST, first)

    @property
    def first(self) -> Place:
        """The floor that was there first."""
        return self._places[FIRST]

    def places(self) -> list[Place]:
        """All floors, the oldest first."""
        return list(self._places.values())

    def start(self) -> None:
        """Start the clocks that are not on hold and stand still."""
        for place in self.places():
            _start(place)

    def add(self, name: str, grounds: Grounds, *, start: bool = True) -> Place:
        """Another floor, started now or with all others; ValueError if the name or the account is taken."""
        if not is_world_name(name):
            raise ValueError("a name has 1 to 32 small letters, digits and hyphens")
        with self._changing:
            if name in self._places:
                raise ValueError(f"there is a world {name} already")
            account = grounds.scenario.account_sid
            if any(place.show.account.account_sid == account for place in self.places()):
                raise ValueError(f"the account {account} is taken; give another seed")
            place = self._put(name, grounds)
        if start:
            _start(place)
        return place

    def remove(self, name: str) -> None:
        """End a floor that is not the first; KeyError if there is none of this name."""
        with self._changing:
            if name == FIRST:
                raise ValueError(f"the world {FIRST} stays; reset it instead")
            place = self._places.pop(name)
        place.show.stop()

    def anew(self, name: str, seed: int | None = None) -> Show:
        """The same floor from its beginning, with the same or another seed; the one there was ends."""
        with self._changing:
            before = self._places[name]
            grounds = before.grounds if seed is None else before.grounds.with_seed(seed)
            before.show.stop()
            place = self._put(name, grounds)
        _start(place)
        return place.show

    def _put(self, name: str, grounds: Grounds) -> Place:
        show = grounds.build()
        place = Place(name, grounds, show, create_twilio_app(show, partial(self.anew, name)))
        self._places[name] = place
        return place

    # -- requests

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        parts = path.split("/")
        if parts[1:3] == ["sim", "worlds"]:
            place = self._places.get(parts[3]) if len(parts) > 4 and parts[4] else None
            if place is None:
                return self._face(environ, start_response)
            environ["PATH_INFO"] = "/sim/" + "/".join(parts[4:])
            return place.app(environ, start_response)
        if parts[1] == "sim":
            return self.first.app(environ, start_response)
        return self._meant(environ, parts).app(environ, start_response)

    def _meant(self, environ: WSGIEnvironment, parts: list[str]) -> Place:
        credentials = Authorization.from_header(environ.get("HTTP_AUTHORIZATION"))
        username = credentials.username if credentials is not None else None
        own = [
            place
            for place in self.places()
            if username in (place.show.account.account_sid, place.show.account.api_key_sid)
        ]
        by_workspace = (place for place in own if place.show.account.workspace_sid in parts)
        return next(by_workspace, own[0] if own else self.first)

    def _own_face(self) -> Flask:
        app = Flask("simulator.twilio.worlds")
        install_problems(app)

        @app.get("/sim/worlds")
        def list_worlds() -> Response:
            return jsonify(worlds=[shown(place) for place in self.places()])

        @app.post("/sim/worlds")
        def add_world() -> tuple[Response, int]:
            given = request.get_json(silent=True, force=True)
            if not isinstance(given, dict) or not isinstance(given.get("name"), str):
                return jsonify(problem="send a JSON object with the name of the new world"), 400
            name = given.pop("name")
            try:
                place = self.add(name, grounds_of(given, seed=len(self._places) + 1))
            except ValueError as error:
                return jsonify(problem=str(error)), 400
            return jsonify(shown(place)), 201

        @app.delete("/sim/worlds/<name>")
        def remove_world(name: str) -> tuple[Response, int]:
            try:
                self.remove(name)
            except KeyError:
                names = ", ".join(place.name for place in self.places())
                return jsonify(problem=f"there is no world {name}; there are {names}"), 404
            except ValueError as error:
                return jsonify(problem=str(error)), 409
            return jsonify(ok=True), 200

        return app


def is_world_name(name: str) -> bool:
    """Whether a world may be called so."""
    return _NAME.fullmatch(name) is not None


def shown(place: Place) -> dict[str, Any]:
    """What a caller has to know to use a floor."""
    show = place.show
    with show.service.present() as (world, now_ms):
        return {
            "name": place.name,
            "account_sid": show.account.account_sid,
            "auth_token": show.account.auth_token,
            "api_key_sid": show.account.api_key_sid,
            "api_key_secret": show.account.api_key_secret,
            "workspace_sid": show.account.workspace_sid,
            "offline_activity_sid": world.floor.offline.sid,
            "agents": len(world.floor.present()),
            "seed": world.scenario.seed,
            "now_ms": now_ms,
            "started": show.service.clock is not None,
        }


def _start(place: Place) -> None:
    if not place.grounds.hold and place.show.service.clock is None:
        place.show.start()
