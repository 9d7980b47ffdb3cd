"""Parties 当事人: people, what they consented to, and the messages sent to them.

Owns the tables parties_person (sealed name, identity number, phone, address; found by blind index), parties_consent (purpose, text
version, given and withdrawn), parties_delivery_address (per agreement), parties_disclosure (who opened clear values, when and for what),
parties_message (sealed body, state) and parties_callback (callbacks seen, so that a replay is refused).
Events out: ConsentWithdrawn, MessageDelivered, MessageFailed. Events in: none.
Jobs: parties.send_messages (sends what was asked for), parties.send_due_messages (each minute: held back until the hours allow it,
not sent before, or of unknown outcome).

Personal data may be used only with a consent for the purpose or where the law gives another basis (PIPL arts. 13-15, 29).
"""
