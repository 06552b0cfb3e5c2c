-- Why: at a million deployments these reads must not walk the table: what was left on a binding (the observer asks for each
-- binding in each round), the deployments of one service or one environment, newest first.
CREATE INDEX deployments_binding ON deployments (binding_id, created_at DESC, id DESC);
CREATE INDEX deployments_service_newest ON deployments (service_key, id DESC);
CREATE INDEX deployments_environment_newest ON deployments (environment_id, id DESC);
