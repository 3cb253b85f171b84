// The 8-ary Merkle tree of leaves whose membership is proven: a pure function of
// the leaves and their places. All hashing is Poseidon2 in plain arithmetic; a
// list of more than some hundred leaves is the kernel's work, and this the
// reference that it is compared with.

import { decode, elementBytes } from "./field";
import { arity, node } from "./poseidon";

/** depth is the number of levels above the leaves, with places for 2^21. */
export const depth = 7;

/** capacity is the number of places of a tree. */
export const capacity = arity ** depth;

/** Path holds for each level from the leaves up all children of the node passed. */
export interface Path {
  path: bigint[][];
  root: bigint;
}

const emptyNodes: bigint[] = [0n];

/** empty is a node at a level whose leaves are all empty. */
export function empty(level: number): bigint {
  while (emptyNodes.length <= level) {
    emptyNodes.push(node(Array<bigint>(arity).fill(emptyNodes.at(-1)!)));
  }
  return emptyNodes[level]!;
}

/** ownLeaf is the path in the tree that holds one leaf alone, at place 0. */
export function ownLeaf(leaf: bigint): Path {
  return pathOf([leaf], 0);
}

/** ownLeafRoot is the root of that tree: anybody computes it from the public leaf. */
export function ownLeafRoot(leaf: bigint): bigint {
  return ownLeaf(leaf).root;
}

/**
 * path computes the way from a place to the root from all leaves of a tree: 32
 * bytes each, zero where emptied. One asks for all, because asking for one path
 * would tell whose it is.
 */
export function path(leaves: Uint8Array, place: number): Path {
  return pathOf(decodeLeaves(leaves), place);
}

/** root computes the root of a list of leaves. */
export function root(leaves: Uint8Array): bigint {
  return pathOf(decodeLeaves(leaves), 0).root;
}

/** decodeLeaves reads a list of leaves; a value of r or more is refused. */
export function decodeLeaves(leaves: Uint8Array): bigint[] {
  if (leaves.length % elementBytes !== 0 || leaves.length > capacity * elementBytes) {
    throw new RangeError(`leaves: ${leaves.length} bytes; a list has ${elementBytes} for each leaf, and at most ${capacity} leaves`);
  }
  const out: bigint[] = [];
  for (let at = 0; at < leaves.length; at += elementBytes) {
    out.push(decode(leaves.subarray(at, at + elementBytes), `leaf at place ${at / elementBytes}`));
  }
  return out;
}

function pathOf(leaves: bigint[], place: number): Path {
  if (!Number.isInteger(place) || place < 0 || place >= Math.max(1, leaves.length)) {
    throw new RangeError(`place ${place}: the list has ${leaves.length}`);
  }
  const levels: bigint[][] = [];
  let nodes = leaves;
  for (let level = 0; level < depth; level++) {
    place = Math.floor(place / arity);
    levels.push(children(nodes, level, place));
    nodes = Array.from({ length: Math.ceil(nodes.length / arity) }, (_, i) => parent(children(nodes, level, i), level));
  }
  return { path: levels, root: parent(levels.at(-1)!, depth - 1) };
}

function children(nodes: readonly bigint[], level: number, i: number): bigint[] {
  const eight = nodes.slice(i * arity, (i + 1) * arity);
  while (eight.length < arity) {
    eight.push(empty(level));
  }
  return eight;
}

function parent(eight: readonly bigint[], level: number): bigint {
  return eight.every((x) => x === empty(level)) ? empty(level + 1) : node(eight);
}
