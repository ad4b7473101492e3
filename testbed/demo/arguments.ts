/** What was asked for on the command line. */
export type Request =
  | { readonly kind: "run"; /** Leave after the tour. */ readonly exit: boolean }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly why: string };

export const USAGE = `usage: npm start [-- --exit]

Brings up a demonstration world (two Kubernetes clusters, four Linux hosts, a Git server), runs Firebreak in it, and takes it on a
tour. Then it stays up until Ctrl-C.

  --exit   leave after the tour
           exit code: 0 every step did what it says, 1 a step did not, 2 none failed and parts were left out (in CI: 1)
  --help   this text`;

/** Reads the arguments after the program's name. */
export function parseArguments(argv: readonly string[]): Request {
  const unknown = argv.find((argument) => !["--exit", "--help", "-h"].includes(argument));
  if (unknown !== undefined) return { kind: "wrong", why: `there is no argument ${unknown}` };
  if (argv.includes("--help") || argv.includes("-h")) return { kind: "help" };
  return { kind: "run", exit: argv.includes("--exit") };
}
