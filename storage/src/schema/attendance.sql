-- When sign-ins were used: stretches without a longer pause.

CREATE TABLE login_use (
    session_id TEXT NOT NULL,
    began_at_ms BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    ended_at_ms BIGINT NOT NULL,
    PRIMARY KEY (session_id, began_at_ms)
);
CREATE INDEX login_use_by_user ON login_use (user_id, ended_at_ms);
