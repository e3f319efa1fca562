"""Links of 4G and of 5G, as log-normals through published statistics of a country's networks.

Ofcom, "Mobile Matters" (United Kingdom, crowdsourced tests of Opensignal):

* 2024 (October 2023 to March 2024): of the download tests, 5 % on 4G and 1 % on 5G were below
  2 Mbit/s, 11 % and 47 % at 100 Mbit/s or more (as summed up in https://geekabit.co.uk/category/ofcom).
  Two shares make a log-normal. Mean response times of the operators lie between 18.3 and 23.7 ms on
  4G, between 16.3 and 21.4 ms on 5G (https://www.ofcom.org.uk/phones-and-broadband/mobile-phones/
  which-mobile-operator-has-the-longest-file-download-time/).
* 2023 (October 2022 to March 2023): mean speeds were 29.5 Mbit/s down and 7.6 up on 4G, 129.9 down
  and 14.7 up on 5G (as summed up in https://www.ispreview.co.uk/index.php/2023/07/
  ofcom-publish-benchmarks-of-uk-5g-4g-and-3g-mobile-networks.html). Their ratio scales the uplink.

What is assumed, because it is not published: uplinks spread as much as downlinks do, and up, down
and the device are independent. The shares are of tests, so the spread holds places and times, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

SLOW_BYTES_PER_S = 250_000.0  # 2 Mbit/s
FAST_BYTES_PER_S = 12_500_000.0  # 100 Mbit/s


@dataclass(frozen=True, slots=True)
class Generation:
    """What was published of one generation's links."""

    share_below_slow: float
    share_from_fast: float
    up_per_down: float
    response_s: float  # the middle of the operators' means

    @property
    def sigma(self) -> float:
        """Of the logarithm of a speed, up or down."""
        return math.log(FAST_BYTES_PER_S / SLOW_BYTES_PER_S) / (self._fast - self._slow)

    @property
    def median_downlink_bytes_per_s(self) -> float:
        """The log-normal's median."""
        return SLOW_BYTES_PER_S * math.exp(-self._slow * self.sigma)

    @property
    def median_uplink_bytes_per_s(self) -> float:
        """The downlink's, times the ratio of the means."""
        return self.up_per_down * self.median_downlink_bytes_per_s

    @property
    def _slow(self) -> float:
        return NormalDist().inv_cdf(self.share_below_slow)

    @property
    def _fast(self) -> float:
        return NormalDist().inv_cdf(1 - self.share_from_fast)


GENERATIONS = {
    "4g": Generation(share_below_slow=0.05, share_from_fast=0.11, up_per_down=7.6 / 29.5, response_s=0.021),
    "5g": Generation(share_below_slow=0.01, share_from_fast=0.47, up_per_down=14.7 / 129.9, response_s=0.019),
}
