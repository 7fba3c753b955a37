CREATE TABLE workspace (
    workspace_id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    change_id TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE setting (
    workspace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value_json TEXT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE account (
    user_id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_by_email ON account (email_folded);

CREATE TABLE agent (
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    change_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    deactivated_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, agent_id)
);
CREATE UNIQUE INDEX agent_by_user ON agent (user_id, workspace_id);

CREATE TABLE agent_grant (
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    permission TEXT NOT NULL,
    PRIMARY KEY (workspace_id, agent_id, permission)
);

-- Small, and replaced with the member in one transaction: so it is no file.
CREATE TABLE agent_picture (
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    picture_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, agent_id)
);
CREATE UNIQUE INDEX agent_picture_by_id ON agent_picture (picture_id);

CREATE TABLE invitation (
    workspace_id TEXT NOT NULL,
    invitation_id TEXT NOT NULL,
    change_id TEXT NOT NULL,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    role TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    archived_at_ms BIGINT,
    PRIMARY KEY (workspace_id, invitation_id)
);
CREATE INDEX invitation_by_expiry ON invitation (expires_at_ms);
CREATE UNIQUE INDEX invitation_by_token ON invitation (token_hash);
CREATE UNIQUE INDEX invitation_open_by_email ON invitation (workspace_id, email_folded) WHERE archived_at_ms IS NULL;

CREATE TABLE login_session (
    session_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    address TEXT NOT NULL,
    country TEXT,
    user_agent TEXT NOT NULL
);
CREATE UNIQUE INDEX login_session_by_secret ON login_session (secret_hash);
CREATE INDEX login_session_by_expiry ON login_session (expires_at_ms);
CREATE INDEX login_session_by_user ON login_session (user_id, created_at_ms);

CREATE TABLE failed_login (
    failed_login_id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT,
    at_ms BIGINT NOT NULL,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    address TEXT NOT NULL,
    country TEXT,
    user_agent TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX failed_login_by_workspace ON failed_login (workspace_id, at_ms, failed_login_id);
CREATE INDEX failed_login_by_address ON failed_login (address, at_ms);
CREATE INDEX failed_login_by_email ON failed_login (email_folded, at_ms);
CREATE INDEX failed_login_by_time ON failed_login (at_ms);

CREATE TABLE site (
    workspace_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    change_id TEXT NOT NULL,
    name TEXT NOT NULL,
    domain TEXT NOT NULL,
    description TEXT NOT NULL,
    allowed_origins_json TEXT NOT NULL,
    theme_json TEXT NOT NULL,
    after_close TEXT NOT NULL,
    reopen_within_ms BIGINT NOT NULL,
    identity_required BOOLEAN NOT NULL,
    overrides_json TEXT NOT NULL,
    archived_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, site_id)
);
CREATE UNIQUE INDEX site_by_key ON site (site_id);

CREATE TABLE site_secret (
    workspace_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    secret_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    secret BYTEA NOT NULL,
    hint TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    PRIMARY KEY (workspace_id, site_id, secret_id)
);
CREATE INDEX site_secret_by_expiry ON site_secret (expires_at_ms);

CREATE TABLE identity_key (
    workspace_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    identity_key_id TEXT NOT NULL,
    public_key BYTEA NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    PRIMARY KEY (workspace_id, site_id, identity_key_id)
);
CREATE INDEX identity_key_by_expiry ON identity_key (expires_at_ms);

CREATE TABLE api_key (
    workspace_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    change_id TEXT NOT NULL,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    scopes_json TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT,
    expires_at_ms BIGINT,
    archived_at_ms BIGINT,
    PRIMARY KEY (workspace_id, key_id)
);
CREATE UNIQUE INDEX api_key_by_hash ON api_key (key_hash);
CREATE INDEX api_key_by_expiry ON api_key (expires_at_ms) WHERE archived_at_ms IS NULL;

CREATE TABLE canned_response (
    workspace_id TEXT NOT NULL,
    canned_response_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    change_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    nickname TEXT NOT NULL,
    nickname_folded TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, canned_response_id)
);
CREATE INDEX canned_response_by_owner ON canned_response (workspace_id, owner);
CREATE UNIQUE INDEX canned_response_by_nickname ON canned_response (workspace_id, owner, nickname_folded) WHERE nickname_folded <> '';

CREATE TABLE saved_view (
    workspace_id TEXT NOT NULL,
    saved_view_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    change_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    list_json TEXT NOT NULL,
    PRIMARY KEY (workspace_id, saved_view_id)
);
CREATE UNIQUE INDEX saved_view_by_name ON saved_view (workspace_id, owner, name_folded);

CREATE TABLE blocked_address (
    workspace_id TEXT NOT NULL,
    blocked_address_id TEXT NOT NULL,
    change_id TEXT NOT NULL,
    network TEXT NOT NULL,
    reason TEXT NOT NULL,
    agent_id TEXT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, blocked_address_id)
);
CREATE UNIQUE INDEX blocked_address_by_network ON blocked_address (workspace_id, network);

CREATE TABLE audit_entry (
    workspace_id TEXT NOT NULL,
    audit_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    fields_json TEXT NOT NULL,
    PRIMARY KEY (workspace_id, audit_id)
);
CREATE INDEX audit_entry_by_time ON audit_entry (workspace_id, at_ms, audit_id);
CREATE INDEX audit_entry_by_target ON audit_entry (workspace_id, target);

CREATE TABLE audit_value (
    workspace_id TEXT NOT NULL,
    audit_id TEXT NOT NULL,
    changes_json TEXT,
    address TEXT,
    PRIMARY KEY (workspace_id, audit_id)
);

CREATE TABLE job (
    workspace_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject_json TEXT NOT NULL,
    attempt_count BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, job_id)
);
CREATE INDEX job_by_due ON job (due_at_ms);

CREATE TABLE node (
    node_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    seat TEXT NOT NULL,
    is_alone BOOLEAN NOT NULL,
    bus TEXT NOT NULL,
    version TEXT NOT NULL,
    renewal BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    renewed_at_ms BIGINT NOT NULL,
    files TEXT NOT NULL,
    settings_json TEXT NOT NULL
);
