-- Why: a service that was there before comes under a golden path. It gets the files that somebody ticked, keeps its own others, and is offered later
-- versions of what it follows only.
ALTER TABLE onboardings
  -- Of a service that was there before: its repository and the commit that was looked at.
  ADD COLUMN adopted jsonb;
ALTER TABLE onboarding_files
  -- delivered: the golden path brings it; there: the repository had the same; apart: the repository has its own, or none.
  ADD COLUMN part text NOT NULL DEFAULT 'delivered' CHECK (part IN ('delivered', 'there', 'apart')),
  -- Of a file apart that says something to the portal: what the repository has in its place.
  ADD COLUMN found text;
