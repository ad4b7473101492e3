import { describe, expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import { files } from "./files.ts";

/** A NetworkPolicy with this spec, as YAML flow. */
function policy(spec: string, metadata = "{name: p, namespace: a}"): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: ${metadata}\nspec: ${spec}\n`;
}

function admin(spec: string, kind = "AdminNetworkPolicy", name = "p"): string {
  const version = kind === "ClusterNetworkPolicy" ? "v1alpha2" : "v1alpha1";
  return `apiVersion: policy.networking.k8s.io/${version}\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
}

const SUBJECT = "subject: {namespaces: {}}";

/** Each is refused; the words of the reason, and the line it points at. */
const BAD: Readonly<Record<string, readonly [text: string, reason: RegExp, line: number]>> = {
  "broken YAML": ["a: [b\nc: d\n", /not YAML/, 2],
  "a tab as indentation": ["kind: Pod\nmetadata:\n\tname: x\n", /not YAML/, 3],
  "a key twice": [policy("{podSelector: {}, podSelector: {matchLabels: {a: b}}}"), /not YAML: .*twice/, 4],
  "a template": [policy("{podSelector: {{ .Values.x }} }"), /not YAML/, 4],
  "an unknown tag": [policy("!secret x"), /not YAML/, 4],
  "an alias bomb": [bomb(), /aliases/, 1],
  "a merge of what is no mapping": [policy("{<<: [[]], podSelector: {}}"), /what is merged is no mapping/, 4],
  "a text that is no object": ["hello\n", /not a Kubernetes object/, 1],
  "no kind": ["apiVersion: v1\nmetadata: {name: x}\n", /kind is missing/, 1],
  "no apiVersion": ["kind: Pod\nmetadata: {name: x}\n", /apiVersion is missing/, 1],
  "items that are no list": ["apiVersion: v1\nkind: List\nitems: {a: b}\n", /items must be a list/, 3],
  "an item that is no object": ["apiVersion: v1\nkind: List\nitems:\n- 5\n", /not a Kubernetes object/, 4],
  "no name": [policy("{}", "{namespace: a}"), /metadata\.name is missing/, 3],
  "a bad name": [policy("{}", "{name: Not_A_Name}"), /not a name/, 3],
  "a bad namespace": [policy("{}", "{name: p, namespace: A}"), /not a namespace/, 3],
  "an old version of NetworkPolicy": [
    policy("{}").replace("networking.k8s.io/v1", "extensions/v1beta1").replace("extensions", "networking.k8s.io"),
    /not supported/,
    1,
  ],
  "an unknown field of a policy": [policy("{podSelectors: {}}"), /podSelectors is not known/, 4],
  "an unknown field of a rule": [policy("{podSelector: {}, ingress: [{form: []}]}"), /ingress\[0\]\.form is not known/, 4],
  "rules that are no list": [policy("{podSelector: {}, ingress: {from: []}}"), /spec\.ingress must be a list/, 4],
  "an unknown policy type": [policy("{podSelector: {}, policyTypes: [Inbound]}"), /must be Ingress or Egress/, 4],
  "a bad label key": [policy("{podSelector: {matchLabels: {'-a-': b}}}"), /not a label key/, 4],
  "a bad label value": [policy("{podSelector: {matchLabels: {a: 'b c'}}}"), /not a label value/, 4],
  "a number as a label value": [policy("{podSelector: {matchLabels: {a: 5}}}"), /must be a text/, 4],
  "yes as a label value": [policy("{podSelector: {matchLabels: {a: yes}}}"), /must be a text/, 4],
  "an unknown operator": [
    policy("{podSelector: {matchExpressions: [{key: a, operator: Equals, values: [b]}]}}"),
    /operator must be one of/,
    4,
  ],
  "In without values": [policy("{podSelector: {matchExpressions: [{key: a, operator: In}]}}"), /values must not be empty/, 4],
  "Exists with values": [
    policy("{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}"),
    /must be absent with Exists/,
    4,
  ],
  "an empty peer": [policy("{podSelector: {}, ingress: [{from: [{}]}]}"), /must have a podSelector/, 4],
  "a block beside a selector": [
    policy("{podSelector: {}, ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}"),
    /beside a selector/,
    4,
  ],
  "a block that is none": [policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}"), /prefix length/, 4],
  "an address without a length": [policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]}"), /not a CIDR/, 4],
  "a block without a cidr": [
    policy("{podSelector: {}, ingress: [{from: [{ipBlock: {except: [10.0.0.0/8]}}]}]}"),
    /cidr is missing/,
    4,
  ],
  "an exception outside its block": [
    policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}"),
    /must be a part of/,
    4,
  ],
  "an exception as wide as its block": [
    policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}"),
    /must be a part of/,
    4,
  ],
  "port 0": [policy("{podSelector: {}, ingress: [{ports: [{port: 0}]}]}"), /from 1 to 65535/, 4],
  "port 65536": [policy("{podSelector: {}, ingress: [{ports: [{port: 65536}]}]}"), /from 1 to 65535/, 4],
  "a number in quotes as a port": [policy("{podSelector: {}, ingress: [{ports: [{port: '80'}]}]}"), /not the name of a port/, 4],
  "an unknown protocol": [policy("{podSelector: {}, ingress: [{ports: [{protocol: ICMP}]}]}"), /must be one of TCP/, 4],
  "a range that ends before it begins": [
    policy("{podSelector: {}, ingress: [{ports: [{port: 90, endPort: 80}]}]}"),
    /must be 90 or more/,
    4,
  ],
  "an end beside a name": [policy("{podSelector: {}, ingress: [{ports: [{port: web, endPort: 80}]}]}"), /beside a named port/, 4],
  "an end without a port": [policy("{podSelector: {}, ingress: [{ports: [{endPort: 80}]}]}"), /without a port/, 4],
  "two policies of one name": [`${policy("{podSelector: {}}")}---\n${policy("{podSelector: {}}")}`, /is there twice/, 6],
  "a template that is missing": [
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 1}\n",
    /template is missing/,
    4,
  ],
  "containers that are no list": [
    "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: {name: c}}\n",
    /containers must be a list/,
    4,
  ],
  "a container port that is a text": [
    "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{ports: [{containerPort: http}]}]}\n",
    /containerPort must be a number/,
    4,
  ],
  "an address of a pod that is none": [
    "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {}\nstatus: {podIP: 10.0.0}\n",
    /short form/,
    5,
  ],
  "a priority too high": [admin(`{priority: 1001, ${SUBJECT}}`), /from 0 to 1000/, 4],
  "two baselines": [
    `${admin(`{${SUBJECT}}`, "BaselineAdminNetworkPolicy", "default")}---\n${admin(`{${SUBJECT}}`, "BaselineAdminNetworkPolicy", "default")}`,
    /is there twice/,
    6,
  ],
  "a typing error in the kind of a policy": [
    policy("{podSelector: {}}").replace("NetworkPolicy", "NetworkPolicyy"),
    /networking\.k8s\.io\/v1 has no kind NetworkPolicyy/,
    1,
  ],
  "a kind in lower case": [policy("{podSelector: {}}").replace("NetworkPolicy", "networkpolicy"), /has no kind networkpolicy/, 1],
  "a policy of a group that is nobody's": [
    policy("{podSelector: {}}").replace("networking.k8s.io", "networking"),
    /networking\/v1 has no kind NetworkPolicy/,
    1,
  ],
  "a policy of another group of Kubernetes": [
    policy("{podSelector: {}}").replace("networking.k8s.io", "network.k8s.io"),
    /network\.k8s\.io\/v1 has no kind NetworkPolicy/,
    1,
  ],
  "a group without a version": [
    policy("{podSelector: {}}").replace("k8s.io/v1", "k8s.io"),
    /networking\.k8s\.io has no kind NetworkPolicy/,
    1,
  ],
  "a version that never was": [
    "apiVersion: apps/v2\nkind: Deployment\nmetadata: {name: x}\nspec: {}\n",
    /no apiVersion apps\/v2/,
    1,
  ],
  "a workload of the wrong group": [
    "apiVersion: v1\nkind: Deployment\nmetadata: {name: x}\nspec: {}\n",
    /v1 has no kind Deployment/,
    1,
  ],
  "a typing error in the kind of an item": [
    "apiVersion: v1\nkind: PodList\nitems:\n- {apiVersion: v1, kind: Pood, metadata: {name: x}}\n",
    /v1 has no kind Pood/,
    4,
  ],
  "a typing error in the kind of a List": [
    "apiVersion: v1\nkind: PoddList\nitems: [{metadata: {name: x}}]\n",
    /v1 has no kind Podd/,
    3,
  ],
  "brackets without end": [`a: ${"[".repeat(20_000)}\n`, /200 deep/, 1],
  "values as deep as a parser's stack": [`a: ${"{b: ".repeat(5000)}1${"}".repeat(5000)}\n`, /200 deep/, 1],
  "a protocol of a service in lower case": [
    "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 80, protocol: tcp}]}\n",
    /protocol must be one of TCP/,
    4,
  ],
  "a backend without a port": [
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: x}\nspec: {defaultBackend: {service: {name: web}}}\n",
    /must have a name or a number/,
    4,
  ],
  "a backend whose port has a name and a number": [
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: x}\nspec: {defaultBackend: {service: {name: web, port: {name: a, number: 1}}}}\n",
    /must not have both/,
    4,
  ],
  "no priority": [admin(`{${SUBJECT}}`), /priority is missing/, 4],
  "no subject": [admin("{priority: 1}"), /subject is missing/, 4],
  "a subject of both kinds": [
    admin("{priority: 1, subject: {namespaces: {}, pods: {podSelector: {}, namespaceSelector: {}}}}"),
    /exactly one of/,
    4,
  ],
  "an empty subject": [admin("{priority: 1, subject: {}}"), /has none/, 4],
  "an unknown action": [
    admin(`{priority: 1, ${SUBJECT}, ingress: [{action: Drop, from: [{namespaces: {}}]}]}`),
    /action must be one of/,
    4,
  ],
  "no peers": [admin(`{priority: 1, ${SUBJECT}, egress: [{action: Deny, to: []}]}`), /at least one peer/, 4],
  "networks in ingress": [
    admin(`{priority: 1, ${SUBJECT}, ingress: [{action: Deny, from: [{networks: [10.0.0.0/8]}]}]}`),
    /networks is not known/,
    4,
  ],
  "a network that is none": [
    admin(`{priority: 1, ${SUBJECT}, egress: [{action: Deny, to: [{networks: [10.0.0.0]}]}]}`),
    /not a CIDR/,
    4,
  ],
  "a port of two kinds": [
    admin(
      `{priority: 1, ${SUBJECT}, egress: [{action: Deny, to: [{namespaces: {}}], ports: [{namedPort: a, portNumber: {port: 1}}]}]}`,
    ),
    /exactly one of/,
    4,
  ],
  "a range of an admin policy backwards": [
    admin(`{priority: 1, ${SUBJECT}, egress: [{action: Deny, to: [{namespaces: {}}], ports: [{portRange: {start: 9, end: 8}}]}]}`),
    /must be 9 or more/,
    4,
  ],
  "one priority twice": [
    `${admin(`{priority: 1, ${SUBJECT}}`)}---\n${admin(`{priority: 1, ${SUBJECT}}`, "AdminNetworkPolicy", "q")}`,
    /has the priority 1/,
    6,
  ],
  "a baseline that is not default": [admin(`{${SUBJECT}}`, "BaselineAdminNetworkPolicy"), /must be default/, 3],
  "Pass in a baseline": [
    admin(`{${SUBJECT}, ingress: [{action: Pass, from: [{namespaces: {}}]}]}`, "BaselineAdminNetworkPolicy", "default"),
    /must be one of Allow, Deny/,
    4,
  ],
  "an unknown tier": [admin(`{tier: Low, priority: 1, ${SUBJECT}}`, "ClusterNetworkPolicy"), /Admin or Baseline/, 4],
  "Allow where it is Accept": [
    admin(`{tier: Admin, priority: 1, ${SUBJECT}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}`, "ClusterNetworkPolicy"),
    /must be one of Accept/,
    4,
  ],
  "ports where they are protocols": [
    admin(
      `{tier: Admin, priority: 1, ${SUBJECT}, ingress: [{action: Deny, from: [{namespaces: {}}], ports: []}]}`,
      "ClusterNetworkPolicy",
    ),
    /ports is not known/,
    4,
  ],
};

function bomb(): string {
  const levels = ["&a [x, x, x, x, x, x, x, x]", "b", "c", "d", "e", "f", "g"].map((level, index) =>
    index === 0
      ? `- ${level}`
      : `- &${level} [${Array(8)
          .fill(`*${"abcdefg"[index - 1]}`)
          .join(", ")}]`,
  );
  return `${levels.join("\n")}\n`;
}

describe("bad input is refused with a reason and a place (bug: the rest is analysed as if the bad part were absent)", () => {
  test.each(Object.entries(BAD))("%s", (_name, [text, reason, line]) => {
    const good = policy("{podSelector: {}}", "{name: good, namespace: a}");
    const { manifests, notes } = readManifests(files({ "bad.yaml": text, "good.yaml": good }));
    expect(manifests).toBeUndefined();
    const errors = notes.filter(({ severity }) => severity === "error");
    expect(errors.map(({ summary }) => summary).join("\n")).toMatch(reason);
    expect(errors[0]?.at).toMatchObject({ file: "bad.yaml", line });
  });

  test("JSON that is deeper than a stack is refused (bug: a crash on the way to the message)", () => {
    const text = `{"apiVersion": "v1", "kind": "ConfigMap", "data": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    expect(readManifests(files({ "bad.json": text }))).toMatchObject({ manifests: undefined, notes: [{ code: "too-deep" }] });
  });

  test("JSON is refused at its place too", () => {
    const { manifests, notes } = readManifests(files({ "bad.json": '{"kind": "Pod",\n  "metadata": {,}}' }));
    expect(manifests).toBeUndefined();
    expect(notes[0]).toMatchObject({ code: "json-syntax", at: { file: "bad.json", line: 2 } });
    const number = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "p" },
      spec: { ingress: [{ ports: [{ port: 0 }] }] },
    };
    const text = JSON.stringify({ apiVersion: "v1", kind: "List", items: [number] }, undefined, 2);
    expect(readManifests(files({ "bad.json": text })).notes.find(({ severity }) => severity === "error")?.at?.line).toBe(
      text.split("\n").findIndex((line) => line.includes('"port": 0')) + 1,
    );
  });
});
