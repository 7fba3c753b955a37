UPDATE visitor SET browser_json = 'spoilt' WHERE workspace_id = $1 AND visitor_id = $2
