"""Do two voices say the same more often than chance? Cohen's kappa with its 95 % interval.

    po = share of answers on which they agree        pe = what chance would give: Σ over yes and no of the product of their shares
    κ  = (po − pe) / (1 − pe)                                                                                       (Cohen 1960)

Its large-sample variance is that of Fleiss, Cohen and Everitt (1969). That is zero where two voices agree on everything, however few
answers there are, so the interval is never narrower than po's own (Wilson 1927) carried over at this pe.
"""

from __future__ import annotations

import math

import msgspec

from tierline.evaluation.wilson import Z95, wilson


class Agreement(msgspec.Struct, frozen=True):
    """Of `both` answers that two voices spoke of, the share on which they agree and kappa, each with its 95 % interval; kappa is None where
    it is not defined, because both only ever say one and the same thing."""

    both: int
    share: float
    share_low: float
    share_high: float
    kappa: float | None
    low: float | None
    high: float | None


class Counts:
    """A table of two by two: what one voice said and what the other said of the same answer. A score of one half or more is a yes."""

    __slots__ = ("no_no", "no_yes", "yes_no", "yes_yes")

    def __init__(self, yes_yes: int = 0, yes_no: int = 0, no_yes: int = 0, no_no: int = 0) -> None:
        self.yes_yes, self.yes_no, self.no_yes, self.no_no = yes_yes, yes_no, no_yes, no_no

    def add(self, one: float, other: float) -> None:
        """One answer."""
        if one >= 0.5:
            self.yes_yes, self.yes_no = self.yes_yes + (other >= 0.5), self.yes_no + (other < 0.5)
        else:
            self.no_yes, self.no_no = self.no_yes + (other >= 0.5), self.no_no + (other < 0.5)

    @property
    def many(self) -> int:
        """Answers counted."""
        return self.yes_yes + self.yes_no + self.no_yes + self.no_no

    def agreement(self) -> Agreement:
        """What the table says; with nothing in it, nothing."""
        many = self.many
        if not many:
            return Agreement(0, 0.0, 0.0, 1.0, None, None, None)
        cells = [[self.yes_yes / many, self.yes_no / many], [self.no_yes / many, self.no_no / many]]
        share = cells[0][0] + cells[1][1]
        low, high = wilson(self.yes_yes + self.no_no, many)
        rows, columns = [sum(row) for row in cells], [cells[0][k] + cells[1][k] for k in (0, 1)]
        chance = sum(row * column for row, column in zip(rows, columns, strict=True))
        if chance >= 1.0:
            return Agreement(many, share, low, high, None, None, None)
        kappa = (share - chance) / (1.0 - chance)
        wide = Z95 * math.sqrt(_variance(cells, rows, columns, share, chance) / many)
        lowest, highest = ((end - chance) / (1.0 - chance) for end in (low, high))
        return Agreement(many, share, low, high, kappa, max(min(kappa - wide, lowest), -1.0), min(max(kappa + wide, highest), 1.0))


def _variance(cells: list[list[float]], rows: list[float], columns: list[float], share: float, chance: float) -> float:
    """The variance of kappa (Fleiss, Cohen and Everitt 1969, equation 14), times the answers."""
    same = sum(cells[k][k] * ((1 - chance) - (columns[k] + rows[k]) * (1 - share)) ** 2 for k in (0, 1))
    other = sum(cells[i][j] * (columns[i] + rows[j]) ** 2 for i in (0, 1) for j in (0, 1) if i != j)
    whole = same + (1 - share) ** 2 * other - (share * chance - 2 * chance + share) ** 2
    return max(whole, 0.0) / (1 - chance) ** 4
