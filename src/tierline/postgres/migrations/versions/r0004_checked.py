"""What the checks of an answer said, as a column; see `decision_log/schema`."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE decisions ADD COLUMN checked BIGINT")


def downgrade() -> None:
    """A log is never taken apart."""
    raise NotImplementedError("the decision log is not taken apart: drop its database by hand")
