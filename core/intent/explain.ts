import { fromAddressTexts, isEmpty, isSubset } from "../address/index.ts";
import { hasPort } from "../address/ports.ts";
import type { PortSet, Protocol } from "../address/ports.ts";
import type { Workload } from "../estate/estate.ts";
import type { Direction, Segment } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";
import type { EndMode, Party, Reason } from "../reach/source.ts";
import type { Allow } from "./allow.ts";
import type { WorkloadClass } from "./classes.ts";
import { names } from "./match.ts";
import type { Meeting, Peer } from "./match.ts";
import type { Row, RowReader } from "./row.ts";
import type { Reading } from "./sight.ts";

/** What explanations need of an intent. */
export interface IntentView {
  readonly reading: Reading;
  readonly rows: RowReader;
  readonly meet: (direction: Direction, subject: WorkloadClass, peer: Peer) => Meeting;
  readonly classOf: (workload: Workload) => WorkloadClass;
  readonly peerOf: (party: Party) => Peer;
  readonly portsOf: (allow: Allow, meeting: Meeting) => PortSet;
}

/** One question about one end. */
export interface Question {
  readonly direction: Direction;
  readonly subject: Party;
  readonly peer: Party;
  readonly protocol: Protocol;
  /** A type for ICMP. */
  readonly port: number;
}

/** Why definitions answer as they do at one end: the rules that allow, or the segment that isolates. */
export function explainIntent(view: IntentView, question: Question): Reason {
  const { direction, subject, peer } = question;
  const say = (mode: EndMode, allowed: boolean, text: string, more: Partial<Reason> = {}): Reason => {
    return { direction, allowed, mode, origins: [], isolatedBy: [], at: undefined, text, ...more };
  };
  if (subject.kind === "addresses") return say("unmanaged", true, "these addresses are not managed: nothing is enforced there");
  const { workload } = subject;
  const row = view.rows.of(direction, view.classOf(workload));
  if (row.mode === "unmanaged") {
    const own = view.reading.governanceAt(workload);
    return say(row.mode, true, own.kind === "nobody" ? own.why : "nothing of ours enforces there");
  }
  if (row.mode === "open") return say(row.mode, true, `no segment isolates ${direction} of ${workload.name}`);
  if (peer.kind === "workload" && peer.workload.id === workload.id) return say(row.mode, true, "a workload always reaches itself");
  const allows = allowing(view, row, question);
  const origins = [...new Set(allows.map(({ origin }) => origin))];
  if (allows.length > 0) {
    const text = `allowed by ${allows.map(cite).join(", ")}${widened(view, question)}`;
    return say(row.mode, true, text, { origins, at: allows[0]?.at });
  }
  if (isOwnNode(view, question)) {
    return say(row.mode, true, `a node always reaches the pods it runs (builtin/probes)`, { origins: ["builtin/probes"] });
  }
  return denied(row, workload, question, whyNoRule(view, row, question), say);
}

/** Why nothing lets it through, as enforcers can know it. */
function whyNoRule(view: IntentView, row: Row, question: Question): string {
  const meant = meantOnly(view, row, question);
  if (meant !== undefined) {
    return `${cite(meant)} means it, and the other end has no address outside its cluster (unenforceable here: use a boundary)`;
  }
  const isIcmp = question.protocol === "icmp" || question.protocol === "icmpv6";
  const isPod = question.subject.kind === "workload" && question.subject.workload.kind === "pod";
  if (isIcmp && isPod && view.reading.as === "enforceable") return "NetworkPolicies cannot name ICMP, so no rule lets it through";
  return "no rule allows it";
}

/** Somebody of a masqueraded cluster comes in under its node's addresses: so does everybody on that node. */
function widened(view: IntentView, { direction, subject, peer }: Question): string {
  if (view.reading.as === "approved" || direction === "egress" || subject.kind === "addresses") return "";
  const known = view.peerOf(peer);
  if (known.kind === "addresses" || !known.isMasqueraded || view.meet(direction, view.classOf(subject.workload), known).isLocal)
    return "";
  return `; it comes from the addresses of its node, so everything on that node is let in with it (widened here)`;
}

/** A rule that means the peer, which has no address outside its cluster: nothing is rendered for it. */
function meantOnly(view: IntentView, { allows }: Row, { direction, subject, peer, protocol, port }: Question): Allow | undefined {
  if (view.reading.as === "approved" || direction === "ingress" || subject.kind === "addresses") return undefined;
  const known = view.peerOf(peer);
  if (known.kind === "addresses" || !known.isMasqueraded) return undefined;
  const meeting = view.meet(direction, view.classOf(subject.workload), known);
  const meant: Meeting = { ...meeting, knowing: { ...meeting.knowing, as: "approved" } };
  const point = protocol === "icmp" || protocol === "icmpv6" ? port * 256 : port;
  return allows.find((allow) => names(allow, meant) && hasPort(view.portsOf(allow, meant), protocol, point));
}

function denied(
  { mode, isolating }: Row,
  workload: Workload,
  { direction }: Question,
  why: string,
  say: (mode: EndMode, allowed: boolean, text: string, more: Partial<Reason>) => Reason,
): Reason {
  const isolatedBy = isolating.map(({ name }) => name);
  const at = isolating[0]?.at;
  const which = `${isolating.length === 1 ? "segment" : "segments"} ${isolating.map(citeSegment).join(", ")}`;
  if (mode === "observed") {
    const text = `${why}; ${which} ${isolating.length === 1 ? "observes" : "observe"} ${direction} of ${workload.name}, so it still passes`;
    return say(mode, true, text, { isolatedBy, at });
  }
  return say(
    mode,
    false,
    `${why}, and ${which} ${isolating.length === 1 ? "isolates" : "isolate"} ${direction} of ${workload.name}`,
    { isolatedBy, at },
  );
}

function allowing(view: IntentView, { allows }: Row, { direction, subject, peer, protocol, port }: Question): readonly Allow[] {
  if (subject.kind === "addresses") return [];
  const point = protocol === "icmp" || protocol === "icmpv6" ? port * 256 : port;
  const meeting = view.meet(direction, view.classOf(subject.workload), view.peerOf(peer));
  return allows.filter((allow) => names(allow, meeting) && hasPort(view.portsOf(allow, meeting), protocol, point));
}

/** Kubelet probes, and whatever else is on that node: no policy stops it. */
function isOwnNode({ reading }: IntentView, { direction, subject, peer }: Question): boolean {
  if (direction !== "ingress" || subject.kind !== "workload" || subject.workload.node === undefined) return false;
  const { target, node, kind } = subject.workload;
  if (kind !== "pod" || target === undefined) return false;
  if (peer.kind === "workload") return peer.workload.hostNetwork && peer.workload.target === target && peer.workload.node === node;
  const nodes = reading.index.estate.clusters.get(target)?.inventory?.nodes ?? [];
  const own = fromAddressTexts(nodes.find(({ name }) => name === node)?.addresses ?? []).set;
  return !isEmpty(peer.addresses) && isSubset(peer.addresses, own);
}

/** `order-flow/0 (policies/order.yaml:9)`. */
function cite({ origin, at }: Allow): string {
  return at === undefined ? origin : `${origin} (${place(at)})`;
}

function citeSegment({ name, at }: Segment): string {
  return `${name} (${place(at)})`;
}

function place({ file, line }: Position): string {
  return `${file}:${line}`;
}
