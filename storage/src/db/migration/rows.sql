-- A workspace in which a visitor asked and a member answered, as a program of the first schema stored it.

INSERT INTO workspace (workspace_id, version, change_id, name, time_zone, created_at_ms) VALUES
    ('wsp_00000000000000000000000001', 2, 'aud_00000000000000000000000001', 'Lamps and Sons', 'UTC', 1795858240790);
INSERT INTO setting (workspace_id, name, value_json) VALUES
    ('wsp_00000000000000000000000001', 'active_threshold_ms', '10000'),
    ('wsp_00000000000000000000000001', 'anonymize_addresses', 'false');
INSERT INTO account (user_id, email, email_folded, password_hash, created_at_ms) VALUES
    ('usr_00000000000000000000000001', 'mira@example.com', 'mira@example.com', '$argon2id$mira', 1795858240790);
INSERT INTO agent (workspace_id, agent_id, version, change_id, user_id, name, role, time_zone, created_at_ms) VALUES
    ('wsp_00000000000000000000000001', 'agt_00000000000000000000000001', 1, 'aud_00000000000000000000000001',
     'usr_00000000000000000000000001', 'Mira', 'owner', 'UTC', 1795858240790);
INSERT INTO site (workspace_id, site_id, version, change_id, name, domain, description, allowed_origins_json, theme_json,
    after_close, reopen_within_ms, identity_required, overrides_json, created_at_ms) VALUES
    ('wsp_00000000000000000000000001', 'site_00000000000000000000000001', 1, 'aud_00000000000000000000000001',
     'First site', '', '', '["loopback"]',
     '{"color":"#0f4c5c","title":"","logo":"","greeting":"Hello!","launcher_side":"end","launcher_gap_px":20,"launcher_text":"","brightness":"system","asks":{"name":"never","email":"never","phone":"never"},"questions":[],"consent":"","asks_email_later":false,"show_brand":true}',
     'start_new', 259200000, FALSE, '{}', 1795858242130);
INSERT INTO node (node_id, name, seat, is_alone, bus, version, renewal, started_at_ms, renewed_at_ms, files, settings_json)
    VALUES ('nod_00000000000000000000000001', 'process 1 on app', 'a', FALSE, '', '0.1.0', 1, 1795858240790, 1795858240790,
     'directory', '{}');
INSERT INTO contact (workspace_id, contact_id, version, change_id, kind, handle, name, name_folded, language, time_zone,
    root_id, created_at_ms, seen_at_ms) VALUES
    ('wsp_00000000000000000000000001', 'con_00000000000000000000000001', 2, '', 'lead', '0CM7', 'Ana', 'ana', 'en', 'UTC',
     'con_00000000000000000000000001', 1795858487824, 1795858487824);
INSERT INTO contact_identity (workspace_id, contact_id, kind, scope, value, value_folded, created_at_ms) VALUES
    ('wsp_00000000000000000000000001', 'con_00000000000000000000000001', 'visitor', '', 'vis_00000000000000000000000001',
     'vis_00000000000000000000000001', 1795858487824);
INSERT INTO visitor (workspace_id, visitor_id, site_id, version, generation, contact_id, proved, open_conversation_id,
    claim_json, browser_json, address, visit_count, created_at_ms, seen_at_ms) VALUES
    ('wsp_00000000000000000000000001', 'vis_00000000000000000000000001', 'site_00000000000000000000000001', 2, 1,
     'con_00000000000000000000000001', FALSE, 'cnv_00000000000000000000000001', '{"name":"Ana"}',
     '{"device":"desktop","name":"Chrome","system":"Linux","language":"en","time_zone":"UTC","country":null,"city":null}',
     '192.0.2.8', 1, 1795858378309, 1795858378309);
INSERT INTO counter (workspace_id, name, value) VALUES ('wsp_00000000000000000000000001', 'conversation', 1);
INSERT INTO conversation (workspace_id, conversation_id, number, version, channel, site_id, contact_id, visitor_id, state,
    handler, pen_side, fence, assignee_id, priority, language, waiting_on, waiting_since_at_ms, spam, seq, public_seq,
    customer_seq, preview_entry_id, preview_from_customer, preview_text, preview_attachment_count, preview_sent_at_ms,
    created_at_ms, active_at_ms, active_slot) VALUES
    ('wsp_00000000000000000000000001', 'cnv_00000000000000000000000001', 1, 2, 'chat', 'site_00000000000000000000000001',
     'con_00000000000000000000000001', 'vis_00000000000000000000000001', 'open', 'human', 'human', 2,
     'agt_00000000000000000000000001', 2, 'en', 'customer', 1795858814645, FALSE, 4, 3, 1,
     'ent_00000000000000000000000004', FALSE, 'It is.', 0, 1795858814645, 1795858487824, 1795858814645, 109610523);
INSERT INTO participant (workspace_id, conversation_id, party, joined_at_ms, delivered_seq, read_seq, marked_at_ms) VALUES
    ('wsp_00000000000000000000000001', 'cnv_00000000000000000000000001', 'customer', NULL, 4, 4, 1795858821349),
    ('wsp_00000000000000000000000001', 'cnv_00000000000000000000000001', 'agt_00000000000000000000000001', 1795858814645,
     4, 4, 1795858853004);
INSERT INTO entry (workspace_id, conversation_id, seq, public_seq, entry_id, kind, author_kind, author_id,
    author_contact_id, client_id, params_json, sent_at_ms) VALUES
    ('wsp_00000000000000000000000001', 'cnv_00000000000000000000000001', 1, 1, 'ent_00000000000000000000000001', 'message',
     'visitor', 'vis_00000000000000000000000001', 'con_00000000000000000000000001', '12754853-3691402632', '{}',
     1795858487824),
    ('wsp_00000000000000000000000001', 'cnv_00000000000000000000000001', 2, 2, 'ent_00000000000000000000000002', 'joined',
     'agent', 'agt_00000000000000000000000001', NULL, NULL, '{"agent_id":"agt_00000000000000000000000001"}', 1795858814645),
    ('wsp_00000000000000000000000001', 'cnv_00000000000000000000000001', 3, NULL, 'ent_00000000000000000000000003',
     'assigned', 'agent', 'agt_00000000000000000000000001', NULL, NULL, '{"agent_id":"agt_00000000000000000000000001"}',
     1795858814645),
    ('wsp_00000000000000000000000001', 'cnv_00000000000000000000000001', 4, 3, 'ent_00000000000000000000000004', 'message',
     'agent', 'agt_00000000000000000000000001', NULL, '4148950649-1919594876', '{}', 1795858814645);
-- The search has not learned the second one yet.
INSERT INTO message (workspace_id, entry_id, conversation_id, format, body, words) VALUES
    ('wsp_00000000000000000000000001', 'ent_00000000000000000000000001', 'cnv_00000000000000000000000001', 'plain',
     'Is it green?', 'green is it wsp00000000000000000000000001'),
    ('wsp_00000000000000000000000001', 'ent_00000000000000000000000004', 'cnv_00000000000000000000000001', 'markdown',
     'It is.', NULL);
INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms) VALUES
    ('evt_00000000000000000000000001', 'wsp_00000000000000000000000001', 'entry.added', 'cnv_00000000000000000000000001', 4,
     1795858814645);
