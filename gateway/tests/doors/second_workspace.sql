INSERT INTO workspace (workspace_id, version, change_id, name, time_zone, created_at_ms)
VALUES ($1, 1, 'test', 'Another', 'UTC', 1)
