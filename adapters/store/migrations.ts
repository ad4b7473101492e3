/** One step of the schema; steps are only ever added, never changed. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

const FIRST: readonly string[] = [
  `CREATE TABLE firebreak.instance (one int PRIMARY KEY CHECK (one = 1), id text NOT NULL)`,
  `CREATE TABLE firebreak.counters (name text PRIMARY KEY, value bigint NOT NULL)`,
  `INSERT INTO firebreak.counters (name, value) VALUES ('revision', 0), ('membership', 0)`,
  `CREATE TABLE firebreak.revisions (
     sequence bigint PRIMARY KEY,
     commit text NOT NULL,
     tree text NOT NULL,
     parent text,
     actor text NOT NULL,
     author text NOT NULL,
     committer text NOT NULL,
     subject text NOT NULL,
     accepted_at bigint NOT NULL)`,
  `CREATE INDEX revisions_commit ON firebreak.revisions (commit)`,
  `CREATE TABLE firebreak.repository (
     one int PRIMARY KEY CHECK (one = 1),
     head text,
     fetched_at bigint,
     fetch_ok_at bigint,
     error jsonb,
     candidate jsonb,
     held jsonb)`,
  `INSERT INTO firebreak.repository (one) VALUES (1)`,
  `CREATE TABLE firebreak.requests (
     id text PRIMARY KEY,
     kind text NOT NULL,
     args jsonb,
     actor text NOT NULL,
     created_at bigint NOT NULL,
     taken_at bigint,
     taken_until timestamptz,
     done_at bigint,
     result jsonb,
     error jsonb)`,
  `CREATE INDEX requests_open ON firebreak.requests (created_at) WHERE done_at IS NULL`,
  `CREATE TABLE firebreak.targets (
     id text PRIMARY KEY,
     mode text NOT NULL,
     labels jsonb NOT NULL,
     in_git boolean NOT NULL DEFAULT true,
     orphaned_at_sequence bigint,
     identity text,
     enforcer text,
     wanted_sequence bigint,
     wanted_at bigint,
     applied_sequence bigint,
     applied_plan text,
     applied_at bigint,
     generation bigint NOT NULL DEFAULT 0,
     applied_inputs jsonb,
     membership_digest text,
     intent jsonb,
     observation_digest text,
     last_read_at bigint,
     last_read_ok_at bigint,
     read_error jsonb,
     last_error jsonb,
     next_attempt_at bigint,
     failures int NOT NULL DEFAULT 0,
     segments int NOT NULL DEFAULT 0,
     rules int NOT NULL DEFAULT 0,
     lease_owner text,
     lease_until timestamptz,
     fencing bigint NOT NULL DEFAULT 0,
     notes jsonb NOT NULL DEFAULT '[]')`,
  `CREATE TABLE firebreak.work (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     target text NOT NULL,
     kind text NOT NULL,
     key text NOT NULL,
     detail jsonb,
     created_at bigint NOT NULL,
     not_before bigint NOT NULL,
     touched int NOT NULL DEFAULT 0,
     closed_at bigint,
     outcome text)`,
  `CREATE UNIQUE INDEX work_open ON firebreak.work (target, kind, key) WHERE closed_at IS NULL`,
  `CREATE INDEX work_closed ON firebreak.work (closed_at) WHERE closed_at IS NOT NULL`,
  `CREATE TABLE firebreak.findings (
     fingerprint text PRIMARY KEY,
     target text NOT NULL,
     kind text NOT NULL,
     severity text NOT NULL,
     subject text NOT NULL,
     summary text NOT NULL,
     effect jsonb NOT NULL,
     who text,
     at jsonb,
     healable boolean NOT NULL,
     widens boolean NOT NULL,
     foreign_object boolean NOT NULL,
     first_seen bigint NOT NULL,
     last_seen bigint NOT NULL,
     resolved_at bigint,
     opened_count int NOT NULL DEFAULT 1,
     heal_times jsonb NOT NULL DEFAULT '[]',
     stopped boolean NOT NULL DEFAULT false,
     issue_ref text)`,
  `CREATE INDEX findings_target ON firebreak.findings (target, kind)`,
  `CREATE TABLE firebreak.memberships (
     target text PRIMARY KEY,
     segments jsonb NOT NULL,
     complete boolean NOT NULL,
     observed_at bigint NOT NULL,
     digest text NOT NULL,
     version bigint NOT NULL)`,
  `CREATE TABLE firebreak.deliveries (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     fingerprint text NOT NULL,
     channel text NOT NULL,
     event text NOT NULL,
     payload jsonb NOT NULL,
     created_at bigint NOT NULL,
     attempts int NOT NULL DEFAULT 0,
     next_attempt_at bigint NOT NULL,
     delivered_at bigint,
     last_error jsonb)`,
  `CREATE INDEX deliveries_open ON firebreak.deliveries (channel, fingerprint, id) WHERE delivered_at IS NULL`,
  `CREATE TABLE firebreak.entries_pending (
     id text PRIMARY KEY,
     position bigint GENERATED ALWAYS AS IDENTITY,
     input jsonb NOT NULL,
     created_at bigint NOT NULL,
     seq bigint,
     integrated_at bigint)`,
  `CREATE INDEX entries_pending_open ON firebreak.entries_pending (position) WHERE integrated_at IS NULL`,
];

const NOTICES: readonly string[] = [
  `CREATE TABLE firebreak.notices (
     id text PRIMARY KEY,
     channel text NOT NULL,
     group_key text NOT NULL,
     timing jsonb NOT NULL,
     since bigint NOT NULL,
     told jsonb,
     ref text,
     sending jsonb,
     attempts int NOT NULL DEFAULT 0,
     due_at bigint,
     dead_at bigint,
     last_error jsonb)`,
  `CREATE INDEX notices_due ON firebreak.notices (due_at) WHERE due_at IS NOT NULL`,
  `CREATE TABLE firebreak.notice_members (
     notice text NOT NULL REFERENCES firebreak.notices (id) ON DELETE CASCADE,
     fingerprint text NOT NULL,
     channel text NOT NULL,
     severity text NOT NULL,
     changed_at bigint NOT NULL,
     resolved boolean NOT NULL,
     told_ended boolean NOT NULL DEFAULT false,
     digest text NOT NULL,
     opened_at jsonb NOT NULL,
     incident jsonb NOT NULL,
     PRIMARY KEY (notice, fingerprint))`,
  `CREATE INDEX notice_members_of ON firebreak.notice_members (channel, fingerprint)`,
];

const PROPOSALS: readonly string[] = [
  `ALTER TABLE firebreak.findings ADD COLUMN adoption jsonb`,
  `CREATE TABLE firebreak.proposals (
     cause text PRIMARY KEY,
     state text NOT NULL,
     memory jsonb NOT NULL,
     opened_at bigint NOT NULL,
     seen_at bigint NOT NULL,
     due_at bigint,
     attempts int NOT NULL DEFAULT 0,
     last_error jsonb)`,
  `CREATE INDEX proposals_due ON firebreak.proposals (due_at) WHERE due_at IS NOT NULL`,
  `CREATE TABLE firebreak.proposal_members (
     cause text NOT NULL REFERENCES firebreak.proposals (cause) ON DELETE CASCADE,
     fingerprint text NOT NULL,
     resolved boolean NOT NULL,
     healed boolean NOT NULL,
     finding jsonb NOT NULL,
     PRIMARY KEY (cause, fingerprint))`,
  `CREATE INDEX proposal_members_of ON firebreak.proposal_members (fingerprint)`,
];

/** Where a finding is told is asked for at each of its changes. */
const NOTICES_BY_FINDING: readonly string[] = [
  `CREATE INDEX notice_members_finding ON firebreak.notice_members (fingerprint) WHERE NOT told_ended`,
  `CREATE INDEX deliveries_finding ON firebreak.deliveries (fingerprint) WHERE delivered_at IS NULL`,
];

const PULLS: readonly string[] = [
  `CREATE TABLE firebreak.pulls (
     number bigint PRIMARY KEY,
     head text NOT NULL,
     author text NOT NULL,
     url text NOT NULL,
     plan text,
     comment_id bigint,
     full_head text,
     held jsonb,
     seen_comment bigint NOT NULL DEFAULT 0,
     seen_at text,
     answers jsonb NOT NULL DEFAULT '[]',
     updated_at bigint NOT NULL)`,
  `CREATE TABLE firebreak.approvals (
     pull bigint NOT NULL,
     head text NOT NULL,
     who text NOT NULL,
     via text NOT NULL,
     plan text,
     at bigint NOT NULL,
     PRIMARY KEY (pull, head, via, who))`,
];

const PROCESSES: readonly string[] = [
  `CREATE TABLE firebreak.processes (
     role text PRIMARY KEY,
     start text NOT NULL,
     troubles jsonb NOT NULL,
     seen_at timestamptz NOT NULL)`,
];

/** Who asked, and who wrote: see services/request-seal.ts and adapters/trail/relay.ts. */
const SEALS: readonly string[] = [
  `ALTER TABLE firebreak.requests ADD COLUMN mac text`,
  `ALTER TABLE firebreak.entries_pending ADD COLUMN written_by text NOT NULL DEFAULT session_user`,
];

const OVER_BUDGET: readonly string[] = [
  `ALTER TABLE firebreak.pulls ADD COLUMN over_budget_key text, ADD COLUMN over_budget_why text`,
];

const WATCHED: readonly string[] = [
  `ALTER TABLE firebreak.processes ADD COLUMN watched_at timestamptz, ADD COLUMN gaps jsonb NOT NULL DEFAULT '[]'`,
];

const KEPT_COMMITS: readonly string[] = [
  `CREATE TABLE firebreak.commits (
     commit text PRIMARY KEY,
     bundle bytea NOT NULL)`,
];

const DENIALS: readonly string[] = [`ALTER TABLE firebreak.targets ADD COLUMN denials jsonb`];

/** The schema, oldest step first. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "first", statements: FIRST },
  { version: 2, name: "notices", statements: NOTICES },
  { version: 3, name: "notices by finding", statements: NOTICES_BY_FINDING },
  { version: 4, name: "pulls", statements: PULLS },
  { version: 5, name: "proposals", statements: PROPOSALS },
  { version: 6, name: "processes", statements: PROCESSES },
  { version: 7, name: "seals", statements: SEALS },
  { version: 8, name: "pulls over budget", statements: OVER_BUDGET },
  { version: 9, name: "times nobody watched", statements: WATCHED },
  { version: 10, name: "copies of commits", statements: KEPT_COMMITS },
  { version: 11, name: "denials", statements: DENIALS },
];

/** What this version understands; a database beyond it was made by a newer Firebreak. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0;
