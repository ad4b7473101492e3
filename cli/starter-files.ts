/** The operator's settings, below which keys and state lie. */
export const SETTINGS_NAME = "firebreak.yaml";

/** What `firebreak init` writes, by path: a settings file that says what there is, and definitions that validate and write nothing yet. */
export const STARTER_FILES: Readonly<Record<string, string>> = {
  "firebreak.yaml": `# Settings of the service: the operator's file, kept out of the policy repository.
# Every setting with its default and reason: docs/reference/settings.md. Paths are relative to this file.
# Secrets are given by reference, env:NAME or file:PATH, never literally.

repository:
  # HTTP(S) URL of the Git repository with the definitions, or the path of a local one.
  url: .
  branch: main
  path: policies
  poll: 30s
  # token: env:FIREBREAK_SECRET_GIT
  # webhookSecret: file:webhook.secret      # unset: the push webhook is off

# What definitions may name. Nothing is allowed that is not listed here.
allow:
  contexts: [my-cluster]          # contexts of the kubeconfig below
  hosts: []                       # networks in which hosts may lie, such as 10.20.0.0/16
  users: []                       # SSH users
  local: false                    # the machine that the service runs on, as a host

# From here hosts stay reachable whatever the policies say: your jump hosts, and this machine.
lifeline:
  from: []                        # such as 10.0.0.0/24
  ports: [22/tcp]

kubernetes:
  kubeconfig: kubeconfig.yaml
# ssh:
#   identityFile: id_ed25519
#   knownHosts: known_hosts       # pinned host keys; a host that is not in it is refused
# readOnly:                       # lesser rights for the drift detector
#   kubeconfig: kubeconfig-read.yaml
#   identityFile: id_ed25519-read

# hosts: {settle: 60s, deadMan: 30s, readEvery: 10s}
# clusters: {readEvery: 5m}

# Everything Firebreak keeps: store, audit log, its key, Git cache, API token.
stateFolder: .firebreak
# audit: {origin: firebreak}      # names the log; the key is made on first start

# More than one process: PostgreSQL as the store, Redis as the queue.
# database: env:FIREBREAK_SECRET_DATABASE
# redis: env:FIREBREAK_SECRET_REDIS

# Who is told. Routes in policies/workspace.yaml choose among the channels; without routes all are told everything.
# \`firebreak notify test security\` shows what a channel would be sent, \`--send\` sends it.
# channels:
#   security: {slackBot: {token: env:FIREBREAK_SECRET_SLACK, channel: C0123456789}}
#   oncall: {alertmanager: {url: "http://alertmanager:9093"}}
#   siem: {webhook: {url: "https://siem.example.com/firebreak", secret: env:FIREBREAK_SECRET_SIEM}}
#   shop: {webhook: {urlFrom: env:FIREBREAK_SECRET_TEAMS, template: teams}}      # or mattermost, discord, slack
#   mail: {email: {smtp: env:FIREBREAK_SECRET_SMTP, from: firebreak@example.com, to: [netsec@example.com]}}
# forge: {kind: github, url: "https://api.github.com", repository: owner/name, token: env:FIREBREAK_SECRET_FORGE}

listen: 127.0.0.1:7373            # API, health, metrics
# api: {hostnames: [], token: file:api.token}
# concurrency: 16
# logLevel: info
`,
  ".gitignore": `# Only what is named here goes into the repository: the operator's settings, state, keys and passwords stay out, whatever they are called.
/*
!/.gitignore
!/README.md
!/CODEOWNERS
!/.github/
!/.gitea/
!/.pre-commit-config.yaml
!/package.json
!/package-lock.json
!/policies/
/policies/**
!/policies/**/
!/policies/**/*.yaml
!/policies/**/*.yml
!/policies/**/*.md
`,
  "policies/workspace.yaml": `# What holds for the whole repository. Everything left out has a default; \`firebreak validate\` prints them.
apiVersion: firebreak.dev/v1alpha1
kind: Workspace
spec:
  # Our own addresses: never part of the built-in segment \`internet\`.
  internal: [10.0.0.0/8]
  # What every policy must say.
  require: [owner, reason]
  # What happens when a target drifts: heal puts back what Git says, alert tells the channels of firebreak.yaml, issue writes one per cause.
  # drift: {default: [alert, heal, issue]}
  # Who is told what; the first that matches counts, and what none matches is told everywhere.
  # routes:
  #   - match: {severity: [critical, high]}
  #     channels: [oncall, security]
  #   - match: {teams: [team-shop]}
  #     channels: [shop]
  #     quiet: [{from: "22:00", to: "07:00", zone: Europe/Zurich}]
`,
  "policies/targets.yaml": `# One place that enforces. \`mode: plan\` is safe: it is observed, planned and shown, and never written. Change it to \`apply\` when
# \`firebreak plan\` shows what you want.
apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata:
  name: my-cluster
  labels: {env: dev, cluster: my-cluster}
spec:
  mode: plan
  context: my-cluster
`,
  "policies/segments/web.yaml": `# Who is who, by labels. \`observe\` lets everything pass, and a host remembers what would be denied (\`firebreak denials\`).
# \`enforce\` closes what no rule allows.
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: web}
spec:
  members:
    - pods: {matchLabels: {app: web}}
      namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}
      clusters: {matchLabels: {env: dev}}
  isolate: {ingress: observe, egress: observe}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: database}
spec:
  members:
    - pods: {matchLabels: {app: database}}
      namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}
      clusters: {matchLabels: {env: dev}}
  isolate: {ingress: enforce, egress: observe}
`,
  "policies/policies/shop.yaml": `# Who may talk to whom. Rules only allow; what none allows is closed where a segment is enforced.
apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: shop}
spec:
  owner: team-shop
  reason: the shop keeps its orders in the database
  rules:
    - {from: [web], to: [database], ports: [5432/tcp]}
`,
};
