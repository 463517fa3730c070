"""What Event Streams tell of a customer on hold: an event of Voice, not of TaskRouter (Twilio reference 2.3)."""

from __future__ import annotations

from typing import Any

from simulator.world.events import Event
from simulator.world.holds import HOLD

HOLD_TYPE = "com.twilio.voice.status-callback.conference.participant.updated"


def conference_event(event: Event, time: str, *, account_sid: str) -> dict[str, Any]:
    """The envelope, and in it the parameters of the conference's status callback; `time` is the event's, in ISO."""
    return {
        "specversion": "1.0",
        "type": HOLD_TYPE,
        "source": f"/2010-04-01/Accounts/{account_sid}/Conferences/{event.resource_sid}",
        "id": event.sid,
        "time": time,
        "datacontenttype": "application/json",
        "data": {
            "timestamp": time,
            "request": {
                "method": "POST",
                "parameters": {
                    "AccountSid": account_sid,
                    "ConferenceSid": event.resource_sid,
                    "FriendlyName": event.task_sid,
                    "StatusCallbackEvent": event.type,
                    "Hold": str(event.type == HOLD).lower(),
                },
            },
        },
    }
