-- Why: what runs may be changed past the portal; the last look tells where it differs from what was deployed here.
-- Without a default and nullable, so that the version before goes on writing this table.
SET LOCAL lock_timeout = '5s';
ALTER TABLE binding_states ADD COLUMN drift jsonb;
-- The deployment that what runs is compared with.
CREATE INDEX deployments_recorded ON deployments (binding_id, created_at DESC, id DESC) WHERE recorded_after IS NOT NULL;
