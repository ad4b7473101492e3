/** Addresses, blocks and address sets: the public face of this folder. Port sets are in `ports.ts`. */
export * from "./address.ts";
export * from "./blocks.ts";
export * from "./prefix.ts";
export * from "./set.ts";
export { internetSet } from "./special.ts";
