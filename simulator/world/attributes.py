"""Task attributes as Flex writes them, with the customer's data in them (Twilio reference 4.4)."""

from __future__ import annotations

import random

from simulator.world.people import Customer
from simulator.world.sids import SidFactory

_LINES = {"Support": "+18005550100", "Sales": "+18005550101", "Billing & Refunds": "+18005550102"}


def inbound_voice(customer: Customer, queue_name: str, account_sid: str, sids: SidFactory) -> dict[str, object]:
    """A call that came in."""
    called = _LINES.get(queue_name, "+18005550199")
    return {
        "from_country": "US",
        "called": called,
        "to_country": "US",
        "to_city": "",
        "caller": customer.phone,
        "from": customer.phone,
        "from_city": customer.city,
        "to": called,
        "call_sid": sids.new("CA"),
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "direction": "inbound",
        "name": customer.name,
        "email": customer.email,
        "customers": {"external_id": customer.account_number, "name": customer.name, "email": customer.email},
        "conversations": {},
    }


def inbound_message(customer: Customer, medium: str, sids: SidFactory, rng: random.Random) -> dict[str, object]:
    """A conversation by chat, SMS or web; some chats carry the channel only in the Insights attributes."""
    conversation = sids.new("CH")
    words = {"chat": "Chat", "sms": "SMS", "web": "Web"}
    attributes: dict[str, object] = {
        "channelType": medium,
        "customerAddress": customer.phone if medium == "sms" else customer.email,
        "customerName": customer.name,
        "from": customer.phone if medium == "sms" else customer.name,
        "email": customer.email,
        "conversationSid": conversation,
        "flexInteractionSid": sids.new("KD"),
        "flexInteractionChannelSid": sids.new("UO"),
        "flexChannelInviteSid": sids.new("KG"),
        "initiatedBy": "customer",
        "direction": "inbound",
        "conversations": {
            "initiated_by": "Customer",
            "communication_channel": words[medium],
            "media": [{"conversation_sid": conversation}],
        },
    }
    if medium == "chat" and rng.random() < 0.25:
        del attributes["channelType"]
    return attributes


def outbound_voice(customer: Customer, sids: SidFactory) -> dict[str, object]:
    """A call that an agent dials; the customer's call sid stands in the conference only."""
    return {
        "from": "+18005550199",
        "outbound_to": customer.phone,
        "to": customer.phone,
        "name": customer.name,
        "email": customer.email,
        "direction": "outbound",
        "autoAnswer": "false",
        "conference": {"participants": {"customer": sids.new("CA")}},
        "conversations": {"conversation_id": sids.new("CA")},
    }


def outbound_message(customer: Customer, sids: SidFactory) -> dict[str, object]:
    """A text message that an agent starts."""
    return {
        "channelType": "sms",
        "customerAddress": customer.phone,
        "customerName": customer.name,
        "conversationSid": sids.new("CH"),
        "initiatedBy": "agent",
        "direction": "outbound",
        "conversations": {"initiated_by": "Agent", "communication_channel": "SMS", "direction": "Outbound"},
    }


def internal_voice(name: str, sids: SidFactory) -> dict[str, object]:
    """One side of a call between two agents."""
    return {
        "direction": "internal",
        "name": name,
        "conference": {"sid": sids.new("CF")},
        "conversations": {"conversation_id": sids.new("CF")},
    }
