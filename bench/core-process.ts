/** One part of the section `core`: `node --expose-gc bench/core-process.ts cluster|host|parse|verdict`. */
import { benchCluster } from "./core-cluster.ts";
import { benchHost } from "./core-host.ts";
import { benchParse } from "./core-parse.ts";
import { benchVerdict } from "./core-verdict.ts";

const PARTS: Readonly<Record<string, () => void | Promise<void>>> = {
  cluster: benchCluster,
  host: benchHost,
  parse: benchParse,
  verdict: benchVerdict,
};

const name = process.argv[2] ?? "";
const part = PARTS[name];
if (part === undefined) throw new Error(`core-process.ts ${Object.keys(PARTS).join("|")}`);
await part();
