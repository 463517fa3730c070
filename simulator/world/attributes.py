"""Task attributes as Flex writes them, with the customer's data in them (Twilio reference 4.4), as JSON text.

What does not change from contact to contact of a customer is encoded once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from simulator.world.blocks import as_json, as_json_text
from simulator.world.people import Customer
from simulator.world.sids import SidFactory, below

_LINES = {"Support": "+18005550100", "Sales": "+18005550101", "Billing & Refunds": "+18005550102"}
_WORDS = {"chat": "Chat", "sms": "SMS", "web": "Web", "email": "Email", "fax": "Fax"}


class Attributes:
    """Writes the attributes of one account's tasks."""

    def __init__(self, account_sid: str, customers: Sequence[Customer], sids: SidFactory) -> None:
        self._account_sid = account_sid
        self._customers = customers
        self._new_call, self._new_chat, self._new_conference = (sids.walk(prefix) for prefix in ("CA", "CH", "CF"))
        self._new_interaction, self._new_channel, self._new_invite = (sids.walk(one) for one in ("KD", "UO", "KG"))
        self._kept: dict[tuple[str, int, str], str] = {}

    def inbound_voice(self, number: int, queue_name: str, task_type: str = "") -> str:
        """A call that came in; `task_type` says what kind of task stands for it (callback, voicemail: assumed)."""
        fixed = self._kept.get(("voice", number, queue_name))
        if fixed is None:
            fixed = self._kept["voice", number, queue_name] = self._voice(self._customers[number], queue_name)
        kind = f',"taskType":"{task_type}"' if task_type else ""
        return f'{fixed},"call_sid":"{self._new_call()}"{kind},"conversations":{{}}}}'

    def inbound_message(self, number: int, medium: str, rng: random.Random) -> str:
        """A conversation by message or mail; some chats carry the channel only in the Insights attributes."""
        fixed = self._kept.get((medium, number, ""))
        if fixed is None:
            fixed = self._kept[medium, number, ""] = self._message(self._customers[number], medium)
        named = "" if medium == "chat" and rng.random() < 0.25 else f'"channelType":"{medium}",'
        word, conversation = _WORDS[medium], self._new_chat()
        return (
            f'{{{named}{fixed},"conversationSid":"{conversation}","flexInteractionSid":"{self._new_interaction()}",'
            f'"flexInteractionChannelSid":"{self._new_channel()}","flexChannelInviteSid":"{self._new_invite()}",'
            f'"conversations":{{"initiated_by":"Customer","communication_channel":"{word}",'
            f'"media":[{{"conversation_sid":"{conversation}"}}]}}}}'
        )

    def outbound_voice(self, number: int) -> str:
        """A call that an agent dials; the customer's call sid stands in the conference only."""
        fixed = self._kept.get(("outbound voice", number, ""))
        if fixed is None:
            customer = self._customers[number]
            told = {
                "from": "+18005550199", "outbound_to": customer.phone, "to": customer.phone, "name": customer.name,
                "email": customer.email, "direction": "outbound", "autoAnswer": "false",
            }  # fmt: skip
            fixed = self._kept["outbound voice", number, ""] = as_json(told)[:-1]
        new = self._new_call
        return (
            f'{fixed},"conference":{{"participants":{{"customer":"{new()}"}}}},'
            f'"conversations":{{"conversation_id":"{new()}"}}}}'
        )

    def outbound_message(self, number: int) -> str:
        """A text message that an agent starts."""
        customer = self._customers[number]
        return as_json(
            {
                "channelType": "sms",
                "customerAddress": customer.phone,
                "customerName": customer.name,
                "conversationSid": self._new_chat(),
                "initiatedBy": "agent",
                "direction": "outbound",
                "conversations": {"initiated_by": "Agent", "communication_channel": "SMS", "direction": "Outbound"},
            }
        )

    def internal_voice(self, name: str) -> str:
        """One side of a call between two agents."""
        new = self._new_conference
        return (
            f'{{"direction":"internal","name":{as_json_text(name)},"conference":{{"sid":"{new()}"}},'
            f'"conversations":{{"conversation_id":"{new()}"}}}}'
        )

    def somebody(self, rng: random.Random) -> int:
        """The number of some customer."""
        return below(rng, len(self._customers))

    def _voice(self, customer: Customer, queue_name: str) -> str:
        called = _LINES.get(queue_name, "+18005550199")
        fixed = {
            "from_country": "US",
            "called": called,
            "to_country": "US",
            "to_city": "",
            "caller": customer.phone,
            "from": customer.phone,
            "from_city": customer.city,
            "to": called,
            "account_sid": self._account_sid,
            "api_version": "2010-04-01",
            "direction": "inbound",
            "name": customer.name,
            "email": customer.email,
            "customers": {"external_id": customer.account_number, "name": customer.name, "email": customer.email},
        }
        return as_json(fixed)[:-1]

    @staticmethod
    def _message(customer: Customer, medium: str) -> str:
        by_phone = medium in ("sms", "fax")
        fixed = {
            "customerAddress": customer.phone if by_phone else customer.email,
            "customerName": customer.name,
            "from": customer.phone if by_phone else customer.name,
            "email": customer.email,
            "initiatedBy": "customer",
            "direction": "inbound",
        }
        return as_json(fixed)[1:-1]
