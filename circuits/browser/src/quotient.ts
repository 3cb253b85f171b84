/**
 * The quotient polynomial h of Groth16: (a·b − c)/(xⁿ − 1), for the polynomials that
 * take the rows' values at the n-th roots of one.
 *
 * The message m stands in one row only, m·m = m². So a = a₀ + m·e and b = b₀ + m·e,
 * c = c₀ + m²·e, with e the polynomial that is one at that row and zero at all
 * others, and h falls into h₀ + m·h₁ + m²·h₂:
 *
 *   h₀ = (a₀b₀ − c₀)/(xⁿ − 1),  h₁ = e·(a₀ + b₀)/(xⁿ − 1),  h₂ = (e² − e)/(xⁿ − 1).
 *
 * The first two are computed here, side by side in the two lanes, before m is
 * known; the third depends on the circuit alone and its sum stands in the key.
 */
import { type Kernel, PAIR, PAIR_WORDS, R, inScalars, inverse, power } from "./kernel";

/** A root of one of order 2^28, and a number that is none of order 2^28: gnark's choice. */
const ROOT = 19103219067921713944291392827692070036145651957329286315305642004821462161904n;
const ROOT_LOG = 28;
const SHIFT = 5n;

/** The Fourier transforms of one size, with the rows that they start from. */
export class Quotient {
  /** The number of rows. */
  readonly size: number;
  /** One pair for each row: (a, b), and (c, ·). Solving the circuit fills them, each up to its last row. */
  readonly sides: number;
  readonly products: number;

  readonly #kernel: Kernel;
  readonly #log: number;
  readonly #roots: number;
  readonly #inverseRoots: number;
  readonly #up: number;
  readonly #down: number;
  readonly #plain: number;
  readonly #late: number;

  /** lateRow is the row in which the message stands. */
  constructor(kernel: Kernel, log: number, lateRow: number) {
    const n = 1 << log;
    const w = power(ROOT, 1n << BigInt(ROOT_LOG - log), R);
    this.#kernel = kernel;
    this.#log = log;
    this.size = n;
    this.#roots = this.#powers(1n, w, n / 2);
    this.#inverseRoots = this.#powers(1n, inverse(w, R), n / 2);
    // Coefficients come in reversed order of their bits; so must the factors.
    const nth = inverse(BigInt(n), R);
    const divisor = inverse(power(SHIFT, BigInt(n), R) - 1n, R); // 1/(xⁿ − 1) where x is in the coset
    this.#up = this.#reversed(this.#powers(nth, SHIFT, n));
    this.#down = this.#reversed(this.#powers((nth * divisor) % R, inverse(SHIFT, R), n));
    this.#plain = kernel.pair(1n, 1n);
    this.sides = kernel.alloc(PAIR * n);
    this.products = kernel.alloc(PAIR * n);
    this.#late = kernel.alloc(PAIR * n);
    kernel.clear(this.#late, PAIR * n);
    kernel.put(this.#late + PAIR * lateRow, 0n, inScalars(1n));
    this.#lift(this.#late);
  }

  /**
   * Canonical scalars h₀ and h₁ for the bases of Z: the coefficients of all but the
   * highest power, which is zero. The rows are overwritten.
   */
  run(): { constant: Int32Array; linear: Int32Array } {
    const kernel = this.#kernel;
    const { call } = kernel;
    const { sides, products, size: n } = this;
    this.#lift(sides);
    this.#lift(products);
    call.hcombine(sides, sides, products, this.#late, n);
    this.#decimateFrequency(sides, this.#inverseRoots);
    call.rmulMany(sides, sides, this.#down, n, PAIR, PAIR, PAIR);
    call.rmulMany(sides, sides, this.#plain, n, PAIR, PAIR, 0);
    return { constant: kernel.scalars(sides, n - 1, 0), linear: kernel.scalars(sides, n - 1, 1) };
  }

  /** Zeroes the rows. */
  wipe(): void {
    this.#kernel.clear(this.sides, PAIR * this.size);
    this.#kernel.clear(this.products, PAIR * this.size);
  }

  /** From values at the roots of one to values at their multiples by SHIFT. */
  #lift(at: number): void {
    this.#decimateFrequency(at, this.#inverseRoots);
    this.#kernel.call.rmulMany(at, at, this.#up, this.size, PAIR, PAIR, PAIR);
    this.#decimateTime(at, this.#roots);
  }

  /** A transform from natural to reversed order. */
  #decimateFrequency(at: number, roots: number): void {
    const { dif } = this.#kernel.call;
    for (let m = this.size >> 1, step = PAIR; m > 0; m >>= 1, step <<= 1) {
      for (let b = 0; b < this.size; b += 2 * m) dif(at + PAIR * b, at + PAIR * (b + m), roots, m, PAIR, step);
    }
  }

  /** A transform from reversed to natural order. */
  #decimateTime(at: number, roots: number): void {
    const { dit } = this.#kernel.call;
    for (let m = 1, step = PAIR * (this.size >> 1); m < this.size; m <<= 1, step >>= 1) {
      for (let b = 0; b < this.size; b += 2 * m) dit(at + PAIR * b, at + PAIR * (b + m), roots, m, PAIR, step);
    }
  }

  /** first, first·step, first·step², … in both lanes. */
  #powers(first: bigint, step: bigint, count: number): number {
    const kernel = this.#kernel;
    const at = kernel.alloc(PAIR * (count + 1));
    const mark = kernel.mark();
    const factor = kernel.pair(inScalars(step), inScalars(step));
    kernel.put(at, inScalars(first), inScalars(first));
    kernel.call.rmulMany(at + PAIR, at, factor, count, PAIR, PAIR, 0);
    kernel.release(mark);
    return at;
  }

  /** The same numbers, each at the place that its own has with its bits reversed. */
  #reversed(from: number): number {
    const kernel = this.#kernel;
    const at = kernel.alloc(PAIR * this.size);
    for (let i = 0; i < this.size; i++) {
      let j = 0;
      for (let b = 0; b < this.#log; b++) j |= ((i >> b) & 1) << (this.#log - 1 - b);
      const source = (from >> 2) + i * PAIR_WORDS;
      kernel.words.copyWithin((at >> 2) + j * PAIR_WORDS, source, source + PAIR_WORDS);
    }
    return at;
  }
}
