UPDATE site SET theme_json = '{"spoilt' WHERE workspace_id = $1
