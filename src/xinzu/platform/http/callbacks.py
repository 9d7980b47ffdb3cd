"""Callbacks of providers under the signed HTTP contract: believed only under their signature."""

from __future__ import annotations

from xinzu.kernel.time import SystemClock
from xinzu.platform.http.door import HttpRequest
from xinzu.platform.signed_http import SignedPeer, Verified, verify_signed


async def believed(request: HttpRequest, peer: SignedPeer) -> Verified:
    """Check a callback against its peer; raises SignatureRefused.

    The path and the query are checked as they were sent, the time against the wall clock: freshness is not business time.
    Whoever takes the callback makes a repeated one harmless, by its nonce or by the id of what it tells.
    """
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1")
    return verify_signed(
        {name.lower(): value for name, value in request.headers.items()},
        request.method,
        f"{path}?{query}" if query else path,
        await request.body(),
        {peer.key_id: peer.secret},
        SystemClock().now(),
    )
