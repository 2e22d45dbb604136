"""Payments of fees for the dossiers that say they were paid online, and tries that failed before."""

import numpy as np

from simulator import columns as c
from simulator import defects
from simulator.columns import Column, Ints
from simulator.delivery import Table
from simulator.wire.payments import PAYMENT
from simulator.world.dossiers import DossierTable

FAILED = 0.06
"""Tries that failed, beside each payment."""


class PaymentTable:
    """Payments as a deliverable table; a payment for a dossier that was refused is paid back."""

    layout = PAYMENT

    def __init__(self, seed: int, dossiers: DossierTable) -> None:
        self.dossiers = dossiers
        paying = np.flatnonzero(dossiers.payment(np.arange(len(dossiers.d.day))) > 0)
        rng = c.generator(seed, "payments")
        again = paying[rng.random(len(paying)) < FAILED]
        self.dossier = np.concatenate([paying, again])
        self.failed = np.arange(len(self.dossier)) >= len(paying)
        order = np.lexsort((~self.failed, self.dossier))
        self.dossier, self.failed = self.dossier[order], self.failed[order]
        self.created = dossiers.d.day[self.dossier]
        spoiled = dossiers.plan[self.dossier] >= 0
        self.plan = defects.plan(seed, PAYMENT, self.created, {}, spoiled)

    def _paid(self, rows: Ints) -> Ints:
        """Local second: shortly after the reception, a failed try before the one that did."""
        received: Ints = self.dossiers.d.received[self.dossier[rows]]
        return received + np.where(self.failed[rows], 60, 400)

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the payment, or of the day on which it was paid back."""
        refused = self.dossiers.d.refused[self.dossier[rows]] & ~self.failed[rows]
        back = c.at(self.created[rows] + 3, np.full(len(rows), 36_000))
        return np.where(refused & (self.created[rows] + 3 <= as_of), back, self._paid(rows))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        dossier = self.dossier[rows]
        refused = self.dossiers.d.refused[dossier] & (self.created[rows] + 3 <= as_of)
        fee = self.dossiers.listed.fee[self.dossiers.d.procedure[dossier]]
        status = np.where(self.failed[rows], 1, np.where(refused, 2, 0))
        return {
            "payment_id": c.join("GD", c.date_text(self.created[rows], "%y%m%d"), c.digits(rows + 1, 9)),
            "dossier_code": self.dossiers.code(dossier),
            "payer_name": self.dossiers.people.full_name(self.dossiers.d.person[dossier]),
            "channel_code": c.plain(self.dossiers.payment(dossier)),
            "status_code": c.take(("TC", "TB", "HT"), status),
            "amount_vnd": c.plain(fee),
            "paid_at": c.stamp_compact(self._paid(rows)),
            "updated_at": c.stamp_iso(updated),
        }


def tables(seed: int, dossiers: DossierTable) -> list[Table]:
    """What the payment platform tells."""
    return [PaymentTable(seed, dossiers)]
