"""The demo that lives: two synthetic merchants and about two hundred synthetic customers of known behaviour, through the public commands.

Everything here is made up by a seeded generator. Nothing writes rows: the demo only calls what a channel, a warehouse clerk, a courier or a
wallet would call.
"""
