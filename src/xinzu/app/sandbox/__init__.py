"""The sandbox: twins of every provider on one loopback port, speaking their wire protocols with their signatures and faults.

Product code cannot tell a twin from its provider; only base address and keys differ. ``alipay*`` is the gateway and the
customer's wallet, ``signed`` with ``sms``, ``courier`` and ``identity`` the simple contract of ``platform.signed_http``,
``deliveries`` sends notifications and callbacks until they are accepted, ``control`` registers merchants and sets faults.
State is one SQLite file under ``$XINZU_HOME/sandbox``; killing the process loses nothing that was answered.
"""
