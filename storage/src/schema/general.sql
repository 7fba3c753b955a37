-- What a business says of itself, and the icon of its consoles.

ALTER TABLE workspace ADD COLUMN industry TEXT NOT NULL DEFAULT '';
ALTER TABLE workspace ADD COLUMN currency TEXT NOT NULL DEFAULT '';
ALTER TABLE workspace ADD COLUMN support_hours_json TEXT NOT NULL DEFAULT '{}';

-- As small as a member's picture, and kept as that is.
CREATE TABLE workspace_picture (
    workspace_id TEXT NOT NULL PRIMARY KEY,
    picture_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BYTEA NOT NULL
);
CREATE UNIQUE INDEX workspace_picture_by_id ON workspace_picture (picture_id);
