import { fromAddressTexts, intersect, isEmpty } from "../address/index.ts";
import { hasPort } from "../address/ports.ts";
import type { Protocol } from "../address/ports.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import type { Direction, TargetId } from "../model/kinds.ts";
import type { Party, Reason } from "../reach/source.ts";
import { V4, V6 } from "../verdict/classes.ts";
import { policyId } from "../verdict/compile.ts";
import type { CompiledPolicy, CompiledRule } from "../verdict/compiled.ts";
import type { ClusterView, MetPeer } from "./cluster-view.ts";
import { addressesAt } from "./peers.ts";

/** One question about one end of a pod. */
export interface Question {
  readonly view: ClusterView;
  readonly estate: Estate;
  readonly target: TargetId;
  readonly inventory: ClusterInventory;
  readonly direction: Direction;
  readonly subject: Workload;
  readonly peer: Party;
  readonly protocol: Protocol;
  /** A type for ICMP. */
  readonly port: number;
}

/** The answer for one way in which the peer is met here: one class, one family. */
interface Answer {
  readonly allowed: boolean;
  readonly policies: readonly string[];
  readonly text: string;
}

/** Why a pod's end answers as it does: the first tier that decides, for the first way in which the peer is let through. */
export function explainEnd(question: Question): Reason {
  const { view, direction, subject, peer } = question;
  const name = nameOf(subject);
  const found = view.classOf(subject);
  if (found === undefined) return say(question, "open", true, [], `${name} is not in the inventory`);
  if (view.rows.concerning(found, direction).length === 0) {
    const why = subject.hostNetwork
      ? `${name} is on the host network: no policy selects it`
      : `no policy isolates ${direction} of ${name}`;
    return say(question, "open", true, [], why);
  }
  if (peer.kind === "workload" && peer.workload.id === subject.id) {
    return say(question, "enforced", true, [], "a pod always reaches itself");
  }
  const answers = view.peersOf(direction, found, peer).flatMap((met) => decideFor(question, found, met));
  const answer = answers.find(({ allowed }) => allowed) ?? answers[0];
  if (answer === undefined) return say(question, "enforced", false, [], `${name} and its peer have no address family in common`);
  return say(question, "enforced", answer.allowed, answer.policies, `${answer.text}${ownNode(question, answer)}`);
}

function say({ direction }: Question, mode: Reason["mode"], allowed: boolean, policies: readonly string[], text: string): Reason {
  const origins = allowed ? policies : [];
  return { direction, allowed, mode, origins, isolatedBy: allowed ? [] : policies, at: undefined, text };
}

function decideFor(question: Question, subject: number, met: MetPeer): readonly Answer[] {
  return [V4, V6].filter((family) => (met.families & family) !== 0).map((family) => decide(question, subject, met.peer, family));
}

/** Admin, NetworkPolicy, Baseline; a pass goes on. */
function decide(question: Question, subject: number, peer: number, family: number): Answer {
  const { direction, view } = question;
  const { rows } = view;
  const first = (policies: readonly CompiledPolicy[]): Match | undefined => firstMatch(question, policies, subject, peer, family);
  const above = first(rows.tiersOn(subject, direction, "admin"));
  if (above !== undefined && above.rule.action !== "pass") return answerOf(question, above);
  const policies = rows.policiesOn(subject, direction);
  const match = first(policies);
  if (match !== undefined) return answerOf(question, match);
  if (policies.length > 0) {
    const ids = policies.map(policyId);
    const text = `${nameOf(question.subject)} is isolated by ${ids.join(", ")} and no ${direction} rule allows it`;
    return { allowed: false, policies: ids, text };
  }
  const below = first(rows.tiersOn(subject, direction, "baseline"));
  if (below !== undefined && below.rule.action !== "pass") return answerOf(question, below);
  return { allowed: true, policies: [], text: `no policy decides about ${direction} of ${nameOf(question.subject)}` };
}

interface Match {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
}

function firstMatch(
  { view, direction, protocol, port }: Question,
  policies: readonly CompiledPolicy[],
  subject: number,
  peer: number,
  family: number,
): Match | undefined {
  const point = protocol === "icmp" || protocol === "icmpv6" ? port * 256 : port;
  const destination = direction === "ingress" ? subject : peer;
  for (const policy of policies) {
    for (const rule of policy[direction] ?? []) {
      if (!hasPort(view.rows.portsAt(rule, destination), protocol, point)) continue;
      if (view.rows.ruleMatches(rule, policy, peer, family)) return { policy, rule };
    }
  }
  return undefined;
}

function answerOf({ direction }: Question, { policy, rule }: Match): Answer {
  const allowed = rule.action !== "deny";
  const id = policyId(policy);
  return { allowed, policies: [id], text: `${id} ${direction} rule ${rule.index + 1} ${allowed ? "allows" : "denies"} it` };
}

/** The hole that no policy closes, where it may matter: the peer is the node that the pod runs on. */
function ownNode({ direction, subject, peer, inventory }: Question, { allowed }: Answer): string {
  if (allowed || direction !== "ingress") return "";
  const node = inventory.nodes.find(({ name }) => name === subject.node);
  const own = fromAddressTexts(node?.addresses ?? []).set;
  const [first] = node?.addresses ?? [];
  if (first === undefined || isEmpty(intersect(own, addressesAt(direction, peer)))) return "";
  return `; but node ${subject.node ?? ""} always reaches the pods it runs`;
}

/** `shop/web-1`. */
function nameOf(workload: Workload): string {
  return workload.target === undefined ? workload.id : workload.id.slice(workload.target.length + 1);
}
