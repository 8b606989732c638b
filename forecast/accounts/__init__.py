"""Coherence: draws that obey the accounting, and a test that says whether they do.

`stated` names the identities that series have to obey, `check` tests them in every draw,
`broken` finds where the figures themselves break them, `reconcile` makes draws obey.
"""

from __future__ import annotations

from forecast.accounts.audit import broken, check, trusted
from forecast.accounts.identities import Identity, stated
from forecast.accounts.reconcile import reconcile

__all__ = ["Identity", "broken", "check", "reconcile", "stated", "trusted"]
