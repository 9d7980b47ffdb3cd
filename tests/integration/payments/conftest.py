"""A shop of the test's own tenant."""

from __future__ import annotations

import pytest
from tests.integration.payments.shop import Shop

from xinzu.platform.runtime import Runtime


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int) -> Shop:
    return Shop(runtime, tenant_id)
