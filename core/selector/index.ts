/** Kubernetes label selectors: the public face of this folder. */
export * from "./canonical.ts";
export * from "./negate.ts";
export * from "./selector.ts";
