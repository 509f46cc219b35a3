"""The rows added up, and how far they are; see `decision_log/sums`."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.execute(
        """
        CREATE TABLE sums (
            span BIGINT NOT NULL,
            start BIGINT NOT NULL,
            route TEXT NOT NULL,
            task TEXT NOT NULL,
            tier TEXT NOT NULL,
            model TEXT NOT NULL,
            requests BIGINT NOT NULL,
            answered BIGINT NOT NULL,
            by_tools BIGINT NOT NULL,
            failed BIGINT NOT NULL,
            checked BIGINT NOT NULL,
            passed BIGINT NOT NULL,
            flagged BIGINT NOT NULL,
            fallbacks BIGINT NOT NULL,
            escalations BIGINT NOT NULL,
            input_tokens BIGINT NOT NULL,
            output_tokens BIGINT NOT NULL,
            cached_tokens BIGINT NOT NULL,
            cost DOUBLE PRECISION NOT NULL,
            final_input BIGINT NOT NULL,
            final_output BIGINT NOT NULL,
            final_cached BIGINT NOT NULL,
            latency BYTEA NOT NULL,
            PRIMARY KEY (span, start, route, task, tier, model)
        )
        """
    )
    op.execute("CREATE TABLE summed (seq BIGINT NOT NULL, request_id TEXT NOT NULL)")
    op.execute("INSERT INTO summed VALUES (0, '')")


def downgrade() -> None:
    """A log is never taken apart."""
    raise NotImplementedError("the decision log is not taken apart: drop its database by hand")
