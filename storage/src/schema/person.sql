-- Visitors, their visits, and the contacts behind them.

CREATE TABLE visitor (
    workspace_id TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    contact_id TEXT,
    proved BOOLEAN NOT NULL,
    blocked_at_ms BIGINT,
    open_conversation_id TEXT,
    claim_json TEXT NOT NULL,
    browser_json TEXT NOT NULL,
    address TEXT,
    visit_count BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL,
    erased_at_ms BIGINT,
    PRIMARY KEY (workspace_id, visitor_id)
);
CREATE INDEX visitor_of_contact ON visitor (workspace_id, contact_id);
CREATE INDEX visitor_by_open_conversation ON visitor (workspace_id, open_conversation_id)
    WHERE open_conversation_id IS NOT NULL;

CREATE TABLE visit (
    workspace_id TEXT NOT NULL,
    visit_id TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    source_json TEXT NOT NULL,
    page_count BIGINT NOT NULL,
    event_count BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    active_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, visit_id)
);
CREATE INDEX visit_of_visitor ON visit (workspace_id, visitor_id, started_at_ms);

CREATE TABLE page_view (
    workspace_id TEXT NOT NULL,
    visit_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    visitor_id TEXT NOT NULL,
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, visit_id, number)
);
CREATE INDEX page_view_of_visitor ON page_view (workspace_id, visitor_id);

CREATE TABLE custom_event (
    position BIGINT IDENTITY,
    workspace_id TEXT NOT NULL,
    visit_id TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    name TEXT NOT NULL,
    properties_json TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX custom_event_of_visitor ON custom_event (workspace_id, visitor_id, visit_id, position);

CREATE TABLE contact (
    workspace_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    change_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    handle TEXT NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    company TEXT,
    language TEXT,
    time_zone TEXT,
    owner_id TEXT,
    merged_into_id TEXT,
    root_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL,
    blocked_at_ms BIGINT,
    erased_at_ms BIGINT,
    PRIMARY KEY (workspace_id, contact_id)
);
CREATE INDEX contact_of_merge ON contact (workspace_id, merged_into_id)
    WHERE merged_into_id IS NOT NULL;
CREATE INDEX contact_by_root ON contact (workspace_id, root_id);

CREATE TABLE contact_identity (
    workspace_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    value_folded TEXT NOT NULL,
    verified_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    archived_at_ms BIGINT,
    PRIMARY KEY (workspace_id, contact_id, kind, scope, value_folded)
);
CREATE UNIQUE INDEX contact_identity_verified ON contact_identity (workspace_id, kind, scope, value_folded)
    WHERE verified_at_ms IS NOT NULL AND archived_at_ms IS NULL;

CREATE TABLE attribute (
    workspace_id TEXT NOT NULL,
    noun TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    name TEXT NOT NULL,
    text_value TEXT,
    number_value DOUBLE PRECISION,
    flag_value BOOLEAN,
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, noun, subject_id, name)
);

CREATE TABLE tag (
    workspace_id TEXT NOT NULL,
    noun TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, noun, subject_id, name)
);
