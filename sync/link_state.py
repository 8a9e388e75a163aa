"""When a kiosk is online: leaving is fast (one failed call), returning is slow (DESIGN.md one act 7). Pure.

Back online needs several good probes in a row and an empty outbox, so that a patron never waits behind a backlog and
a line that flickers does not flip the screen.
"""

import random
from dataclasses import dataclass, replace

from kiosk.ports import CentralReason, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRules:
    """How patient a kiosk is; from configuration."""

    probes_needed: int = 3
    """Good probes in a row before it is online again."""
    probe_s: float = 2.0
    """Between two probes while they succeed."""
    longest_s: float = 15.0
    """Longest pause between two probes while they fail."""
    heartbeat_s: float = 5.0
    """Between two heartbeats while online."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """How the kiosk stands to central, and what it has seen lately."""

    rules: LinkRules = LinkRules()
    """Patience."""
    link: Link = Link.STARTING
    """Shown on screen."""
    reason: CentralReason | None = None
    """Why offline."""
    good: int = 0
    """Good probes in a row."""
    bad: int = 0
    """Failed calls in a row."""

    def failed(self, reason: CentralReason) -> "LinkState":
        """One failed call ends online mode."""
        return replace(self, link=Link.OFFLINE, reason=reason, good=0, bad=self.bad + 1)

    def succeeded(self, outbox_empty: bool) -> "LinkState":
        """One good call. The first contact after a start counts as enough when nothing waits."""
        good = self.good + 1
        enough = good >= self.rules.probes_needed or self.link is Link.STARTING
        if self.link is not Link.ONLINE and enough and outbox_empty:
            return replace(self, link=Link.ONLINE, reason=None, good=good, bad=0)
        return replace(self, good=good, bad=0)

    def pause_s(self, jitter: random.Random) -> float:
        """Seconds until the next probe or heartbeat; failing probes back off with jitter."""
        if self.link is Link.ONLINE:
            return self.rules.heartbeat_s
        if self.bad == 0:
            return self.rules.probe_s if self.link is Link.OFFLINE else 0.0
        longest = min(self.rules.longest_s, self.rules.probe_s * 1.5 ** min(self.bad - 1, 12))
        return float(longest * jitter.uniform(0.7, 1.0))
