/**
 * Loaded into a process with `--import`: its wall clock jumps by as many milliseconds as the file $FAULT_CLOCK says. Only what JavaScript
 * calls the time moves; timers, sockets and the processes it starts do not, as when somebody sets the clock of a machine.
 */
import { readFileSync } from "node:fs";

const file = process.env["FAULT_CLOCK"] ?? "";
const RealDate = Date;
let offsetMs = read();
setInterval(() => (offsetMs = read()), 50).unref();

const now = (): number => RealDate.now() + offsetMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
  apply: () => new RealDate(now()).toString(),
  get: (target, key, receiver) => (key === "now" ? now : (Reflect.get(target, key, receiver) as unknown)),
});

function read(): number {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}
