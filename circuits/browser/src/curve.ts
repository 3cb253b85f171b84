/**
 * Points of the two groups and sums of few of them. G1 lies over Fp, G2 over Fp2;
 * a coordinate of G1 fills one lane of a pair and one of G2 both.
 *
 * The kernel's additions are incomplete: a point plus itself or its negative comes
 * to Z = 0, and from there no step leads away. So one look at the end finds it,
 * and a sum is right or refused.
 */
import { ProverError } from "./error";
import { type Kernel, LIMB, LIMBS, PAIR, PLAIN, P_LIMBS, WIRE_WORDS, inField, limbsOf } from "./kernel";

/** Points met that the incomplete additions cannot add. Whoever made the sum may make it in another way. */
export class Meeting extends ProverError {
  constructor(group: Group) {
    super("internal", `a sum in ${group.name} met a point and its like; try again`);
  }
}

/** What differs between the groups. */
export interface Group {
  readonly name: "G1" | "G2";
  /** Bytes of an affine point in lists of additions. */
  readonly size: number;
  /** Words of an affine point on the wire: x, then y. */
  readonly words: number;
}

export const G1: Group = { name: "G1", size: 2 * PLAIN, words: 2 * WIRE_WORDS };
export const G2: Group = { name: "G2", size: 2 * PAIR, words: 4 * WIRE_WORDS };

/** Bytes of an affine point as Horner takes it: a pair each for x and y. */
export const AFFINE = 2 * PAIR;

/** A point on the wire, or null: infinity. */
export type Point = Uint32Array | null;

/** 2^position times the affine point at an address. */
export interface Term {
  readonly position: number;
  readonly at: number;
}

/** Sums of multiples of single points of one group. */
export class Curve {
  readonly group: Group;
  readonly #kernel: Kernel;
  readonly #sum: number; // Jacobian
  readonly #one: number;
  readonly #zero: number;
  readonly #scratch: readonly number[];

  constructor(kernel: Kernel, group: Group) {
    this.group = group;
    this.#kernel = kernel;
    this.#sum = kernel.register(3 * PAIR);
    this.#one = kernel.pair(inField(1n), group === G1 ? inField(1n) : 0n);
    this.#zero = kernel.pair(0n, 0n);
    this.#scratch = [kernel.register(PAIR), kernel.register(PAIR), kernel.register(PAIR)];
  }

  /** Puts a point from the wire into memory. */
  load(words: Uint32Array, from = 0): number {
    const { group } = this;
    const kernel = this.#kernel;
    const at = kernel.alloc(AFFINE);
    kernel.clear(at, AFFINE);
    for (let c = 0; c < group.words / WIRE_WORDS; c++) kernel.unpack(words, from + c * WIRE_WORDS, this.#lane(at, c), 2);
    return at;
  }

  /** Takes an affine point out of memory, its coordinates below p. */
  store(at: number): Uint32Array {
    const out = new Uint32Array(this.group.words);
    for (let c = 0; c < this.group.words / WIRE_WORDS; c++) {
      this.#kernel.canonical(this.#lane(at, c), 2, P_LIMBS);
      this.#kernel.pack(this.#lane(at, c), 2, out, c * WIRE_WORDS);
    }
    return out;
  }

  /** −p in a new place. */
  negative(at: number): number {
    const kernel = this.#kernel;
    const to = kernel.alloc(AFFINE);
    kernel.copy(to, at, AFFINE);
    kernel.call.sub(to + PAIR, this.#zero, at + PAIR);
    return to;
  }

  /** Σ 2^position · point as a new affine point; null when there is no term. */
  sum(terms: readonly Term[]): number | null {
    const kernel = this.#kernel;
    const { dbl1, dbl2, madd1, madd2 } = kernel.call;
    const [double, add] = this.group === G1 ? [dbl1, madd1] : [dbl2, madd2];
    const rows: number[][] = [];
    for (const t of terms) (rows[t.position] ??= []).push(t.at);
    let started = false;
    for (let position = rows.length - 1; position >= 0; position--) {
      if (started) double(this.#sum);
      for (const at of rows[position] ?? []) {
        if (started) add(this.#sum, at);
        else this.#start(at);
        started = true;
      }
    }
    return started ? this.#affine() : null;
  }

  /** The word of coordinate c of an affine point: x, y over Fp; x0, x1, y0, y1 over Fp2. */
  #lane(at: number, c: number): number {
    return this.group === G1 ? (at + c * PAIR) >> 2 : ((at + (c >> 1) * PAIR) >> 2) + (c & 1);
  }

  #start(at: number): void {
    this.#kernel.copy(this.#sum, at, AFFINE);
    this.#kernel.copy(this.#sum + AFFINE, this.#one, PAIR);
  }

  /** (X/Z², Y/Z³) of the sum. */
  #affine(): number {
    const kernel = this.#kernel;
    const { mul, mulE2 } = kernel.call;
    const product = this.group === G1 ? mul : mulE2;
    const [i, t] = this.#scratch as [number, number, number];
    const z = this.#sum + 2 * PAIR;
    this.#refuseZero(z);
    const to = kernel.alloc(AFFINE);
    this.invert(i, z);
    product(t, i, i);
    product(to, this.#sum, t);
    product(t, t, i);
    product(to + PAIR, this.#sum + PAIR, t);
    return to;
  }

  /** 1/a of one coordinate; over Fp2 by the conjugate and the norm. */
  invert(to: number, a: number): void {
    const kernel = this.#kernel;
    const { call } = kernel;
    if (this.group === G1) {
      call.inv(to, a);
      return;
    }
    const conjugate = this.#scratch[2]!;
    call.sub(conjugate, this.#zero, a);
    for (let i = 0; i < LIMBS; i++) kernel.words[(conjugate >> 2) + 2 * i] = kernel.words[(a >> 2) + 2 * i]!;
    call.mulE2(to, a, conjugate);
    call.inv(to, to);
    for (let i = 0; i < LIMBS; i++) kernel.words[(to >> 2) + 2 * i + 1] = kernel.words[(to >> 2) + 2 * i]!;
    call.mul(to, conjugate, to);
  }

  #refuseZero(z: number): void {
    const kernel = this.#kernel;
    for (let lane = 0; lane < (this.group === G1 ? 1 : 2); lane++) {
      kernel.canonical((z >> 2) + lane, 2, P_LIMBS);
      if (!kernel.isZero((z >> 2) + lane, 2)) return;
    }
    throw new Meeting(this.group);
  }
}

/** The terms of scalar · point: signed digits, of which one in three is not zero. */
export function multiple(scalar: bigint, at: number, negative: number): Term[] {
  const out: Term[] = [];
  // Digits are read from words: shifting the whole number for each would be quadratic.
  const limbs = limbsOf(scalar);
  let carry = 0;
  const bit = (i: number): number => (i < LIMB * LIMBS ? (limbs[(i / LIMB) | 0]! >> i % LIMB) & 1 : 0);
  for (let i = 0; i < 256; i++) {
    const d = bit(i) + carry;
    carry = d >> 1;
    if ((d & 1) === 0) continue;
    const minus = bit(i + 1) === 1;
    if (minus) carry = 1;
    out.push({ position: i, at: minus ? negative : at });
  }
  return out;
}
