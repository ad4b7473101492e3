import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { ScratchNamespace } from "./nft-kernel.ts";

const SERVER = `
for (const port of process.argv.slice(1)) {
  require("node:net").createServer((socket) => socket.end(port)).listen(Number(port), "0.0.0.0");
}`;

const CLIENT = `
const [host, port] = process.argv.slice(1);
const socket = require("node:net").connect({ host, port, timeout: 300 });
const end = (text) => { console.log(text); process.exit(); };
socket.on("data", (data) => end(String(data))).on("timeout", () => end("closed")).on("error", () => end("closed"));`;

/** Two linked namespaces: a host with listeners that answer with their own port number, and a peer that asks. */
export class PacketPair implements Disposable {
  readonly host = new ScratchNamespace();
  readonly peer = new ScratchNamespace();
  readonly hostAddress = "10.1.0.2";
  readonly peerAddress = "10.1.0.1";
  readonly #server: ChildProcess;

  constructor(ports: readonly number[]) {
    this.peer.run(`ip link add eth0 type veth peer name eth0 netns ${this.host.name}`);
    this.peer.run(`ip addr add ${this.peerAddress}/24 dev eth0; ip link set eth0 up`);
    this.host.run(`ip addr add ${this.hostAddress}/24 dev eth0; ip link set eth0 up`);
    const args = ["netns", "exec", this.host.name, process.execPath, "-e", SERVER, ...ports.map(String)];
    this.#server = spawn("ip", args, { stdio: "ignore" });
  }

  /** Which port answers when the peer asks for this one, or `closed`. */
  ask(port: number): string {
    return this.peer.run(`"${process.execPath}" -e '${CLIENT}' ${this.hostAddress} ${port}`).trim();
  }

  [Symbol.dispose](): void {
    this.#server.kill("SIGKILL");
    this.host[Symbol.dispose]();
    this.peer[Symbol.dispose]();
  }
}
