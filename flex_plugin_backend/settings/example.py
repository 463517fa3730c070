"""The settings file that `flex-wfm init` writes."""

from __future__ import annotations

from flex_plugin_backend.settings.tree import Settings

_TEMPLATE = """\
# Settings of flex-wfm. Every setting, its unit and its meaning: docs/configuration.md.
# What is empty ("") must be filled in before the connector starts.
# An environment variable overrules this file: FLEX_WFM__SERVER__PORT=9000 is [server] port.
# Each secret can be given as NAME (here), NAME_file (a file beside this one) or NAME_env (a variable).

[server]
host = "127.0.0.1"                          # 0.0.0.0 to be reached from other machines
port = 8080
# The address under which Twilio reaches this connector, as Twilio writes it: signatures cover it. Remove the line
# only if no proxy stands between.
public_url = ""                             # https://...
# url_prefix = "/wfm"                       # when it shares a host with something else

[ledger]
# Three slashes: relative to where the connector is started; four: an absolute path. Back this file up.
url = "sqlite:///flex-wfm.sqlite3"

[log]
level = "info"                              # debug, info, warning, error
format = "json"                             # or text, for a terminal

# [alerts]
# url_file = "secrets/alert-url"            # told when an alarm begins and when it ends, see docs/health.md

# ---- One tenant: a TaskRouter workspace and a CXone WFM tenant. Repeat with another name for more. ----

[tenants.{tenant}.twilio]
account_sid = ""                            # AC..., from the Twilio console
workspace_sid = ""                          # WS..., of the workspace, from the Twilio console
auth_token_file = "secrets/{tenant}-auth-token"   # checks signatures, also when an API key reads
# rest_key_sid = "SK00000000000000000000000000000000"    # an API key for reading, instead of the auth token
# rest_key_secret_file = "secrets/{tenant}-rest-key"
# shared_keys = {{ "KEY_ID" = {{ secret_file = "secrets/{tenant}-shared-key" }} }}

[tenants.{tenant}.wfm]
service_url = ""                            # https://..., NICE gives you this address and both keys
access_key_file = "secrets/{tenant}-access-key"
secret_key_file = "secrets/{tenant}-secret-key"
# tenant_name = "acme"
profile = "default"                         # the contract profile, or the path of your own
# acd_type = "TwilioFlex"                   # only if the look-up at CXone is not to be trusted

[tenants.{tenant}.mapping]
agent_id = "worker_sid"                     # or friendly_name, or attribute:path.to.the.id in the worker's attributes
# offline_activity_sid = "WA00000000000000000000000000000000"   # the logged-out activity; else from Flex
# pseudo_activities = ["On a Task", "Wrap Up"]    # set by plugins during tasks; the task decides instead
# [tenants.{tenant}.mapping.activities."Lunch"]
# reason = "LUNCH"                          # what CXone is told instead of the activity's name
# [tenants.{tenant}.mapping.channels]
# whatsapp = "chat"                         # voice, chat, sms, web, email, fax, other

[tenants.{tenant}.states]
min_state_s = 3                             # shorter states are absorbed in the activity report
catch_up_s = 900                            # after an outage, superseded states older than this are not sent
wrap_up_cap_s = 3600                        # a wrap-up that nobody ends, ends here
parked_messaging = "contact"                # an open chat beside another activity: contact, activity or limited

[tenants.{tenant}.reports]
enabled = true                              # the reports of each 15 minutes
delay_s = 120                               # how long after its end an interval is reported
service_level_s = 20                        # answered within this wait is in the service level
# queue_service_level_s = {{ "Support" = 30 }}     # another threshold for these queues, by name or sid
short_abandon_s = 5                         # a caller who left sooner is a short abandon
# diverted_reasons = ["callback", "voicemail"]     # cancelled for one of these: served elsewhere, not abandoned
"""


def example_toml(tenant: str) -> str:
    """The content of the file for a first tenant of this name.

    Raises:
        ValueError: the name cannot be part of an address.
    """
    if not Settings.is_tenant_name(tenant):
        raise ValueError(f"{tenant!r} is not a usable tenant name: a-z, 0-9, single _ and -")
    return _TEMPLATE.format(tenant=tenant)
