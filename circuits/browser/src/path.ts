/**
 * The way from a place to the root of the 8-ary tree (circuits/tree), computed from
 * all leaves, so that nobody learns which place was asked for. The kernel makes two
 * nodes at once; tree.ts is the reference that this is compared with.
 */
import { ProverError } from "./error";
import { type Kernel, LIMBS, PAIR, PLAIN, R, R_LIMBS, WIRE_WORDS, inScalars } from "./kernel";

const ARITY = 8;
const LEVELS = 7;
const LEAF_BYTES = 32;
const CAPACITY = ARITY ** LEVELS;

/** 2^522 modulo r: what brings a number into the kernel's form. */
const SQUARE = inScalars(inScalars(1n));

/** All children of each node passed, from the leaves up, and the root. */
export interface Way {
  path: bigint[][];
  root: bigint;
}

/** Computes the way; leaves are 32 bytes each, big-endian, zero where emptied. */
export function wayTo(kernel: Kernel, leaves: Uint8Array, place: number): Way {
  const count = leaves.length / LEAF_BYTES;
  if (!Number.isInteger(count) || count > CAPACITY) {
    throw new ProverError("witness", `leaves: ${leaves.length} bytes; a list has ${LEAF_BYTES} for each leaf, and at most ${CAPACITY} leaves`);
  }
  if (!Number.isInteger(place) || place < 0 || place >= count) {
    throw new ProverError("witness", `the leaf's place is none of the ${count} of the list; fetch it again`);
  }
  const mark = kernel.mark();
  try {
    return climb(new Level(kernel, leaves, count), place);
  } finally {
    kernel.release(mark);
    kernel.wipe();
  }
}

function climb(level: Level, place: number): Way {
  const path: bigint[][] = [];
  for (let i = 0; i < LEVELS; i++) {
    place = Math.floor(place / ARITY);
    path.push(level.children(place));
    level.up();
  }
  return { path, root: level.first() };
}

/** One level of the tree, replaced by the one above it; places behind the last are empty subtrees. */
class Level {
  readonly #kernel: Kernel;
  readonly #at: number; // plain elements
  readonly #empty: number; // 16 plain elements: the empty subtree of this level
  readonly #pair: number;
  readonly #plain: number;
  #count: number;

  constructor(kernel: Kernel, leaves: Uint8Array, count: number) {
    this.#kernel = kernel;
    this.#count = count;
    this.#pair = kernel.alloc(PAIR);
    this.#plain = kernel.pair(1n, 1n);
    this.#empty = kernel.alloc(PLAIN * 2 * ARITY);
    kernel.clear(this.#empty, PLAIN * 2 * ARITY);
    this.#at = kernel.alloc(PLAIN * 2 * ARITY * Math.ceil(count / (2 * ARITY)));
    this.#load(leaves);
  }

  /** The eight children of a node. */
  children(parent: number): bigint[] {
    return Array.from({ length: ARITY }, (_, i) => {
      const at = parent * ARITY + i;
      return this.#value(at < this.#count ? this.#at + PLAIN * at : this.#empty);
    });
  }

  first(): bigint {
    return this.#value(this.#at);
  }

  /** To the level above. */
  up(): void {
    const kernel = this.#kernel;
    const rounds = Math.ceil(this.#count / (2 * ARITY));
    for (let i = this.#count; i < rounds * 2 * ARITY; i++) kernel.copy(this.#at + PLAIN * i, this.#empty, PLAIN);
    kernel.call.nodes(this.#at, this.#at, rounds);
    kernel.call.nodes(this.#empty, this.#empty, 1);
    for (let i = 2; i < 2 * ARITY; i++) kernel.copy(this.#empty + PLAIN * i, this.#empty, PLAIN);
    this.#count = Math.ceil(this.#count / ARITY);
  }

  /** Reads the leaves by twos; a value of r or more is refused, never reduced. */
  #load(leaves: Uint8Array): void {
    const kernel = this.#kernel;
    const view = new DataView(leaves.buffer, leaves.byteOffset, leaves.byteLength);
    const square = kernel.pair(SQUARE, SQUARE);
    const words = new Uint32Array(WIRE_WORDS);
    const two = this.#pair;
    for (let i = 0; i < this.#count; i += 2) {
      for (let lane = 0; lane < 2; lane++) {
        const leaf = Math.min(i + lane, this.#count - 1);
        for (let w = 0; w < WIRE_WORDS; w++) words[w] = view.getUint32(LEAF_BYTES * (leaf + 1) - 4 * (w + 1));
        if (!belowOrder(words)) throw new ProverError("witness", `leaf at place ${leaf}: not less than the field's order r; fetch the leaves again`);
        kernel.unpack(words, 0, (two >> 2) + lane, 2);
      }
      kernel.call.rmul(two, two, square);
      this.#scatter(two, i);
    }
  }

  #scatter(two: number, i: number): void {
    const { words } = this.#kernel;
    for (let lane = 0; lane < 2; lane++) {
      const to = (this.#at + PLAIN * (i + lane)) >> 2;
      for (let j = 0; j < LIMBS; j++) words[to + j] = words[(two >> 2) + 2 * j + lane]!;
    }
  }

  #value(at: number): bigint {
    const kernel = this.#kernel;
    kernel.call.gather(this.#pair, at, at);
    kernel.call.rmul(this.#pair, this.#pair, this.#plain);
    kernel.canonical(this.#pair >> 2, 2, R_LIMBS);
    return kernel.big(this.#pair, 0);
  }
}

const R_WORDS = Uint32Array.from({ length: WIRE_WORDS }, (_, i) => Number((R >> BigInt(32 * i)) & 0xffffffffn));

function belowOrder(words: Uint32Array): boolean {
  for (let i = WIRE_WORDS - 1; i >= 0; i--) if (words[i]! !== R_WORDS[i]!) return words[i]! < R_WORDS[i]!;
  return false;
}
