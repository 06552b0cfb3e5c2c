-- Why: what the server says is read in French and in English. Beside the English words stands the text with its arguments, from which both
-- are made. NULL in the rows of before: they keep their words.
ALTER TABLE deployment_events ADD COLUMN said jsonb;
ALTER TABLE deployment_steps ADD COLUMN said jsonb;
ALTER TABLE binding_states ADD COLUMN health_said jsonb;
