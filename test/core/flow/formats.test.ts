import { describe, expect, it } from "vitest";
import { FORMATS } from "../../../core/flow/formats/index.ts";
import type { LineRead } from "../../../core/flow/sighting.ts";

const AT = Date.parse("2026-11-29T10:00:00Z");

/** Lines as the sources write them, and what they tell: `from → to port/protocol verdict count`, or what else they are. */
const LINES: readonly (readonly [format: string, what: string, line: string, told: string])[] = [
  [
    "firebreak",
    "a whole line",
    `{"from":"10.0.0.1","to":"eu/shop/web","port":443,"protocol":"TCP","verdict":"would be denied","first":"2026-11-29T09:00:00Z","last":"2026-11-29T10:00:00Z","count":3,"answered":false}`,
    "10.0.0.1 → eu/shop/web 443/tcp would be denied 3 unanswered",
  ],
  [
    "firebreak",
    "what may be left out",
    `{"from":"10.0.0.1","to":"fd00::1","port":53,"protocol":"udp","last":"2026-11-29T10:00:00Z"}`,
    "10.0.0.1 → fd00::1 53/udp allowed 1",
  ],
  // Bug: a count of nothing, a port that is none or moments that run backwards become flows.
  ["firebreak", "no port", `{"from":"10.0.0.1","to":"10.0.0.2","port":65536,"last":"2026-11-29T10:00:00Z"}`, "broken"],
  ["firebreak", "no count", `{"from":"10.0.0.1","to":"10.0.0.2","port":1,"last":"2026-11-29T10:00:00Z","count":0.5}`, "broken"],
  [
    "firebreak",
    "moments backwards",
    `{"from":"a","to":"b","port":1,"first":"2026-11-29T11:00:00Z","last":"2026-11-29T10:00:00Z"}`,
    "broken",
  ],
  ["firebreak", "no moment", `{"from":"a","to":"b","port":1,"last":"yesterday"}`, "broken"],
  ["firebreak", "no JSON", `{"from":`, "broken"],
  ["firebreak", "JSON that is no object", `[1]`, "broken"],
  [
    "hubble",
    "a first packet",
    `{"flow":{"time":"2026-11-29T10:00:00Z","verdict":"FORWARDED","IP":{"source":"10.0.0.1","destination":"10.0.0.2"},"l4":{"TCP":{"source_port":40000,"destination_port":443,"flags":{"SYN":true}}},"source":{"namespace":"shop","pod_name":"web-1"},"destination":{"namespace":"shop","pod_name":"db-0"},"is_reply":false},"node_name":"n","time":"2026-11-29T10:00:00Z"}`,
    "shop/web-1 → shop/db-0 443/tcp allowed 1",
  ],
  // Bug: an answer counts as a connection of the server to the client's port.
  [
    "hubble",
    "an answer",
    `{"flow":{"time":"2026-11-29T10:00:00Z","verdict":"FORWARDED","IP":{"source":"10.0.0.2","destination":"10.0.0.1"},"l4":{"TCP":{"source_port":443,"destination_port":40000,"flags":{"SYN":true,"ACK":true}}},"is_reply":true}}`,
    "other",
  ],
  [
    "hubble",
    "a later packet",
    `{"flow":{"time":"2026-11-29T10:00:00Z","verdict":"FORWARDED","IP":{"source":"10.0.0.2","destination":"10.0.0.1"},"l4":{"TCP":{"source_port":443,"destination_port":40000,"flags":{"ACK":true}}},"is_reply":false}}`,
    "other",
  ],
  [
    "hubble",
    "a packet of UDP of which Cilium does not know whether it is a reply",
    `{"flow":{"time":"2026-11-29T10:00:00Z","verdict":"FORWARDED","IP":{"source":"10.0.0.2","destination":"10.0.0.1"},"l4":{"UDP":{"source_port":53,"destination_port":40000}}}}`,
    "other",
  ],
  [
    "hubble",
    "a refusal from outside",
    `{"flow":{"time":"2026-11-29T10:00:00Z","verdict":"DROPPED","IP":{"source":"198.51.100.7","destination":"10.0.0.2"},"l4":{"TCP":{"source_port":40000,"destination_port":22,"flags":{"SYN":true}}},"source":{"identity":2,"labels":["reserved:world"]},"destination":{"namespace":"shop","pod_name":"db-0"}}}`,
    "198.51.100.7 → shop/db-0 22/tcp denied 1",
  ],
  [
    "hubble",
    "audit mode",
    `{"flow":{"time":"2026-11-29T10:00:00Z","verdict":"AUDIT","IP":{"source":"10.0.0.1","destination":"10.0.0.2"},"l4":{"ICMPv4":{"type":8}},"is_reply":false}}`,
    "10.0.0.1 → 10.0.0.2 8/icmp would be denied 1",
  ],
  // Bug: a name that every object has is taken for a verdict or a protocol.
  [
    "hubble",
    "a verdict by the name of what every object has",
    `{"flow":{"time":"2026-11-29T10:00:00Z","verdict":"constructor","IP":{"source":"10.0.0.1","destination":"10.0.0.2"},"l4":{"TCP":{"destination_port":1}},"is_reply":false}}`,
    "other",
  ],
  [
    "hubble",
    "a protocol by the name of what every object has",
    `{"flow":{"time":"2026-11-29T10:00:00Z","verdict":"FORWARDED","IP":{"source":"10.0.0.1","destination":"10.0.0.2"},"l4":{"toString":{"destination_port":1}},"is_reply":false}}`,
    "other",
  ],
  ["hubble", "what it lost", `{"lost_events":{"source":"HUBBLE_RING_BUFFER","num_events_lost":"12"}}`, "lost 12"],
  ["hubble", "a node's state", `{"node_status":{"state_change":"NODE_CONNECTED"}}`, "other"],
  [
    "gke",
    "a line of a node",
    `{"connection":{"src_ip":"10.0.0.1","src_port":40000,"dest_ip":"10.0.0.2","dest_port":80,"protocol":"tcp","direction":"ingress"},"disposition":"allow","policies":[{"name":"p","namespace":"shop"}],"src":{"namespace":"shop","pod_name":"web-1","pod_namespace":"shop"},"dest":{"namespace":"shop","pod_name":"db-0","pod_namespace":"shop"},"count":4,"timestamp":"2026-11-29T10:00:00Z"}`,
    "shop/web-1 → shop/db-0 80/tcp allowed 4",
  ],
  [
    "gke",
    "as Cloud Logging exports it",
    `{"jsonPayload":{"connection":{"src_ip":"198.51.100.7","dest_ip":"10.0.0.2","dest_port":80,"protocol":"tcp"},"disposition":"deny","src":{"instance":"vm"},"dest":{"pod_name":"db-0","pod_namespace":"shop"}},"timestamp":"2026-11-29T10:00:00Z"}`,
    "198.51.100.7 → shop/db-0 80/tcp denied 1",
  ],
  [
    "eks",
    "a line of the agent",
    `{"level":"info","ts":"2026-11-29T10:00:00Z","logger":"ebpf-client","msg":"Flow Info:  ","Src IP":"10.1.206.228","Src Port":49880,"Dest IP":"10.1.6.79","Dest Port":6379,"Proto":"TCP","Verdict":"DENY"}`,
    "10.1.206.228 → 10.1.6.79 6379/tcp denied 1",
  ],
  [
    "eks",
    "another line of the agent",
    `{"level":"info","ts":"2026-11-29T10:00:00Z","logger":"ebpf-client","msg":"Updating Map with "}`,
    "other",
  ],
  [
    "vpc",
    "a record from who began",
    `2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 40001 22 6 20 4249 1796119200 1796119260 ACCEPT OK`,
    "172.31.16.139 → 172.31.16.21 22/tcp allowed 1",
  ],
  // Bug: who began is guessed, and the server becomes the client.
  [
    "vpc",
    "the way back",
    `2 123456789010 eni-1235b8ca123456789 172.31.16.21 172.31.16.139 22 40001 6 20 4249 1796119200 1796119260 ACCEPT OK`,
    "other",
  ],
  [
    "vpc",
    "two ports that tell nothing",
    `2 123456789010 eni-1235b8ca123456789 172.31.16.21 172.31.16.139 8080 9090 6 20 4249 1796119200 1796119260 ACCEPT OK`,
    "other",
  ],
  [
    "vpc",
    "the head",
    `version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status`,
    "other",
  ],
  ["vpc", "no data", `2 123456789010 eni-1235b8ca123456789 - - - - - - - 1796119200 1796119260 - NODATA`, "other"],
  // Bug: a moment that no date can be ends the whole import.
  [
    "vpc",
    "moments beyond all dates",
    `2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 40001 22 6 20 4249 1796119200 99999999999999999 ACCEPT OK`,
    "broken",
  ],
  ["vpc", "fields that are cut", `2 123456789010 eni-1`, "broken"],
];

describe("a line of", () => {
  it.each(LINES)("%s: %s", (format, _, line, told) => {
    const read = FORMATS.find(({ name }) => name === format)?.read(line);
    expect(read === undefined ? "no such format" : said(read)).toBe(told);
  });

  // Bug: a log is read in another format than it is written in, and all of it is called broken, or worse, understood.
  it.each(LINES.filter(([, , , told]) => told.includes("→")))("%s (%s) is known by its looks", (format, _, line) => {
    expect(FORMATS.filter(({ isLike }) => isLike(line)).map(({ name }) => name)).toEqual([format]);
  });

  // Bug: a line that somebody made throws, and the whole log with it.
  it("any format, whatever it holds, is read without an error", () => {
    const odd = [
      "null",
      "{}",
      `{"flow":null}`,
      `{"flow":{"l4":{"TCP":null}}}`,
      `{"connection":[]}`,
      `{"Dest IP":{}}`,
      `2 ${"x ".repeat(13)}`,
      "__proto__",
      `{"flow":{"verdict":"constructor","l4":{"toString":{}}}}`,
    ];
    for (const { read, isLike } of FORMATS)
      for (const line of odd) expect([typeof isLike(line), typeof read(line).kind]).toEqual(["boolean", "string"]);
  });
});

function said(read: LineRead): string {
  if (read.kind === "lost") return `lost ${read.count}`;
  if (read.kind !== "sighting") return read.kind;
  const { from, to, port, protocol, verdict, count, answered, last } = read.sighting;
  const [initiator, responder] = [from, to].map(({ pod, name, address }) =>
    pod === undefined ? (name ?? address) : `${pod.namespace}/${pod.name}`,
  );
  expect(Math.abs(last - AT)).toBeLessThan(86_400_000 * 30);
  return `${initiator ?? ""} → ${responder ?? ""} ${port}/${protocol} ${verdict} ${count}${answered === false ? " unanswered" : ""}`;
}
