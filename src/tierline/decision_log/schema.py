"""The tables of the decision log, and how they came to be.

`decisions` holds one row a request: plain columns for analysis, and five blobs that hold the rest of the record (see `codec`).
`texts` holds prompts and answers of the routes that keep them, with a retention of its own. `sums` holds the rows added up (see `sums`).
"""

from __future__ import annotations

PART = "decisions"
"""The log's name in `schema_version`."""

COLUMNS = (
    "request_id",
    "at",
    "route",
    "task",
    "key",
    "team",
    "tier",
    "model",
    "first_model",
    "policy",
    "status",
    "error",
    "cost",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "attempts",
    "fallbacks",
    "escalations",
    "latency",
    "ttft",
    "overhead",
    "propensity",
    "arm",
    "draw",
    "margin",
    "difficulty",
    "complexity",
    "operation",
    "language",
    "winner",
    "flagged",
    "truncated",
    "stopped",
    "answered",
    "checked",
    "features",
    "scores",
    "view",
    "decision",
    "tried",
    "asides",
)
"""The columns of `decisions` in the order in which `codec.encode` gives their values."""

BLOBS = ("features", "scores", "view", "decision", "tried", "asides")
"""The columns that hold encoded structs."""

MIGRATIONS = (
    """
    CREATE TABLE decisions (
        seq INTEGER PRIMARY KEY,      -- the order of writing, for those who follow the log
        request_id TEXT NOT NULL UNIQUE,
        at REAL NOT NULL,             -- Unix time, seconds
        route TEXT NOT NULL,
        task TEXT NOT NULL,
        "key" TEXT NOT NULL,
        team TEXT NOT NULL,
        tier TEXT NOT NULL,           -- of the model that answered, else of the one asked first
        model TEXT NOT NULL,          -- that answered, empty when none did
        first_model TEXT NOT NULL,    -- that was asked first
        policy TEXT NOT NULL,         -- fingerprint of the spec
        status INTEGER NOT NULL,      -- what the client was told
        error TEXT NOT NULL,
        cost REAL NOT NULL,           -- USD over every attempt
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        fallbacks INTEGER NOT NULL,
        escalations INTEGER NOT NULL,
        latency REAL NOT NULL,        -- seconds, all attempts and Tierline's own
        ttft REAL,                    -- seconds from the first attempt's start to the first content
        overhead REAL NOT NULL,       -- seconds spent in Tierline itself
        propensity REAL NOT NULL,
        arm TEXT NOT NULL,
        draw REAL NOT NULL,
        margin REAL,
        difficulty REAL,
        complexity REAL NOT NULL,
        operation TEXT NOT NULL,
        language TEXT NOT NULL,
        winner INTEGER,               -- index into tried
        flagged INTEGER NOT NULL,
        truncated INTEGER NOT NULL,
        stopped TEXT NOT NULL,
        features BLOB NOT NULL,
        scores BLOB,                  -- NULL where no scorer was asked
        view BLOB,                    -- NULL where nothing of the world was read
        decision BLOB NOT NULL,
        tried BLOB NOT NULL
    );
    CREATE INDEX decisions_at ON decisions (at);
    CREATE TABLE texts (
        request_id TEXT PRIMARY KEY,
        at REAL NOT NULL,
        body BLOB NOT NULL
    );
    CREATE INDEX texts_at ON texts (at);
    """,
    """
    ALTER TABLE decisions ADD COLUMN answered TEXT NOT NULL DEFAULT '';  -- the tool that answered instead of a model
    ALTER TABLE decisions ADD COLUMN asides BLOB;                       -- calls before the first attempt, NULL where there were none
    """,
    """
    CREATE TABLE sums (               -- figures of the rows, see `sums`; they outlive them
        span INTEGER NOT NULL,        -- 60, 3600 or 86400 seconds
        start INTEGER NOT NULL,       -- of the span, Unix seconds
        route TEXT NOT NULL,
        task TEXT NOT NULL,
        tier TEXT NOT NULL,
        model TEXT NOT NULL,
        requests INTEGER NOT NULL,
        answered INTEGER NOT NULL,
        by_tools INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        checked INTEGER NOT NULL,
        passed INTEGER NOT NULL,
        flagged INTEGER NOT NULL,
        fallbacks INTEGER NOT NULL,
        escalations INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        cost REAL NOT NULL,           -- USD
        final_input INTEGER NOT NULL,
        final_output INTEGER NOT NULL,
        final_cached INTEGER NOT NULL,
        latency BLOB NOT NULL,        -- MessagePack: bucket → answers that took so long
        PRIMARY KEY (span, start, route, task, tier, model)
    ) WITHOUT ROWID;
    CREATE TABLE summed (             -- the last row that is in the sums
        seq INTEGER NOT NULL,
        request_id TEXT NOT NULL
    );
    INSERT INTO summed VALUES (0, '');
    DROP INDEX decisions_at;
    CREATE INDEX decisions_at ON decisions (at, seq, route, task, tier, model, "key", status, error, flagged, cost);
    """,
    """
    ALTER TABLE decisions ADD COLUMN checked INTEGER;  -- the answer: 0 by no check, 1 passed, 2 failed one; NULL: written before
    """,
)
"""Append-only: a released script is never changed."""


def insert(rows: int) -> str:
    """The statement that writes so many rows at once. A row put again under the same id replaces the first."""
    values = ", ".join(["(" + ", ".join("?" * len(COLUMNS)) + ")"] * rows)
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    return f"INSERT OR REPLACE INTO decisions ({columns}) VALUES {values}"  # noqa: S608  # names from this file, values by parameters
