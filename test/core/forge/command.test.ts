import { describe, expect, it } from "vitest";
import { parseCommands } from "../../../core/forge/command.ts";

describe("a command", () => {
  it.each([
    ["/firebreak plan", [{ kind: "plan" }]],
    ["/firebreak approve\r\n", [{ kind: "approve", plan: "" }]],
    ["/firebreak approve 0123456789ab", [{ kind: "approve", plan: "0123456789ab" }]],
    ["/firebreak approve 0123456789AB", [{ kind: "approve", plan: "0123456789ab" }]],
    ["thanks!\n\n/firebreak  approve  \nbye", [{ kind: "approve", plan: "" }]],
    ["/firebreak hold", [{ kind: "hold", reason: "" }]],
    ["/firebreak hold until the  audit is over", [{ kind: "hold", reason: "until the audit is over" }]],
    ["/firebreak", [{ kind: "help" }]],
    ["/firebreak help", [{ kind: "help" }]],
    ["/firebreak plan\n/firebreak hold x", [{ kind: "plan" }, { kind: "hold", reason: "x" }]],
    ["/firebreak aprove", [{ kind: "unknown", words: "aprove" }]],
    ["/firebreak approve all of it", [{ kind: "unknown", words: "approve all of it" }]],
    ["/firebreak Approve", [{ kind: "unknown", words: "Approve" }]],
    ["/firebreak constructor", [{ kind: "unknown", words: "constructor" }]],
  ])("%j", (body, commands) => {
    expect(parseCommands(body)).toEqual(commands);
  });
});

describe("talk about commands is none (the bug: a quoted or documented command approves)", () => {
  it.each([
    "please say /firebreak approve",
    "> /firebreak approve",
    "  /firebreak approve",
    "\t/firebreak approve",
    "- /firebreak approve",
    "`/firebreak approve`",
    "/firebreak-approve",
    "/firebreakapprove",
    "```\n/firebreak approve\n```",
    "~~~text\n/firebreak approve\n~~~",
    "````\n```\n/firebreak approve\n````",
    "```\n~~~\n/firebreak approve\n```",
    "- item\n  ```\n/firebreak approve\n  ```",
    "> ```\n/firebreak approve",
    "```\nnever closed\n/firebreak approve",
    "<!-- a template:\n/firebreak approve\n-->",
    "<!-- never closed\n/firebreak approve",
    "",
  ])("%j", (body) => {
    expect(parseCommands(body)).toEqual([]);
  });

  it("after the fence or comment is closed it counts again", () => {
    expect(parseCommands("```\nx\n```\n<!-- a\n-->\n/firebreak plan")).toEqual([{ kind: "plan" }]);
  });
});
