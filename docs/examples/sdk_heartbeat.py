"""Keep telling CXone WFM that the connector is there, and hear when that fails."""

import os
import threading

from flex_plugin_backend.wfm import Beat, Heartbeat, WFMConnection, WFMConnectionConfigBuilder

config = (
    WFMConnectionConfigBuilder()
    .set_service_url(os.environ["WFM_URL"])
    .set_access_key(os.environ["WFM_ACCESS_KEY"])
    .set_secret_key(os.environ["WFM_SECRET_KEY"])
    .build()
)
heard = threading.Event()


def on_beat(beat: Beat) -> None:
    """Called after every beat, also after one that failed; the beating goes on in any case."""
    print("the service hears us" if beat.ok else f"no heartbeat: {beat.error}")
    heard.set()


with WFMConnection.get_connection(config) as connection:
    heartbeat = Heartbeat(connection, on_beat)
    heartbeat.start()
    heard.wait(timeout=30)
    heartbeat.stop()
