-- What belongs to the store as a whole.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE counter (
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE event (
    position BIGINT IDENTITY,
    transaction_number BIGINT TRANSACTION,
    event_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    subject TEXT NOT NULL,
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX event_by_transaction ON event (transaction_number, position);

CREATE TABLE command (
    workspace_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    client_id TEXT NOT NULL,
    digest BYTEA NOT NULL,
    attempt_id TEXT NOT NULL,
    conversation_id TEXT,
    entry_id TEXT,
    seq BIGINT,
    public_seq BIGINT,
    sent_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, principal, client_id)
);
CREATE INDEX command_by_time ON command (sent_at_ms);

CREATE TABLE timer (
    workspace_id TEXT NOT NULL,
    timer_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, timer_id)
);
CREATE UNIQUE INDEX timer_of_conversation ON timer (workspace_id, conversation_id, kind);
CREATE INDEX timer_by_time ON timer (due_at_ms, timer_id);
