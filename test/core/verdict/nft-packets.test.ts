import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fromAddressTexts } from "../../../core/address/index.ts";
import { portRange } from "../../../core/address/ports.ts";
import { admits, hostAccess } from "../../../core/verdict/nft.ts";
import { ScratchNamespace } from "../../support/nft-kernel.ts";

const RULES = readFileSync(fileURLToPath(new URL("fixtures/every-expression.nft", import.meta.url)), "utf8");
const HOST = "192.0.2.1";

const SOURCES = [
  "10.0.0.5",
  "10.5.0.3",
  "10.5.0.10",
  "10.6.0.1",
  "10.1.0.1",
  "10.1.0.3",
  "10.2.0.9",
  "10.3.0.2",
  "10.4.0.1",
  "10.4.0.2",
  "10.4.0.3",
];
const MORE_SOURCES = ["10.7.1.1", "10.8.0.1", "10.8.1.7", "10.9.0.1", "11.0.0.1", "10.200.0.1"];
const PORTS = [1, 22, 23, 53, 80, 81, 123, 443, 1000, 1024, 1025, 2000, 2005, 5000, 5432, 7777, 8000, 8005, 8011, 8080, 8081, 9100];

interface Try {
  readonly source: string;
  readonly port: number;
  /** The host answered (nothing listens, so with a reset); a dropped packet is not answered. */
  readonly answered: boolean;
}

/** Opens all connections at once and waits until each is answered, or the time is up for those that are not. */
const CLIENT = `
const net = require("node:net");
const [host, sources, ports] = JSON.parse(process.argv[1]);
const tries = sources.flatMap((source) => ports.map((port) => new Promise((done) => {
  const socket = net.connect({ host, port, localAddress: source });
  const end = (answered) => { socket.destroy(); done({ source, port, answered }); };
  socket.once("connect", () => end(true));
  socket.once("error", (error) => end(error.code === "ECONNREFUSED"));
  socket.setTimeout(2000, () => end(false));
})));
Promise.all(tries).then((results) => console.log(JSON.stringify(results)));
`;

test("real packets get through exactly where the reader says so (bug: the reader and the kernel read a rule differently)", () => {
  using host = new ScratchNamespace();
  using client = new ScratchNamespace();
  const sources = [...SOURCES, ...MORE_SOURCES];
  host.run(`ip link add up0 type veth peer name up1 netns ${client.name}`);
  host.run(`ip link set up0 up; ip address add ${HOST}/24 dev up0`);
  client.run(
    `ip link set up1 up; ip address add 192.0.2.2/24 dev up1; for a in ${sources.join(" ")}; do ip address add $a/32 dev up1; done`,
  );
  host.run("ip route add default via 192.0.2.2; nft -f -", RULES);
  const answers = client.run(`exec "${process.execPath}" -e '${CLIENT}' '${JSON.stringify([HOST, sources, PORTS])}'`);
  const tries = JSON.parse(answers) as readonly Try[]; // printed by the script above
  const access = hostAccess(host.list());
  const wrong = tries.filter(({ source, port, answered }) => {
    const box = { peers: fromAddressTexts([source]).set, ports: portRange("tcp", port) };
    return admits(access, "input", box) !== answered;
  });
  expect(wrong).toEqual([]);
  expect(tries).toHaveLength(sources.length * PORTS.length);
  expect(tries.filter((item) => item.answered).length).toBeGreaterThan(30);
});
