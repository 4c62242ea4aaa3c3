"""A payment provider that fails in every way a real one does: in this process, or in one that can be killed.

`Provider` is the core. `InProcessGateway(provider)` is the real Stripe gateway on it
without a wire; `running_provider(store)` serves it over HTTP in a process of its own,
for `StripeGateway(key, base_url=provider.url)`.
"""

from tests.support.provider.core import Provider
from tests.support.provider.in_process import InProcessGateway
from tests.support.provider.model import EVENING, HOUR_MS, Effect, Fault, Kind, Moment, Status, per_remedy
from tests.support.provider.running import RunningProvider, running_provider

__all__ = [
    "EVENING",
    "HOUR_MS",
    "Effect",
    "Fault",
    "InProcessGateway",
    "Kind",
    "Moment",
    "Provider",
    "RunningProvider",
    "Status",
    "per_remedy",
    "running_provider",
]
