"""The real gateway on a provider in the same process: fast enough for tests that ask ten thousand times."""

from remediation.gateways.stripe_refunds import StripeGateway
from tests.support.provider.core import Provider


class InProcessGateway(StripeGateway):
    """`StripeGateway` itself, so that what is mapped, checked and refused is what production does."""

    def __init__(self, provider: Provider) -> None:
        # The provider's own process imports this package as well, and must not wait for Stripe's.
        from tests.support.provider.transport import InProcess  # noqa: PLC0415

        super().__init__("sk_test_fake", transport=InProcess(provider))
