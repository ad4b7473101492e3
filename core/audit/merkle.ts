import { hash } from "node:crypto";

/**
 * The Merkle tree of RFC 6962 §2.1, written as the RFC defines it: by splitting at the largest power of two below the size.
 *
 * Sizes and indexes are JavaScript numbers, exact up to 2^53 - 1. No bitwise operator is used anywhere here, because those work on
 * 32 bits and would be wrong past 2^31; a larger or fractional number is refused.
 *
 *          root of 5                 inclusion proof of 2 in 5: [3] [0,2) [4,5)   (from the leaf upwards)
 *         /         \                consistency proof 3 → 5:   [2] [3] [0,2) [4,5)
 *      [0,4)         4
 *     /     \
 *  [0,2)   [2,4)
 *  0   1   2   3
 */

/** The SHA-256 of a leaf, a node or a tree: 32 bytes. */
export type Hash = Uint8Array;

/** Bytes in a hash. */
export const HASH_BYTES = 32;

/** SHA-256 of the bytes. */
export function sha256(bytes: Uint8Array): Hash {
  return hash("sha256", bytes, "buffer");
}

/** The hash of an entry, from the very bytes that are stored: SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array): Hash {
  const prefixed = new Uint8Array(1 + entry.length);
  prefixed.set(entry, 1);
  return sha256(prefixed);
}

/** The hash of two subtrees: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  const prefixed = new Uint8Array(1 + 2 * HASH_BYTES);
  prefixed[0] = 1;
  prefixed.set(left, 1);
  prefixed.set(right, 1 + HASH_BYTES);
  return sha256(prefixed);
}

/** The root of the tree without entries: SHA-256 of nothing. */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array(0));

/** True when both are the same bytes. Not constant-time: nothing compared here is secret. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** The largest power of two strictly below `size`; `size` is at least 2. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** True for a size or index this module can compute with: a whole number from 0 to 2^53 - 1. */
export function isTreeSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The root over leaf hashes, straight from the definition (slow: tests and small trees). */
export function treeRoot(leaves: readonly Hash[]): Hash {
  const [first] = leaves;
  if (first === undefined) return EMPTY_ROOT;
  if (leaves.length === 1) return first;
  const split = splitPoint(leaves.length);
  return nodeHash(treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)));
}

/**
 * Whether `proof` shows that `leaf` is entry `index` of the tree with `size` entries and this `root` (RFC 6962 §2.1.1).
 * False for any malformed argument.
 */
export function verifyInclusion(index: number, size: number, leaf: Hash, proof: readonly Hash[], root: Hash): boolean {
  if (!isTreeSize(index) || !isTreeSize(size) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  const computed = rootFromInclusion(index, size, leaf, proof);
  return computed !== undefined && equalBytes(computed, root);
}

function rootFromInclusion(index: number, size: number, leaf: Hash, proof: readonly Hash[]): Hash | undefined {
  if (size === 1) return proof.length === 0 ? leaf : undefined;
  const sibling = proof.at(-1);
  if (sibling === undefined) return undefined;
  const split = splitPoint(size);
  const below = proof.slice(0, -1);
  if (index < split) {
    const left = rootFromInclusion(index, split, leaf, below);
    return left && nodeHash(left, sibling);
  }
  const right = rootFromInclusion(index - split, size - split, leaf, below);
  return right && nodeHash(sibling, right);
}

/**
 * Whether `proof` shows that the tree (`newSize`, `newRoot`) only appends to the tree (`oldSize`, `oldRoot`) (RFC 6962 §2.1.2).
 *
 * The empty tree is a prefix of every tree (empty proof, as in C2SP tlog-witness); its root must still be the empty root.
 * False for any malformed argument.
 */
export function verifyConsistency(oldSize: number, newSize: number, oldRoot: Hash, newRoot: Hash, proof: readonly Hash[]): boolean {
  if (!isTreeSize(oldSize) || !isTreeSize(newSize) || oldSize > newSize || !areHashes([oldRoot, newRoot, ...proof])) return false;
  if (oldSize === 0) return proof.length === 0 && equalBytes(oldRoot, EMPTY_ROOT);
  const roots = rootsFromConsistency(oldSize, newSize, oldRoot, true, proof);
  return roots !== undefined && equalBytes(roots.before, oldRoot) && equalBytes(roots.after, newRoot);
}

/** SUBPROOF of the RFC read backwards: `isWhole` is its `b`, true while the subtree is the old tree itself. */
function rootsFromConsistency(
  oldSize: number,
  newSize: number,
  oldRoot: Hash,
  isWhole: boolean,
  proof: readonly Hash[],
): { readonly before: Hash; readonly after: Hash } | undefined {
  if (oldSize === newSize) {
    const root = isWhole ? oldRoot : proof[0];
    return root !== undefined && proof.length === (isWhole ? 0 : 1) ? { before: root, after: root } : undefined;
  }
  const sibling = proof.at(-1);
  if (sibling === undefined) return undefined;
  const split = splitPoint(newSize);
  const below = proof.slice(0, -1);
  if (oldSize <= split) {
    const left = rootsFromConsistency(oldSize, split, oldRoot, isWhole, below);
    return left && { before: left.before, after: nodeHash(left.after, sibling) };
  }
  const right = rootsFromConsistency(oldSize - split, newSize - split, oldRoot, false, below);
  return right && { before: nodeHash(sibling, right.before), after: nodeHash(sibling, right.after) };
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return values.every((value) => value.length === HASH_BYTES);
}
