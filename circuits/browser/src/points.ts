/**
 * Compressed points: x, with the lowest bit of y's image y·2^261 mod p in the top
 * bit of x (of x₀ and y₀ over Fp2), 32 bytes for each coordinate.
 *
 * y is either computed, by a square root that takes 254 squarings, or given: a
 * given y is taken only if the curve's equation and the bit hold, so that it can
 * come from anywhere.
 */
import { G1, type Group } from "./curve";
import { type Kernel, LIMBS, P, PAIR, P_LIMBS, WIRE_WORDS, inField, inverse } from "./kernel";

/** Points in memory: each in an affine form, and its negative behind it. */
export interface Bases {
  readonly group: Group;
  readonly count: number;
  readonly at: number;
}

/** Square roots on the two curves. */
export class Roots {
  readonly #kernel: Kernel;
  readonly #quarter: { at: number; count: number }; // (p + 1)/4
  readonly #lower: { at: number; count: number }; // (p − 3)/4
  readonly #three: number;
  readonly #twist: readonly [number, number]; // 3/(9 + u), each coordinate in both lanes
  readonly #half: number;
  readonly #scratch: readonly number[];

  constructor(kernel: Kernel) {
    const both = (x: bigint): number => kernel.pair(inField(x), inField(x));
    this.#kernel = kernel;
    this.#quarter = kernel.bits((P + 1n) / 4n);
    this.#lower = kernel.bits((P - 3n) / 4n);
    this.#three = both(3n);
    const norm = inverse(82n, P); // 1/(9 + u) = (9 − u)/82
    this.#twist = [both((27n * norm) % P), both(P - ((3n * norm) % P))];
    this.#half = both((P + 1n) / 2n);
    this.#scratch = Array.from({ length: 8 }, () => kernel.alloc(PAIR));
  }

  /** x³ + 3 for both of a pair. */
  #cubic(to: number, x: number): void {
    const { mul, add } = this.#kernel.call;
    mul(to, x, x);
    mul(to, to, x);
    add(to, to, this.#three);
  }

  /** Candidates for y at two x of G1, right up to the sign where x is on the curve. */
  first(y: number, x: number): void {
    const t = this.#scratch[0]!;
    this.#cubic(t, x);
    this.#kernel.call.pow(y, t, this.#quarter.at, this.#quarter.count);
  }

  /**
   * Candidates for y at two x of G2; x and y are two pairs each, one for a coordinate.
   *
   * With c = x³ + b and N = √(c₀² + c₁²), t = (c₀ + N)/2 is y₀², or −y₁² where it is
   * no square. One power u = t^((p−3)/4) gives √(±t) = t·u and its inverse, ±u.
   */
  second(y: readonly [number, number], x: readonly [number, number]): void {
    const { add, mul, pow } = this.#kernel.call;
    const [c0, c1, n, t, u, v] = this.#scratch as [number, number, number, number, number, number];
    this.#cubicTwist(c0, c1, x);
    mul(n, c0, c0);
    mul(t, c1, c1);
    add(n, n, t);
    pow(n, n, this.#quarter.at, this.#quarter.count);
    add(t, c0, n);
    mul(t, t, this.#half);
    pow(u, t, this.#lower.at, this.#lower.count);
    mul(v, u, t);
    mul(n, v, u); // t^((p−1)/2): 1 or −1
    mul(u, u, c1);
    mul(u, u, this.#half); // c₁/2√(±t), up to the sign
    for (let lane = 0; lane < 2; lane++) this.#choose(lane, n, u, v, y);
  }

  #choose(lane: number, symbol: number, u: number, v: number, y: readonly [number, number]): void {
    const kernel = this.#kernel;
    kernel.canonical((symbol >> 2) + lane, 2, P_LIMBS);
    const square = kernel.big(symbol, lane) === inField(1n);
    this.#lane(lane, y[0], square ? v : u);
    this.#lane(lane, y[1], square ? u : v);
    if (!square && !kernel.isZero((y[0] >> 2) + lane, 2)) kernel.negate((y[0] >> 2) + lane, (y[0] >> 2) + lane, 2);
  }

  #lane(lane: number, to: number, from: number): void {
    const { words } = this.#kernel;
    for (let i = 0; i < LIMBS; i++) words[(to >> 2) + 2 * i + lane] = words[(from >> 2) + 2 * i + lane]!;
    this.#kernel.canonical((to >> 2) + lane, 2, P_LIMBS);
  }

  /** x³ + 3/(9 + u) of two points of G2. */
  #cubicTwist(c0: number, c1: number, x: readonly [number, number]): void {
    const { add, sub, mul } = this.#kernel.call;
    const [, , , , , , a, b] = this.#scratch as [number, number, number, number, number, number, number, number];
    add(c0, x[0], x[1]);
    sub(c1, x[0], x[1]);
    mul(a, c0, c1);
    mul(b, x[0], x[1]);
    add(b, b, b); // x² = a + b·u
    mul(c0, a, x[0]);
    mul(c1, b, x[1]);
    sub(c0, c0, c1);
    add(c0, c0, this.#twist[0]);
    mul(c1, a, x[1]);
    mul(a, b, x[0]);
    add(c1, c1, a);
    add(c1, c1, this.#twist[1]);
  }

  /** Whether y² = x³ + 3 for both of a pair. */
  onFirst(y: number, x: number): boolean {
    const { mul } = this.#kernel.call;
    const [c, s] = this.#scratch as [number, number];
    this.#cubic(c, x);
    mul(s, y, y);
    return this.#equal(c, s);
  }

  /** Whether y² = x³ + 3/(9 + u) for two points of G2. */
  onSecond(y: readonly [number, number], x: readonly [number, number]): boolean {
    const { add, sub, mul } = this.#kernel.call;
    const [c0, c1, s, t] = this.#scratch as [number, number, number, number];
    this.#cubicTwist(c0, c1, x);
    add(s, y[0], y[1]);
    sub(t, y[0], y[1]);
    mul(s, s, t);
    mul(t, y[0], y[1]);
    add(t, t, t);
    return this.#equal(c0, s) && this.#equal(c1, t);
  }

  /** Whether both of a pair are equal; a is lost. */
  #equal(a: number, b: number): boolean {
    const kernel = this.#kernel;
    kernel.call.sub(a, a, b);
    for (let lane = 0; lane < 2; lane++) {
      kernel.canonical((a >> 2) + lane, 2, P_LIMBS);
      if (!kernel.isZero((a >> 2) + lane, 2)) return false;
    }
    return true;
  }
}

const SIGN = 0x80000000;

/** Compressed points of one part of the key; computes or checks their y, and loads them. */
export class Compressed {
  readonly group: Group;
  readonly count: number;
  readonly #kernel: Kernel;
  readonly #roots: Roots;
  readonly #signs: Uint8Array;
  readonly #x: Uint32Array;
  readonly #coordinates: number; // 1 or 2
  // Two points at a time: a pair for each coordinate, one point in each lane.
  readonly #px: [number, number];
  readonly #py: [number, number];

  constructor(kernel: Kernel, roots: Roots, group: Group, words: Uint32Array) {
    const half = group.words / 2;
    this.group = group;
    this.count = words.length / half;
    this.#kernel = kernel;
    this.#roots = roots;
    this.#coordinates = group === G1 ? 1 : 2;
    this.#x = words.slice();
    this.#signs = new Uint8Array(this.count);
    for (let i = 0; i < this.count; i++) {
      const top = i * half + WIRE_WORDS - 1;
      this.#signs[i] = this.#x[top]! >>> 31;
      this.#x[top]! &= ~SIGN;
    }
    this.#px = [kernel.alloc(PAIR), kernel.alloc(PAIR)];
    this.#py = [kernel.alloc(PAIR), kernel.alloc(PAIR)];
  }

  /** The y of all points. */
  expand(): Uint32Array<ArrayBuffer> {
    const out = new Uint32Array(this.#x.length);
    for (let i = 0; i < this.count; i += 2) {
      this.#take(this.#px, this.#x, i);
      if (this.group === G1) this.#roots.first(this.#py[0], this.#px[0]);
      else this.#roots.second(this.#py, this.#px);
      for (let lane = 0; lane < 2 && i + lane < this.count; lane++) this.#give(i + lane, lane, out);
    }
    return out;
  }

  /** Whether these are the y of all points. */
  agrees(y: Uint32Array): boolean {
    if (y.length !== this.#x.length) return false;
    for (let i = 0; i < this.count; i += 2) {
      this.#take(this.#px, this.#x, i);
      this.#take(this.#py, y, i);
      const on = this.group === G1 ? this.#roots.onFirst(this.#py[0], this.#px[0]) : this.#roots.onSecond(this.#py, this.#px);
      if (!on) return false;
      for (let lane = 0; lane < 2 && i + lane < this.count; lane++) {
        if (!this.#canonical(y, i + lane) || (y[(i + lane) * this.#stride]! & 1) !== this.#signs[i + lane]) return false;
      }
    }
    return true;
  }

  /** Puts the points into memory, each with its negative. */
  load(y: Uint32Array): Bases {
    const kernel = this.#kernel;
    const { size } = this.group;
    const at = kernel.alloc(2 * size * this.count);
    const step = this.#coordinates;
    for (let i = 0; i < this.count; i++) {
      const point = (at + 2 * size * i) >> 2;
      const negative = point + (size >> 2);
      const half = size >> 3; // words of a coordinate
      for (let c = 0; c < step; c++) {
        const from = i * this.#stride + c * WIRE_WORDS;
        kernel.unpack(this.#x, from, point + c, step);
        kernel.unpack(y, from, point + half + c, step);
        kernel.negate(point + half + c, negative + half + c, step);
      }
      kernel.words.copyWithin(negative, point, point + half);
    }
    return { group: this.group, count: this.count, at };
  }

  /** Words of a compressed point. */
  get #stride(): number {
    return WIRE_WORDS * this.#coordinates;
  }

  /** Points i and i+1 (the last one twice, where i is the last) to the lanes of pairs. */
  #take(to: readonly [number, number], from: Uint32Array, i: number): void {
    for (let lane = 0; lane < 2; lane++) {
      const point = Math.min(i + lane, this.count - 1) * this.#stride;
      for (let c = 0; c < this.#coordinates; c++) this.#kernel.unpack(from, point + c * WIRE_WORDS, (to[c]! >> 2) + lane, 2);
    }
  }

  /** The computed y of one lane, with the sign of its point. */
  #give(i: number, lane: number, out: Uint32Array): void {
    const kernel = this.#kernel;
    for (let c = 0; c < this.#coordinates; c++) kernel.canonical((this.#py[c]! >> 2) + lane, 2, P_LIMBS);
    const turn = (kernel.words[(this.#py[0] >> 2) + lane]! & 1) !== this.#signs[i];
    for (let c = 0; c < this.#coordinates; c++) {
      const at = (this.#py[c]! >> 2) + lane;
      if (turn && !kernel.isZero(at, 2)) kernel.negate(at, at, 2);
      kernel.pack(at, 2, out, i * this.#stride + c * WIRE_WORDS);
    }
  }

  /** Whether the y of a point is below p. */
  #canonical(y: Uint32Array, i: number): boolean {
    for (let c = 0; c < this.#coordinates; c++) if (!below(y, i * this.#stride + c * WIRE_WORDS)) return false;
    return true;
  }
}

const P_WORDS = Uint32Array.from({ length: WIRE_WORDS }, (_, i) => Number((P >> BigInt(32 * i)) & 0xffffffffn));

/** Whether eight words are a number below p. */
export function below(words: Uint32Array, from: number): boolean {
  for (let i = WIRE_WORDS - 1; i >= 0; i--) {
    if (words[from + i]! !== P_WORDS[i]!) return words[from + i]! < P_WORDS[i]!;
  }
  return false;
}
