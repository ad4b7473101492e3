-- Least privilege for syncer, drift and console on one Postgres server. Run it as the owner of the database (the role of the syncer,
-- which makes the schema), after the syncer's first start and after every upgrade:
--
--   psql "$SYNCER_DATABASE_URL" --file adapters/store/grants.sql
--
-- then give the two roles a password (ALTER ROLE firebreak_drift LOGIN PASSWORD '…'), and their URLs to drift and console. The queue
-- must be Redis: a queue in the database belongs to its owner.
--
-- What these roles cannot do: say which revision is in force, ask for anything in the name of the API (drift), approve, hold or plan
-- pull requests, change what a target has or who feeds it, or have anything signed into the log but what was seen and who was told.

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['firebreak_drift', 'firebreak_console'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    END IF;
  END LOOP;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA firebreak FROM PUBLIC, firebreak_drift, firebreak_console;
GRANT USAGE ON SCHEMA firebreak TO firebreak_drift, firebreak_console;

-- Both read what they compare or show.
GRANT SELECT ON
  firebreak.migrations, firebreak.instance, firebreak.counters, firebreak.revisions, firebreak.repository, firebreak.targets,
  firebreak.work, firebreak.findings, firebreak.memberships, firebreak.deliveries, firebreak.notices, firebreak.notice_members,
  firebreak.proposals, firebreak.proposal_members, firebreak.pulls, firebreak.entries_pending, firebreak.processes
  TO firebreak_drift, firebreak_console;

-- Drift reads a commit from the copy that is kept here when Git does not answer.
GRANT SELECT ON firebreak.commits TO firebreak_drift;

-- Both say that they live, and what they lack.
GRANT INSERT, UPDATE ON firebreak.processes TO firebreak_drift, firebreak_console;

-- The eyes: findings and what follows from them; that a target was read; a repair is asked for as work.
GRANT INSERT, UPDATE ON firebreak.findings, firebreak.deliveries, firebreak.work TO firebreak_drift;
GRANT INSERT, UPDATE, DELETE ON
  firebreak.notices, firebreak.notice_members, firebreak.proposals, firebreak.proposal_members TO firebreak_drift;
GRANT UPDATE (last_read_at, last_read_ok_at, read_error, observation_digest, denials) ON firebreak.targets TO firebreak_drift;

-- The API: it asks, under a seal that the syncer checks, and lets refused notices go again.
GRANT SELECT ON firebreak.requests TO firebreak_console;
GRANT INSERT (id, kind, args, actor, created_at, mac) ON firebreak.requests TO firebreak_console;
GRANT UPDATE ON firebreak.notices TO firebreak_console;

-- Nobody but the owner reads or writes approvals: firebreak.approvals has no grant.

-- Entries for the log: only of types that these may write; the column written_by is the server's own word for who did.
GRANT INSERT (id, input, created_at) ON firebreak.entries_pending TO firebreak_drift, firebreak_console;
ALTER TABLE firebreak.entries_pending ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS seen ON firebreak.entries_pending;
CREATE POLICY seen ON firebreak.entries_pending FOR SELECT TO firebreak_drift, firebreak_console USING (true);
DROP POLICY IF EXISTS drift_tells ON firebreak.entries_pending;
CREATE POLICY drift_tells ON firebreak.entries_pending FOR INSERT TO firebreak_drift WITH CHECK (
  input->>'type' IN ('finding.opened', 'finding.updated', 'finding.resolved', 'target.unreachable', 'target.recovered',
                     'watch.gap', 'alert.sent', 'alert.failed', 'auth.denied'));
DROP POLICY IF EXISTS console_tells ON firebreak.entries_pending;
CREATE POLICY console_tells ON firebreak.entries_pending FOR INSERT TO firebreak_console WITH CHECK (input->>'type' = 'auth.denied');
