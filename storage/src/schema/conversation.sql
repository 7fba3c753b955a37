-- Conversations and what is said in them.

CREATE TABLE conversation (
    workspace_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    version BIGINT NOT NULL,
    channel TEXT NOT NULL,
    site_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    visitor_id TEXT,
    state TEXT NOT NULL,
    handler TEXT NOT NULL,
    pen_side TEXT NOT NULL,
    fence BIGINT NOT NULL,
    assignee_id TEXT,
    department_id TEXT,
    priority BIGINT NOT NULL,
    language TEXT,
    previous_id TEXT,
    waiting_on TEXT NOT NULL,
    waiting_since_at_ms BIGINT NOT NULL,
    snoozed_until_ms BIGINT,
    spam BOOLEAN NOT NULL,
    seq BIGINT NOT NULL,
    public_seq BIGINT NOT NULL,
    customer_seq BIGINT NOT NULL,
    preview_entry_id TEXT,
    preview_from_customer BOOLEAN NOT NULL,
    preview_text TEXT NOT NULL,
    preview_attachment_count BIGINT NOT NULL,
    preview_sent_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    active_at_ms BIGINT NOT NULL,
    active_slot BIGINT NOT NULL,
    closed_at_ms BIGINT,
    PRIMARY KEY (workspace_id, conversation_id)
);
CREATE UNIQUE INDEX conversation_by_number ON conversation (workspace_id, number);
-- None of these holds what every message changes. Within a slot, lists are sorted when they are read.
CREATE INDEX conversation_alive ON conversation (workspace_id, active_slot) WHERE state <> 'closed';
CREATE INDEX conversation_of_agent ON conversation (workspace_id, assignee_id, active_slot)
    WHERE state <> 'closed';
CREATE INDEX conversation_closed ON conversation (workspace_id, active_slot) WHERE state = 'closed';
CREATE INDEX conversation_spam ON conversation (workspace_id, active_slot) WHERE spam;
CREATE INDEX conversation_of_contact ON conversation (workspace_id, contact_id, created_at_ms);
CREATE INDEX conversation_of_visitor ON conversation (workspace_id, visitor_id, created_at_ms);

CREATE TABLE participant (
    workspace_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    party TEXT NOT NULL,
    joined_at_ms BIGINT,
    left_at_ms BIGINT,
    delivered_seq BIGINT NOT NULL,
    read_seq BIGINT NOT NULL,
    marked_at_ms BIGINT,
    PRIMARY KEY (workspace_id, conversation_id, party)
);

CREATE TABLE entry (
    workspace_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    public_seq BIGINT,
    entry_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    author_kind TEXT NOT NULL,
    author_id TEXT,
    author_contact_id TEXT,
    client_id TEXT,
    target_id TEXT,
    previous_id TEXT,
    params_json TEXT NOT NULL,
    sent_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, seq)
);
CREATE UNIQUE INDEX entry_by_id ON entry (workspace_id, entry_id);
CREATE UNIQUE INDEX entry_by_public_seq ON entry (workspace_id, conversation_id, public_seq)
    WHERE public_seq IS NOT NULL;

CREATE TABLE message (
    workspace_id TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    format TEXT NOT NULL,
    body TEXT NOT NULL,
    words TEXT,
    language TEXT,
    reply_to_id TEXT,
    edited_at_ms BIGINT,
    deleted_at_ms BIGINT,
    PRIMARY KEY (workspace_id, entry_id)
);
-- What the search does not know yet: words are looked for after the message was stored.
CREATE INDEX message_without_words ON message (entry_id) WHERE words IS NULL;

-- What is asked of members of the team: notes that name them, conversations that others gave them.
CREATE TABLE todo (
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    read_at_ms BIGINT,
    done_at_ms BIGINT,
    PRIMARY KEY (workspace_id, agent_id, entry_id)
);
CREATE INDEX todo_open ON todo (workspace_id, agent_id, at_ms, entry_id) WHERE done_at_ms IS NULL;
CREATE INDEX todo_done ON todo (workspace_id, agent_id, at_ms, entry_id) WHERE done_at_ms IS NOT NULL;
CREATE INDEX todo_of_conversation ON todo (workspace_id, agent_id, conversation_id, seq);

CREATE TABLE attachment (
    workspace_id TEXT NOT NULL,
    attachment_id TEXT NOT NULL,
    uploader TEXT NOT NULL,
    conversation_id TEXT,
    entry_id TEXT,
    position BIGINT,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    width BIGINT,
    height BIGINT,
    hash TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    stored_at_ms BIGINT,
    deleted_at_ms BIGINT,
    PRIMARY KEY (workspace_id, attachment_id)
);
CREATE INDEX attachment_unclaimed ON attachment (workspace_id, uploader, size_bytes)
    WHERE entry_id IS NULL AND deleted_at_ms IS NULL;
CREATE INDEX attachment_by_age ON attachment (created_at_ms) WHERE entry_id IS NULL AND deleted_at_ms IS NULL;
CREATE INDEX attachment_deleted ON attachment (workspace_id, hash) WHERE deleted_at_ms IS NOT NULL;
CREATE INDEX attachment_of_conversation ON attachment (workspace_id, conversation_id, entry_id);
CREATE INDEX attachment_by_hash ON attachment (workspace_id, hash);

CREATE TABLE blob (
    workspace_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    touch_count BIGINT NOT NULL,
    removing_at_ms BIGINT,
    PRIMARY KEY (workspace_id, hash)
);
CREATE INDEX blob_removing ON blob (workspace_id, hash) WHERE removing_at_ms IS NOT NULL;
