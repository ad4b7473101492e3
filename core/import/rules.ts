import { anyV4, anyV6, isEmpty, isSubset, parsePrefix, fromPrefixes, type AddressSet } from "../address/index.ts";
import {
  allOf,
  equalPorts,
  formatPorts,
  intersectPorts,
  isEmptyPorts,
  isSubsetPorts,
  noPorts,
  type PortSet,
} from "../address/ports.ts";
import { plain } from "../ground/inert.ts";
import { type CompiledPolicy, type CompiledRule } from "../verdict/compiled.ts";
import { compilePolicy } from "../verdict/compile.ts";
import { resolveNamedPorts, type NamedPort } from "../verdict/compile-ports.ts";
import type { PolicyObject, World } from "../verdict/world.ts";
import type { Draft, DraftEnd, DraftPolicy, DraftRule, DraftSubject } from "./draft.ts";
import { groupKey, inNamespace, isNobody, isWithin, Pods, type Group, type MeetingIndex } from "./group.ts";

/**
 * What the NetworkPolicies of a cluster mean, as segments and rules.
 *
 * A NetworkPolicy speaks of one end: an ingress rule opens its pods and says nothing about the egress of the others. A rule of ours
 * opens both ends. So an ingress rule becomes a rule from those initiators alone whose egress nobody isolates; for the others, each
 * egress rule of theirs that reaches the same pods on the same ports gives one rule (and the same for egress rules).
 */
export function draftOf(world: World): Draft {
  const leftOut: string[] = [];
  const read = world.policies.flatMap((object) => readPolicy(object, leftOut));
  const pods = new Pods(world);
  const isolated = {
    ingress: pods.index(groupsOf(read, "ingress"), (group) => group),
    egress: pods.index(groupsOf(read, "egress"), (group) => group),
  };
  const withEgress = pods.index(
    read.filter(({ policy }) => (policy.egress ?? []).length > 0),
    (one) => one.subject,
  );
  const policies = read.map((one): DraftPolicy => {
    const { policy, subject, metadata } = one;
    const rules = [
      ...(policy.ingress ?? []).flatMap((rule) => [
        ...peersOf(rule, policy).flatMap((peer) =>
          without(peer, isolated.egress, pods).map((from) => ({ from, to: podsEnd(subject), ports: portsOf(rule) })),
        ),
        ...initiatorsOf(rule, policy, withEgress, pods).flatMap((other) => meetingRules(one, rule, other, pods)),
      ]),
      ...(policy.egress ?? []).flatMap((rule) =>
        peersOf(rule, policy).flatMap((peer) =>
          without(peer, isolated.ingress, pods).map((to) => ({ from: podsEnd(subject), to, ports: portsOf(rule) })),
        ),
      ),
    ];
    return {
      namespace: policy.namespace,
      name: policy.name,
      ...saidBy(metadata),
      rules: rules.filter(({ ports }) => ports.length > 0),
    };
  });
  return { subjects: subjectsOf(read), policies, leftOut };
}

/** A NetworkPolicy, and whom it isolates. */
interface Read {
  readonly policy: CompiledPolicy;
  readonly subject: Group;
  readonly metadata: PolicyObject["metadata"];
}

function readPolicy(object: PolicyObject, leftOut: string[]): readonly Read[] {
  const policy = compilePolicy(object);
  const called = `${policy.kind} ${policy.namespace === "" ? "" : `${policy.namespace}/`}${policy.name}`;
  if (policy.tier !== undefined || policy.kind !== "NetworkPolicy") {
    leftOut.push(
      `${called}: a policy for the whole cluster has an order and can deny, which rules cannot say; write its meaning as a Guardrail.`,
    );
    return [];
  }
  for (const problem of policy.problems) leftOut.push(`${called}: ${problem}`);
  const subject = inNamespace(policy.namespace, policy.subjects);
  if (isNobody(subject)) leftOut.push(`${called}: no pod can match its podSelector, so it does nothing.`);
  return isNobody(subject) ? [] : [{ policy, subject, metadata: object.metadata }];
}

function saidBy({ annotations = {}, labels = {} }: PolicyObject["metadata"]): Pick<DraftPolicy, "owner" | "reason"> {
  const said = (keys: readonly string[]): string | undefined => {
    const key = Object.keys({ ...labels, ...annotations }).find((each) => keys.includes(each.split("/").at(-1) ?? each));
    const text =
      key === undefined
        ? undefined
        : plain(annotations[key] ?? labels[key] ?? "", 200)
            .replaceAll(/ +/g, " ")
            .trim();
    return text === "" ? undefined : text;
  };
  return { owner: said(["owner", "team", "contact"]), reason: said(["reason", "description", "purpose"]) };
}

function groupsOf(read: readonly Read[], direction: "ingress" | "egress"): readonly Group[] {
  const groups = read.flatMap(({ policy, subject }) => (policy[direction] === null ? [] : [subject]));
  return [...new Map(groups.map((group) => [groupKey(group), group])).values()];
}

function subjectsOf(read: readonly Read[]): readonly DraftSubject[] {
  const found = new Map<string, DraftSubject>();
  for (const { policy, subject } of read) {
    const before = found.get(groupKey(subject)) ?? { group: subject, ingress: false, egress: false };
    found.set(groupKey(subject), {
      group: subject,
      ingress: before.ingress || policy.ingress !== null,
      egress: before.egress || policy.egress !== null,
    });
  }
  return [...found.values()];
}

function peersOf({ peers }: CompiledRule, { namespace }: CompiledPolicy): readonly DraftEnd[] {
  if (peers === "any") return [{ kind: "any" }];
  const own = inNamespace(namespace, {}).namespaces;
  return [
    ...peers.selectors.map(({ namespaces, pods }) => podsEnd({ namespaces: namespaces === "own" ? own : namespaces, pods })),
    ...(isEmpty(peers.addresses) ? [] : [{ kind: "addresses", set: peers.addresses } as const]),
  ];
}

function podsEnd(group: Group): DraftEnd {
  return { kind: "pods", group, not: [] };
}

/** The policies with egress rules whose pods an ingress rule may mean. */
function initiatorsOf(rule: CompiledRule, policy: CompiledPolicy, all: MeetingIndex<Read>, pods: Pods): readonly Read[] {
  const peers = peersOf(rule, policy);
  if (peers.some(({ kind }) => kind !== "pods")) return all.items;
  return [...new Set(peers.flatMap((peer) => (peer.kind === "pods" ? pods.meeting(peer.group, all) : [])))];
}

/** The part of a peer that none of these pods are. */
function without(peer: DraftEnd, isolated: MeetingIndex<Group>, pods: Pods): readonly DraftEnd[] {
  if (peer.kind === "any") return isolated.items.length === 0 ? [peer] : [{ kind: "everything" }];
  if (peer.kind !== "pods") return [peer];
  if (isNobody(peer.group)) return [];
  const met = pods.meeting(peer.group, isolated);
  if (met.length === 0) return [peer];
  return met.some((group) => isWithin(peer.group, group)) ? [] : [{ ...peer, not: met }];
}

/** One rule for each egress rule of `other` whose pods the ingress rule lets in, and that reaches the pods of the ingress rule. */
function meetingRules({ policy, subject }: Read, ingress: CompiledRule, other: Read, pods: Pods): readonly DraftRule[] {
  return (other.policy.egress ?? []).flatMap((egress) => {
    const ports = commonPorts(ingress, egress, subject, pods);
    if (ports.length === 0) return [];
    const froms = peersOf(ingress, policy).flatMap((peer) => narrowed(other.subject, peer, pods));
    const tos = peersOf(egress, other.policy).flatMap((peer) => narrowed(subject, peer, pods));
    return froms.flatMap((from) => tos.map((to) => ({ from: podsEnd(from), to: podsEnd(to), ports })));
  });
}

/** The pods of a group that a peer of a rule means. */
function narrowed(group: Group, peer: DraftEnd, pods: Pods): readonly Group[] {
  switch (peer.kind) {
    case "any":
    case "everything":
      return [group];
    case "pods": {
      const common = pods.intersect(group, peer.group);
      return common === undefined ? [] : [common];
    }
    case "addresses":
      return holdsAll(peer.set, group, pods) ? [group] : [];
    default:
      return peer satisfies never;
  }
}

/**
 * True when a block holds every address of the group, of both families; all of a family where nobody knows the addresses. A block that
 * holds some of them gives no rule: what it let through is told as closed, and nothing opens.
 */
function holdsAll(set: AddressSet, group: Group, pods: Pods): boolean {
  const addresses = [...pods.of(group)].flatMap((pod) => pod.addresses);
  if (addresses.length === 0) return isSubset(anyV4, set) || isSubset(anyV6, set);
  const prefixes = addresses.flatMap((text) => {
    const parsed = parsePrefix(text.includes(":") ? `${text}/128` : `${text}/32`);
    return "ok" in parsed ? [parsed.ok] : [];
  });
  return isSubset(fromPrefixes(prefixes), set);
}

function portsOf({ ports, namedPorts }: CompiledRule): readonly string[] {
  return [...wordsOf(ports), ...namedPorts.map(({ name, protocol }) => `${name}/${protocol}`)];
}

function commonPorts(a: CompiledRule, b: CompiledRule, responders: Group, pods: Pods): readonly string[] {
  const isSame = (one: NamedPort, two: NamedPort): boolean => one.name === two.name && one.protocol === two.protocol;
  // A name stays a name where the other end allows it, or every port.
  const allowedBy = ({ namedPorts, ports }: CompiledRule, one: NamedPort): boolean =>
    namedPorts.some((two) => isSame(one, two)) || isSubsetPorts(allOf(one.protocol), ports);
  const names = [...a.namedPorts.filter((one) => allowedBy(b, one)), ...b.namedPorts.filter((one) => allowedBy(a, one))];
  const numbers = [
    intersectPorts(a.ports, b.ports),
    intersectPorts(a.ports, numbersOf(b.namedPorts, responders, pods)),
    intersectPorts(numbersOf(a.namedPorts, responders, pods), b.ports),
  ];
  const words = numbers.flatMap(wordsOf);
  return words.includes("any") ? ["any"] : [...new Set([...words, ...names.map(({ name, protocol }) => `${name}/${protocol}`)])];
}

/** The numbers of names, where all pods that are there agree on them. */
function numbersOf(named: readonly NamedPort[], responders: Group, pods: Pods): PortSet {
  if (named.length === 0) return noPorts;
  const [first, ...others] = [...pods.of(responders)].map(({ ports }) => resolveNamedPorts(named, ports));
  return first !== undefined && others.every((other) => equalPorts(first, other)) ? first : noPorts;
}

function wordsOf(ports: PortSet): readonly string[] {
  return isEmptyPorts(ports) ? [] : formatPorts(ports).split(", ");
}
