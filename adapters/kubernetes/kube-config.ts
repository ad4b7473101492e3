import { registerHooks } from "node:module";

type KubeConfigModule = typeof import("@kubernetes/client-node/dist/config.js");

const CONFIG = "@kubernetes/client-node/dist/config.js";
const GENERATED = "./gen/index.js";
/** What the module of the configuration takes from there; only `makeApiClient` uses it, which is never called. */
const NOTHING = "data:text/javascript,export const createConfiguration = undefined, ServerConfiguration = undefined;";

let loading: Promise<KubeConfigModule> | undefined;

/**
 * The part of `@kubernetes/client-node` that reads a kubeconfig and logs in, without the client that is generated for every kind of
 * object: 35 MB of memory instead of 90, in a service that runs for months. Loaded once, when the first cluster is connected.
 */
export function kubeConfigModule(): Promise<KubeConfigModule> {
  loading ??= load();
  return loading;
}

async function load(): Promise<KubeConfigModule> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === GENERATED && context.parentURL?.endsWith(`/${CONFIG}`) === true
        ? { url: NOTHING, format: "module", shortCircuit: true }
        : next(specifier, context),
  });
  try {
    return await import("@kubernetes/client-node/dist/config.js");
  } finally {
    hooks.deregister();
  }
}
