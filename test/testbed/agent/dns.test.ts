import { describe, expect, it } from "vitest";
import { answerQuery, decodeAnswer, encodeQuery } from "../../../testbed/agent/dns.ts";

const records = { "kube-dns.kube-system.svc.cluster.local": "10.96.0.10" };

describe("the DNS of the test bed", () => {
  it("answers a known name whatever its case", () => {
    const answer = answerQuery(encodeQuery(7, "Kube-DNS.kube-system.svc.cluster.local"), records);
    expect(answer && decodeAnswer(answer, 7)).toBe("10.96.0.10");
  });

  it("says that an unknown name does not exist (the bug: `toString` found in the prototype)", () => {
    for (const name of ["example.test", "toString", "constructor"]) {
      const answer = answerQuery(encodeQuery(7, name), records);
      expect({ name, answer: answer && decodeAnswer(answer, 7) }).toEqual({ name, answer: "nxdomain" });
    }
  });

  it("takes no answer to another question", () => {
    const answer = answerQuery(encodeQuery(7, "kube-dns.kube-system.svc.cluster.local"), records);
    expect(answer && decodeAnswer(answer, 8)).toBeUndefined();
  });

  it("does not answer noise (the bug: one stray datagram ends the responder)", () => {
    for (const noise of [Buffer.alloc(0), Buffer.alloc(12), Buffer.from("probe of sixteen"), Buffer.alloc(40, 0xff)]) {
      expect(answerQuery(noise, records)).toBeUndefined();
    }
  });
});
