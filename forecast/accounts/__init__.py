"""Coherence: draws that obey the accounting, and a test that says whether they do.

`stated` names the identities that series have to obey, `check` tests them in every draw,
`broken` finds where the figures themselves break them, `reconcile` makes draws obey;
`together` makes months and years one answer.
"""

from __future__ import annotations

from forecast.accounts.audit import broken, check, trusted
from forecast.accounts.identities import Identity, stated
from forecast.accounts.reconcile import reconcile
from forecast.accounts.together import together

__all__ = ["Identity", "broken", "check", "reconcile", "stated", "together", "trusted"]
