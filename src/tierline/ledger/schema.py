"""The ledger's tables, in the decision log's file, and how they came to be."""

from __future__ import annotations

PART = "ledger"
"""The ledger's name in `schema_version`."""

MIGRATIONS = (
    """
    CREATE TABLE specs (
        fingerprint TEXT PRIMARY KEY,
        first_seen REAL NOT NULL,     -- Unix time, seconds
        parts TEXT NOT NULL,          -- JSON: part of the spec → its digest
        canonical BLOB NOT NULL       -- the spec as canonical JSON, without secrets
    );
    CREATE TABLE pins (
        id INTEGER PRIMARY KEY,
        route TEXT NOT NULL,
        model TEXT NOT NULL,
        since REAL NOT NULL,
        until REAL NOT NULL,          -- when it ends by itself, or was ended
        "by" TEXT NOT NULL,
        why TEXT NOT NULL,
        ended_by TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX pins_until ON pins (until);
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL,         -- JSON
        previous BLOB NOT NULL,       -- hash of the entry before
        hash BLOB NOT NULL
    );
    CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
    CREATE TABLE feedback (
        id INTEGER PRIMARY KEY,
        request_id TEXT NOT NULL,
        at REAL NOT NULL,
        score REAL,                   -- 0 to 1
        accept INTEGER,               -- 1 good enough, 0 not
        correction TEXT,
        source TEXT NOT NULL
    );
    CREATE INDEX feedback_request ON feedback (request_id);
    """,
    """
    ALTER TABLE feedback ADD COLUMN tool_success INTEGER;  -- 1 the tools that the answer called did their work, 0 not
    CREATE TABLE reviews (
        request_id TEXT PRIMARY KEY,
        at REAL NOT NULL,             -- Unix time of the request, seconds
        kind TEXT NOT NULL,           -- flagged or blocked
        route TEXT NOT NULL,
        task TEXT NOT NULL,
        model TEXT NOT NULL,
        verdicts TEXT NOT NULL,       -- JSON: those on the answer given
        state TEXT NOT NULL DEFAULT 'open',
        correction TEXT,
        note TEXT NOT NULL DEFAULT '',
        reviewed_at REAL,
        reviewed_by TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX reviews_state ON reviews (state, at);
    """,
    """
    ALTER TABLE feedback ADD COLUMN kind TEXT NOT NULL DEFAULT '';  -- who speaks through the key: user, pipeline, or nothing said
    CREATE TABLE labels (
        id INTEGER PRIMARY KEY,
        request_id TEXT NOT NULL,
        model TEXT NOT NULL,          -- whose answer
        score REAL NOT NULL,          -- 0 to 1
        source TEXT NOT NULL,         -- golden, review, feedback, validator or judge
        at REAL NOT NULL,             -- Unix time, seconds
        "by" TEXT NOT NULL,
        trust REAL NOT NULL,          -- 0 to 1
        note TEXT NOT NULL
    );
    CREATE INDEX labels_request ON labels (request_id);
    CREATE INDEX labels_at ON labels (at);
    CREATE TABLE judges (             -- what was measured of judges against labels that are trusted
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        judge TEXT NOT NULL,          -- model@digest of its instruction, as labels carry it in "by"
        task TEXT NOT NULL,           -- empty: all
        report TEXT NOT NULL,         -- JSON: agreement, kappa, bias, counts
        valid INTEGER NOT NULL        -- 1: its labels may gate and train
    );
    CREATE TABLE shadows (
        id INTEGER PRIMARY KEY,
        request_id TEXT NOT NULL,
        at REAL NOT NULL,             -- when it ended, Unix time, seconds
        route TEXT NOT NULL,
        task TEXT NOT NULL,
        model TEXT NOT NULL,          -- that answered beside
        against TEXT NOT NULL,        -- the model whose answer the client got
        share REAL NOT NULL,          -- of such requests that are drawn
        ok INTEGER NOT NULL,
        passed INTEGER,               -- 1 every validator said yes, 0 not; NULL: none looked
        cost REAL NOT NULL,           -- USD, with what its validators and its judge asked
        elapsed REAL NOT NULL,        -- seconds to its answer, checks included
        judge TEXT NOT NULL,          -- who is to compare: model@digest of its instruction; empty: nobody
        judgement TEXT NOT NULL,      -- won, lost, same, disagreed, unread; empty: not compared
        detail TEXT NOT NULL          -- JSON: usage, verdicts, error; no words of anybody
    );
    CREATE INDEX shadows_request ON shadows (request_id);
    CREATE INDEX shadows_at ON shadows (at);
    CREATE TABLE keys (
        name TEXT PRIMARY KEY,
        given TEXT NOT NULL,          -- JSON: scopes, owner, team, routes, models, task, rate, max_concurrency
        created REAL NOT NULL,
        "by" TEXT NOT NULL,           -- who made it
        expires REAL,                 -- Unix time; NULL: never
        revoked REAL                  -- Unix time; NULL: not
    );
    CREATE TABLE key_secrets (
        digest BLOB PRIMARY KEY,      -- SHA-256 of the secret
        name TEXT NOT NULL REFERENCES keys (name),
        prefix TEXT NOT NULL,         -- its first characters, to know it by
        created REAL NOT NULL,
        until REAL                    -- Unix time until which it opens; NULL: as long as the key
    );
    CREATE INDEX key_secrets_name ON key_secrets (name);
    CREATE TABLE arms (               -- experiments: what was done to an arm while its experiment ran
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        experiment TEXT NOT NULL,
        arm TEXT NOT NULL,
        state TEXT NOT NULL,          -- running, stopped or won
        share REAL,                   -- NULL: as the spec says
        why TEXT NOT NULL,
        "by" TEXT NOT NULL,
        definition TEXT NOT NULL      -- digest of what the experiment compares
    );
    CREATE INDEX arms_experiment ON arms (experiment, arm, definition);
    CREATE TABLE releases (           -- the life cycle of a candidate spec: rows are only ever added, the newest says what holds
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,             -- Unix time, seconds
        candidate TEXT NOT NULL,      -- fingerprint of the spec that is tried, or put to work
        before TEXT NOT NULL,         -- of the one that it is to replace, or replaced
        stage TEXT NOT NULL,          -- shadow, canary, stopped, publishing, published, rolling_back, rolled_back or by_hand
        share REAL NOT NULL,          -- of the canary
        why TEXT NOT NULL,
        detail TEXT NOT NULL,         -- JSON: the certificate, whether it was forced
        "by" TEXT NOT NULL,
        written TEXT NOT NULL         -- the candidate's file as it is written, ${NAME} and all; empty: it holds secrets, so it is not kept
    );
    CREATE TABLE rehearsals (         -- what a candidate in shadow decided beside the spec at work, counted
        release INTEGER NOT NULL,     -- id of the row that put it there
        task TEXT NOT NULL,
        model TEXT NOT NULL,          -- asked first by the spec at work
        candidate TEXT NOT NULL,      -- asked first by the candidate; empty: it would have refused
        requests INTEGER NOT NULL,
        cost REAL NOT NULL,           -- USD expected for the first calls, by the spec at work
        candidate_cost REAL NOT NULL, -- by the candidate
        PRIMARY KEY (release, task, model, candidate)
    );
    """,
    """
    CREATE TABLE alerts (             -- what is watched and has moved
        id INTEGER PRIMARY KEY,
        watch TEXT NOT NULL,
        subject TEXT NOT NULL,        -- task/…, model/…, route/…, budget/…; empty: everything
        raised REAL NOT NULL,         -- Unix time, seconds
        since REAL NOT NULL,          -- when it began to move
        was REAL NOT NULL,
        now REAL NOT NULL,
        sure REAL NOT NULL,           -- 0 to 1
        what TEXT NOT NULL,
        todo TEXT NOT NULL,
        requests TEXT NOT NULL,       -- JSON: ids of some that show it
        recovered REAL,               -- Unix time; NULL: still open
        told REAL,                    -- when its webhooks and the log were told; NULL: not yet
        told_over REAL                -- when they were told that it is over; NULL: not yet
    );
    CREATE INDEX alerts_raised ON alerts (raised);
    CREATE UNIQUE INDEX alerts_open ON alerts (watch, subject) WHERE recovered IS NULL;
    CREATE TABLE hours (              -- what the watches keep of each hour of the log
        hour INTEGER PRIMARY KEY,     -- since the Unix epoch
        tally BLOB NOT NULL           -- MessagePack: counts
    );
    CREATE TABLE watchers (           -- which of several processes looks at what is watched
        what TEXT PRIMARY KEY,
        holder TEXT NOT NULL,
        until REAL NOT NULL           -- Unix time
    );
    CREATE TABLE signoffs (           -- a task's row of the worksheet was looked at again by a person
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,             -- Unix time, seconds
        task TEXT NOT NULL,
        "by" TEXT NOT NULL,
        why TEXT NOT NULL,
        facts TEXT NOT NULL           -- JSON: what held then (prices, pass rates, latency, share, prompts), for the next look to compare
    );
    CREATE INDEX signoffs_task ON signoffs (task, at);
    """,
)
"""Append-only: a released script is never changed."""
