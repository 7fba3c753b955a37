INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms) VALUES ($1, $2, $3, $4, 0, $5)
