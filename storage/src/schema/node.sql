-- What a node says of itself with each renewal of its lease.

ALTER TABLE node ADD COLUMN connection_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN is_draining BOOLEAN NOT NULL DEFAULT FALSE;
