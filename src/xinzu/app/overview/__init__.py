"""The server-rendered overview: orders, one order's timeline with every amount's why, and a check of any fact's proof.

Chinese first, English on demand (``?lang=en``, remembered in a cookie). Needs an operator's session; reads only.
"""
