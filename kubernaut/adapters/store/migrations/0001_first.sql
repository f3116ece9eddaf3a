-- Times are whole microseconds since 1970-01-01 UTC. Documents are JSON of the domain's values.
-- A remediation's columns are small and change often; its document is large and changes seldom: two tables.

CREATE TABLE remediation (
    id            TEXT PRIMARY KEY,
    fingerprint   TEXT NOT NULL,
    cluster       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    namespace     TEXT NOT NULL,
    name          TEXT NOT NULL,
    environment   TEXT NOT NULL,
    priority      TEXT NOT NULL,
    assessment    TEXT NOT NULL,
    imperative    TEXT,                 -- phase of the imperative track, NULL when there is none
    gitops        TEXT,                 -- phase of the GitOps track, NULL when there is none
    phase         TEXT NOT NULL,        -- derived from the three above
    active        INTEGER NOT NULL,     -- derived: holds its fingerprint
    needs_you     INTEGER NOT NULL,     -- derived
    sort_rank     INTEGER NOT NULL,     -- derived: 0 needs a person, 1 runs, 2 is done
    wake_at       INTEGER,              -- of the assessment
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    signal        TEXT NOT NULL,
    severity      INTEGER NOT NULL,     -- 0 is the loudest
    signal_count  INTEGER NOT NULL,
    first_seen    INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    occurrence    TEXT NOT NULL,
    resolved_at   INTEGER,
    haystack      TEXT NOT NULL,        -- lower-case text that a listing's words are looked for in
    version       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX remediation_one_active ON remediation (fingerprint) WHERE active = 1;
CREATE INDEX remediation_fingerprint ON remediation (fingerprint, created_at);
CREATE INDEX remediation_wake ON remediation (priority, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX remediation_owner ON remediation (cluster, kind, namespace, name, created_at);
CREATE INDEX remediation_order ON remediation (sort_rank, severity, created_at DESC, id, phase);

CREATE TABLE document (
    remediation_id TEXT PRIMARY KEY REFERENCES remediation (id),
    doc            BLOB NOT NULL
);

-- Every firing that belongs to a remediation, so that its repeats are known for what they are.
CREATE TABLE occurrence (
    fingerprint    TEXT NOT NULL,
    occurrence     TEXT NOT NULL,
    remediation_id TEXT NOT NULL REFERENCES remediation (id),
    source         TEXT NOT NULL,
    resolved_at    INTEGER,
    PRIMARY KEY (occurrence, fingerprint, remediation_id)
) WITHOUT ROWID;

CREATE INDEX occurrence_remediation ON occurrence (remediation_id, occurrence);

CREATE TABLE track (
    id             TEXT PRIMARY KEY,
    remediation_id TEXT NOT NULL REFERENCES remediation (id),
    kind           TEXT NOT NULL,
    phase          TEXT NOT NULL,
    priority       TEXT NOT NULL,       -- the remediation's, so that one index finds what is due
    wake_at        INTEGER,
    doc            BLOB NOT NULL,
    version        INTEGER NOT NULL,
    UNIQUE (remediation_id, kind)
);

CREATE INDEX track_wake ON track (priority, wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE step (
    track_id TEXT NOT NULL REFERENCES track (id),
    position INTEGER NOT NULL,
    step_id  TEXT NOT NULL,
    phase    TEXT NOT NULL,
    doc      BLOB NOT NULL,
    PRIMARY KEY (track_id, position)
) WITHOUT ROWID;

CREATE TABLE approval (
    id             TEXT PRIMARY KEY,
    remediation_id TEXT NOT NULL REFERENCES remediation (id),
    track_id       TEXT NOT NULL,
    phase          TEXT NOT NULL,
    expires_at     INTEGER NOT NULL,
    doc            BLOB NOT NULL,
    version        INTEGER NOT NULL
);

CREATE INDEX approval_phase ON approval (phase, expires_at);
CREATE INDEX approval_remediation ON approval (remediation_id, expires_at);

CREATE TABLE vote (
    approval_id TEXT NOT NULL REFERENCES approval (id),
    position    INTEGER NOT NULL,
    principal   TEXT NOT NULL,
    verdict     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (approval_id, position),
    UNIQUE (approval_id, principal)
) WITHOUT ROWID;

CREATE TABLE journal (
    seq            INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    kind           TEXT NOT NULL,
    message        TEXT NOT NULL,
    actor          TEXT NOT NULL,
    remediation_id TEXT NOT NULL,
    track          TEXT NOT NULL,
    data           BLOB NOT NULL,
    previous_hash  TEXT NOT NULL,
    hash           TEXT NOT NULL
);

CREATE INDEX journal_remediation ON journal (remediation_id, seq) WHERE remediation_id <> '';

CREATE TRIGGER journal_keeps_entries BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_loses_nothing BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    TEXT NOT NULL,
    key        TEXT NOT NULL,
    payload    BLOB NOT NULL,
    attempt    INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL,
    error      TEXT NOT NULL DEFAULT '',
    done_at    INTEGER,
    UNIQUE (channel, key)
);

CREATE INDEX outbox_due ON outbox (due_at) WHERE done_at IS NULL;

-- Work claimed by one of several replicas; `fence` grows with every new holder.
CREATE TABLE lease (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    fence      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
