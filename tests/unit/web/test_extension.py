"""FlexPlugin: embedding, several applications in one process, start and stop, and the small pages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

import flex_plugin_backend
from flex_plugin_backend import FlexPlugin, create_app
from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.settings import Settings, load_settings


def host() -> Flask:
    """An application that exists already, with pages of its own."""
    app = Flask("host")

    @app.get("/")
    def home() -> str:
        return "home"

    return app


def test_embedded_under_a_prefix(settings_data: dict[str, Any], runtime: Any, make_twilio: Any) -> None:
    """Everything of ours stands under the prefix, and the signed address includes it; the host's pages stay."""
    app = host()
    FlexPlugin(app, settings=settings_data, runtime=runtime, url_prefix="flex/")
    twilio = make_twilio(app)
    assert twilio.post(path="/flex/twilio/acme/events").status_code == 204
    assert twilio.client.get("/flex/healthz").json["status"] == "ok"
    assert twilio.client.get("/").data == b"home"
    assert twilio.client.get("/healthz").content_type.startswith("text/html")
    assert twilio.client.get("/flex/twilio/acme/event").content_type == "application/problem+json"


def test_prefix_from_the_settings(settings_data: dict[str, Any], runtime: Any, make_twilio: Any) -> None:
    """The same through [server] url_prefix."""
    settings_data["server"]["url_prefix"] = "/wfm/"
    app = create_app(load_settings(settings_data, environ={}), runtime=runtime)
    assert make_twilio(app).post(path="/wfm/twilio/acme/events").status_code == 204
    assert app.extensions["flex_wfm"].callback_urls() == {"acme": "https://flex.example.com/wfm/twilio/acme/events"}


def test_application_factory(settings_data: dict[str, Any], runtime: Any, make_twilio: Any) -> None:
    """The extension is made first and meets the application later; settings may come from the host's config."""
    plugin = FlexPlugin(runtime=runtime)
    app = host()
    app.config["FLEX_WFM"] = settings_data
    plugin.init_app(app)
    assert runtime.calls == ["start"]
    assert make_twilio(app).post().status_code == 204
    plugin.close()
    assert runtime.calls == ["start", "stop"]


def test_two_applications_in_one_process_do_not_mix(
    settings_data: dict[str, Any], make_runtime: Any, make_twilio: Any
) -> None:
    """Each application has its own connector, metrics included."""
    first, second = make_runtime(), make_runtime()
    apps = [create_app(load_settings(settings_data, environ={}), runtime=one) for one in (first, second)]
    assert make_twilio(apps[0]).post().status_code == 204
    assert (len(first.events), len(second.events)) == (1, 0)
    assert 'outcome="stored"' in apps[0].test_client().get("/metrics").text
    assert 'outcome="stored"' not in apps[1].test_client().get("/metrics").text


def test_one_application_takes_it_once(settings: Settings, runtime: Any) -> None:
    """Adding it twice is a mistake that is explained."""
    app = create_app(settings, runtime=runtime)
    with pytest.raises(SettingsError, match="already"):
        FlexPlugin(app, settings=settings, runtime=runtime)


def test_start_later_and_stop_twice(settings: Settings, runtime: Any) -> None:
    """With start=False nothing runs until it is told to; closing twice stops once, and it can start again."""
    plugin = FlexPlugin(host(), settings=settings, runtime=runtime, start=False)
    assert runtime.calls == []
    plugin.close()
    plugin.start()
    plugin.start()
    plugin.close()
    plugin.close()
    assert runtime.calls == ["start", "stop"]
    plugin.start()
    plugin.close()
    assert runtime.calls == ["start", "stop", "start", "stop"]


def test_real_connector_starts_again_after_close(
    settings_data: dict[str, Any], tmp_path: Path, make_twilio: Any
) -> None:
    """Threads run once, so a start after close has new ones on the same ledger: what was taken is known there."""
    nobody = "http://127.0.0.1:9"
    settings_data["ledger"]["url"] = f"sqlite:///{tmp_path}/ledger.sqlite3"
    settings_data["tenants"]["acme"]["twilio"] |= {"api_base_url": nobody, "timeout_s": 0.2}
    settings_data["tenants"]["acme"]["wfm"] |= {"service_url": nobody, "timeout_s": 0.2}
    app = host()
    plugin = FlexPlugin(app, settings=load_settings(settings_data, environ={}))
    twilio = make_twilio(app)
    try:
        assert twilio.post().status_code == 204
        plugin.close()
        assert twilio.post().status_code == 503
        plugin.start()
        assert twilio.post().status_code == 204
        assert app.extensions["flex_wfm"].runtime.health()["tenants"]["acme"]["events"] == 1
    finally:
        plugin.close()


def test_wrong_settings_stop_the_host_with_one_explained_error(runtime: Any) -> None:
    """The host's start fails with the settings' own message."""
    with pytest.raises(SettingsError, match="tenants"):
        FlexPlugin(host(), settings={}, runtime=runtime)


def test_host_that_reads_the_form_first(settings: Settings, runtime: Any, make_twilio: Any) -> None:
    """A before_request hook of the host that touches request.form does not lose the event."""
    app = host()

    @app.before_request
    def curious() -> None:
        request.form.get("Sid")

    FlexPlugin(app, settings=settings, runtime=runtime)
    assert make_twilio(app).post().status_code == 204
    assert len(runtime.events) == 1


def test_body_limit_holds_where_the_host_reads_the_form_first(
    settings_data: dict[str, Any], runtime: Any, make_twilio: Any, event: dict[str, str]
) -> None:
    """A hook that reads the form does not open the door for bodies above the limit, chunked ones included."""
    settings_data["intake"] = {"max_body_bytes": 1024}
    app = host()

    @app.before_request
    def curious() -> None:
        request.form.get("Sid")

    FlexPlugin(app, settings=load_settings(settings_data, environ={}), runtime=runtime)
    twilio = make_twilio(app)
    large = {**event, "EventDescription": "x" * 1024}
    assert twilio.post(large).status_code == 413
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert twilio.post(large, environ_overrides=chunked).status_code == 413
    assert twilio.post(event, environ_overrides=chunked).status_code == 204
    assert len(runtime.events) == 1


def test_without_public_url_the_seen_address_counts(
    settings_data: dict[str, Any], runtime: Any, make_twilio: Any
) -> None:
    """With ProxyFix in the host, or no proxy at all, the address of the request is the signed one."""
    del settings_data["server"]
    app = create_app(load_settings(settings_data, environ={}), runtime=runtime)
    twilio = make_twilio(app, base="http://localhost")
    assert twilio.post(path="/twilio/acme/events?x=1").status_code == 204
    app.config["APPLICATION_ROOT"] = "/"
    mounted = twilio.post(signed_path="/mount/twilio/acme/events", environ_overrides={"SCRIPT_NAME": "/mount"})
    assert mounted.status_code == 204


def test_behind_a_proxy_with_proxy_fix(settings_data: dict[str, Any], runtime: Any, make_twilio: Any) -> None:
    """Without public_url the host's ProxyFix restores the signed address; without either the signature cannot fit."""
    del settings_data["server"]
    app = create_app(load_settings(settings_data, environ={}), runtime=runtime)
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "flex.example.com"}
    assert make_twilio(app).post(headers=proxied).status_code == 403
    app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)  # type: ignore[method-assign]
    assert make_twilio(app).post(headers=proxied).status_code == 204


def test_tenant_s_own_public_url_wins(settings_data: dict[str, Any], runtime: Any, make_twilio: Any) -> None:
    """A tenant may be reached by another address than the rest, Basic authentication included."""
    settings_data["tenants"]["acme"]["twilio"]["public_url"] = "https://user:pass@acme.example.com/in"
    app = create_app(load_settings(settings_data, environ={}), runtime=runtime)
    for base in ("https://user:pass@acme.example.com/in", "https://acme.example.com/in"):
        assert make_twilio(app, base=base).post().status_code == 204
    assert make_twilio(app).post().status_code == 403
    state = app.extensions["flex_wfm"]
    assert "pass@" not in str(state.callback_urls()) + repr(state) + repr(state.doors)


def test_forked_process_says_so_instead_of_losing_events(settings: Settings, runtime: Any, make_twilio: Any) -> None:
    """A server that forks after the start leaves the threads behind; the child answers 503 and names the cause."""
    app = create_app(settings, runtime=runtime)
    app.extensions["flex_wfm"].started_in = os.getpid() + 1  # what a child of the starting process sees
    twilio = make_twilio(app)
    assert twilio.post().status_code == 503
    assert runtime.events == []
    ready = twilio.client.get("/readyz")
    assert ready.status_code == 503
    assert "forked" in ready.json["reasons"][0]


def test_connector_that_was_not_started_says_so(settings: Settings, runtime: Any, make_twilio: Any) -> None:
    """With start=False and nobody who starts it, events are answered 503 at once instead of waiting for nobody."""
    twilio = make_twilio(create_app(settings, runtime=runtime, start=False))
    assert twilio.post().status_code == 503
    assert "start()" in twilio.client.get("/readyz").json["reasons"][0]
    assert runtime.events == []


def test_readyz_lists_what_stands_in_the_way(app: Flask, runtime: Any) -> None:
    """A load balancer sees 503 with reasons until events can be taken."""
    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    runtime.obstacles.append("the ledger cannot be written")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json == {"ready": False, "reasons": ["the ledger cannot be written"]}


@pytest.mark.parametrize("accept", ["", "text/plain", "application/openmetrics-text; version=1.0.0"])
def test_metrics_show_door_and_runtime_in_one_text(app: Flask, twilio: Any, accept: str) -> None:
    """Both registries are in one well-formed exposition, with one end mark at most."""
    twilio.post()
    twilio.client.post("/twilio/acme/events", data="a=1", content_type="application/x-www-form-urlencoded")
    text = app.test_client().get("/metrics", headers={"Accept": accept}).text
    assert 'flex_wfm_webhook_requests_total{outcome="stored",tenant="acme"} 1.0' in text
    assert 'outcome="signature_rejected"' in text
    assert "flex_wfm_events_total 1.0" in text
    assert text.count("# EOF") == (1 if "openmetrics" in accept else 0)


def test_contract_kit_does_not_load_the_web_server() -> None:
    """Whoever imports the package for its contract pays neither for Flask nor for Twilio's client."""
    code = (
        "import sys, flex_plugin_backend, flex_plugin_backend.wfm.contract;"
        "print([m for m in ('flask', 'twilio', 'sqlalchemy', 'granian', 'structlog') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "[]"


def test_public_face() -> None:
    """The package shows the extension, the factory and the version, and nothing else by accident."""
    assert flex_plugin_backend.FlexPlugin is FlexPlugin
    assert flex_plugin_backend.__version__
    with pytest.raises(AttributeError):
        _ = flex_plugin_backend.nothing  # type: ignore[attr-defined]
