"""What docs/manual/products.md tells a merchant to send is taken, and comes back with the figures it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx

MANUAL = Path(__file__).parents[3] / "docs" / "manual" / "products.md"
REQUEST = re.compile(
    r"`POST (?P<path>/v1/\w+)`\n\n```json\n(?P<body>\{.*?\})\n```\n(?:\n(?P<shown>`rent_fen` [^\n]*)\n)?", re.DOTALL
)


async def test_every_request_of_the_manual_gives_what_stands_below_it(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    product_id = plan_id = ""
    shown, wanted = [], []
    for found in REQUEST.finditer(MANUAL.read_text(encoding="utf-8")):
        body = json.loads(found["body"])
        if found["path"] == "/v1/products":
            product_id = (await api.post(found["path"], json=body, headers=api_key)).json()["id"]
            continue
        if found["path"] == "/v1/quotes":
            quote = (await api.post(found["path"], json=body | {"plan_id": plan_id}, headers=api_key)).json()
            shown.append(found["shown"])
            wanted.append(_figures(quote))
            continue
        plan = await api.post(found["path"], json=body | {"product_id": product_id}, headers=api_key)
        assert plan.status_code == 201, plan.json()
        offered = await api.post(f"/v1/plans/{plan.json()['id']}/publication", headers=api_key)
        assert offered.status_code == 200, offered.json()
        plan_id = plan.json()["id"]
        if "daily" in body:  # quoted by a request of its own, for a number of days
            continue
        quote = (await api.post("/v1/quotes", json={"plan_id": plan_id}, headers=api_key)).json()
        shown.append(found["shown"])
        wanted.append(_figures(quote))
    assert len(wanted) == 13
    assert shown == wanted


def _figures(quote: dict[str, Any]) -> str:
    terms = quote["terms"]
    return f"`rent_fen` {terms['rent_fen']}, `rent_total_fen` {terms['rent_total_fen']}, `annual_cost_pct` {quote['annual_cost_pct']}"
