-- Why: a security fix or a P0 fix goes out although the error budget is spent; which it is stands with the deployment.
ALTER TABLE deployments ADD COLUMN exempt text CHECK (exempt IN ('security_fix', 'p0_fix'));
