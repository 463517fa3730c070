"""What can go wrong around the connector; one fault, one file, in the folder of the side where it happens.

`twilio/` holds what happens to events and to Twilio's REST answers, `wfm/` what happens to the WFM's answers, `host/`
what happens to the machine. A file in one of them with one class is a fault; nothing else has to be told of it.
"""
