"""The connector inside a Flask application that exists already.

Run it:  FLEX_WFM_CONFIG=flex-wfm.toml python docs/examples/embed_in_flask.py
Then:    curl http://127.0.0.1:5000/wfm/healthz
"""

from __future__ import annotations

from flask import Flask

from flex_plugin_backend import FlexPlugin

app = Flask(__name__)


@app.get("/")
def home() -> str:
    """A page of your own."""
    return "The Flex back end"


# Reads the file named by FLEX_WFM_CONFIG, adds /wfm/twilio/<tenant>/events, /wfm/healthz, /wfm/readyz and /wfm/metrics,
# and starts to forward. It stops by itself when the process ends.
plugin = FlexPlugin(app, url_prefix="/wfm")

if __name__ == "__main__":
    app.run(threaded=True, use_reloader=False)
