/**
 * The field of twelve dimensions in which pairings take their values, over the
 * kernel's Fp2: Fp6 = Fp2[v]/(v³ − ξ) with ξ = 9 + u, Fp12 = Fp6[w]/(w² − v).
 *
 * An element of Fp6 is three pairs in a row, one of Fp12 six: those of 1, v, v²,
 * w, vw, v²w. Arguments are addresses; a result may stand where an operand stood.
 */
import type { Curve } from "./curve";
import { type Kernel, P, PAIR, P_LIMBS, inField } from "./kernel";

/** Bytes of an element of Fp6 and of Fp12. */
export const SIX = 3 * PAIR;
export const TWELVE = 2 * SIX;

/** A number of Fp2 with public coordinates. */
export type Two = readonly [bigint, bigint];

const XI: Two = [9n, 1n];
/** The parameter x of the curve. */
export const CURVE_X = 4965661367192848881n;

/** The places of 1, w, w², … w⁵ in an element of Fp12. */
const POWERS_OF_W = [0, SIX, PAIR, SIX + PAIR, 2 * PAIR, SIX + 2 * PAIR];

export function multiply2(a: Two, b: Two): Two {
  const mod = (x: bigint): bigint => ((x % P) + P) % P;
  return [mod(a[0] * b[0] - a[1] * b[1]), mod(a[0] * b[1] + a[1] * b[0])];
}

function power2(base: Two, exponent: bigint): Two {
  let out: Two = [1n, 0n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) out = multiply2(out, base);
    base = multiply2(base, base);
  }
  return out;
}

/** ξ^(i(p−1)/6) for i = 0 to 5: what w^i is multiplied by when it is raised to p. */
export const FROBENIUS: readonly Two[] = (() => {
  const sixth = power2(XI, (P - 1n) / 6n);
  const out: Two[] = [[1n, 0n]];
  for (let i = 1; i < 6; i++) out.push(multiply2(out[i - 1]!, sixth));
  return out;
})();

/** Digits −1, 0 and 1 of a number, the least first, no two neighbours not zero. */
export function signedDigits(x: bigint): number[] {
  const out: number[] = [];
  for (; x > 0n; x >>= 1n) {
    const digit = x & 1n ? 2 - Number(x & 3n) : 0;
    out.push(digit);
    x -= BigInt(digit);
  }
  return out;
}

/** Arithmetic in Fp6 and Fp12. */
export class Tower {
  readonly #kernel: Kernel;
  readonly #g2: Curve;
  readonly #xi: number;
  readonly #zero: number;
  readonly #one: number;
  readonly #conjugation: number;
  /** Factors of w^i for the powers p, p² and p³. */
  readonly #frobenius: readonly (readonly number[])[];
  readonly #s: readonly number[]; // scratch of Fp6 products
  readonly #t: readonly number[]; // of sparse products, and of Fp12
  readonly #u: readonly number[]; // of inversion and powers

  /** g2 lends its inversion in Fp2. */
  constructor(kernel: Kernel, g2: Curve) {
    const two = ([a, b]: Two): number => kernel.pair(inField(a), inField(b));
    const six = (): number => kernel.alloc(SIX);
    this.#kernel = kernel;
    this.#g2 = g2;
    this.#xi = two(XI);
    this.#zero = kernel.alloc(TWELVE);
    kernel.clear(this.#zero, TWELVE);
    this.#one = two([1n, 0n]);
    this.#conjugation = two([1n, P - 1n]);
    const norm = ([a, b]: Two): Two => [(a * a + b * b) % P, 0n];
    const both = ([a]: Two): Two => [a, a]; // a factor of Fp, for the products of lanes
    this.#frobenius = [
      FROBENIUS.map(two),
      FROBENIUS.map((f) => two(both(norm(f)))),
      FROBENIUS.map((f) => two(multiply2(f, norm(f)))),
    ];
    this.#s = Array.from({ length: 4 }, six);
    this.#t = Array.from({ length: 5 }, six);
    this.#u = Array.from({ length: 4 }, () => kernel.alloc(TWELVE));
  }

  setOne(to: number): void {
    this.#kernel.clear(to, TWELVE);
    this.#kernel.copy(to, this.#one, PAIR);
  }

  copy(to: number, a: number): void {
    this.#kernel.copy(to, a, TWELVE);
  }

  /** Whether two elements are equal; both are made canonical. */
  equal(a: number, b: number): boolean {
    const kernel = this.#kernel;
    for (let i = 0; i < 6; i++) {
      for (let lane = 0; lane < 2; lane++) {
        for (const x of [a, b]) kernel.canonical(((x + PAIR * i) >> 2) + lane, 2, P_LIMBS);
        if (kernel.big(a + PAIR * i, lane) !== kernel.big(b + PAIR * i, lane)) return false;
      }
    }
    return true;
  }

  multiply(to: number, a: number, b: number): void {
    const [x, y, z, p, q] = this.#t as [number, number, number, number, number];
    this.#add6(p, a, a + SIX);
    this.#add6(q, b, b + SIX);
    this.#multiply6(x, a, b);
    this.#multiply6(y, a + SIX, b + SIX);
    this.#multiply6(z, p, q);
    this.#sub6(z, z, x);
    this.#sub6(to + SIX, z, y);
    this.#timesV(y, y);
    this.#add6(to, x, y);
  }

  /** a² = (a₀ + a₁)(a₀ + v·a₁) − a₀a₁ − v·a₀a₁, and 2a₀a₁. */
  square(to: number, a: number): void {
    const [x, y, z, p] = this.#t as [number, number, number, number];
    this.#multiply6(x, a, a + SIX);
    this.#add6(p, a, a + SIX);
    this.#timesV(y, a + SIX);
    this.#add6(y, y, a);
    this.#multiply6(z, p, y);
    this.#sub6(z, z, x);
    this.#timesV(p, x);
    this.#sub6(to, z, p);
    this.#add6(to + SIX, x, x);
  }

  /** f = f·(1 + a·w + b·w³). */
  multiplyLine(f: number, a: number, b: number): void {
    const [x, y] = this.#t as [number, number];
    const sum = this.#t[2]!;
    this.#kernel.call.add(sum, a, b);
    this.#sparse(x, f + SIX, a, b, sum);
    this.#sparse(y, f, a, b, sum);
    this.#add6(f + SIX, f + SIX, y);
    this.#timesV(x, x);
    this.#add6(f, f, x);
  }

  /** x·(a + b·v). */
  #sparse(to: number, x: number, a: number, b: number, sum: number): void {
    const { add, sub, mulE2 } = this.#kernel.call;
    const [t] = this.#s as [number];
    mulE2(t, x, a);
    mulE2(t + PAIR, x + PAIR, b);
    add(t + 2 * PAIR, x, x + PAIR);
    mulE2(to + PAIR, t + 2 * PAIR, sum);
    sub(to + PAIR, to + PAIR, t);
    sub(to + PAIR, to + PAIR, t + PAIR);
    mulE2(t + 2 * PAIR, x + 2 * PAIR, b);
    mulE2(t + 2 * PAIR, t + 2 * PAIR, this.#xi);
    add(to, t, t + 2 * PAIR);
    mulE2(t + 2 * PAIR, x + 2 * PAIR, a);
    add(to + 2 * PAIR, t + 2 * PAIR, t + PAIR);
  }

  /** The conjugate over Fp6: the inverse of an element whose norm is one. */
  conjugate(to: number, a: number): void {
    this.#kernel.copy(to, a, SIX);
    this.#sub6(to + SIX, this.#zero, a + SIX);
  }

  /** 1/a = (a₀ − a₁w)/(a₀² − v·a₁²). */
  invert(to: number, a: number): void {
    const [x, y] = this.#t as [number, number];
    this.#multiply6(x, a, a);
    this.#multiply6(y, a + SIX, a + SIX);
    this.#timesV(y, y);
    this.#sub6(x, x, y);
    this.#invert6(x, x);
    this.#multiply6(to, a, x);
    this.#multiply6(to + SIX, a + SIX, x);
    this.#sub6(to + SIX, this.#zero, to + SIX);
  }

  /** a to the power p, p² or p³. */
  frobenius(to: number, a: number, power: 1 | 2 | 3): void {
    const { mul, mulE2 } = this.#kernel.call;
    POWERS_OF_W.forEach((place, i) => {
      const factor = this.#frobenius[power - 1]![i]!;
      if (power === 2) {
        mul(to + place, a + place, factor);
        return;
      }
      mul(to + place, a + place, this.#conjugation);
      mulE2(to + place, to + place, factor);
    });
  }

  /** a², for an element of the cyclotomic subgroup (Granger and Scott, ePrint 2009/565). */
  cyclotomicSquare(to: number, a: number): void {
    const { add, addMany, sub, mulE2, mulE2Many } = this.#kernel.call;
    const [s, p, q] = this.#t as [number, number, number]; // three pairs each
    const w = a + SIX;
    // For each of three elements of Fp4: low² + ξ·high², and twice their product.
    const fours = [[a, w + PAIR], [w, a + 2 * PAIR], [a + PAIR, w + 2 * PAIR]] as const;
    fours.forEach(([low, high], i) => {
      mulE2(s + PAIR * i, low, low);
      mulE2(p + PAIR * i, high, high);
      mulE2(q + PAIR * i, low, high);
    });
    mulE2Many(p, p, this.#xi, 3, PAIR, PAIR, 0);
    addMany(s, s, p, 3, PAIR, PAIR, PAIR);
    addMany(q, q, q, 3, PAIR, PAIR, PAIR);
    mulE2(q + 2 * PAIR, q + 2 * PAIR, this.#xi);
    const wins = [s, s + PAIR, s + 2 * PAIR, q + 2 * PAIR, q, q + PAIR];
    wins.forEach((t, i) => {
      const at = PAIR * i;
      if (i < 3) sub(to + at, t, a + at);
      else add(to + at, t, a + at);
      add(to + at, to + at, to + at);
      add(to + at, to + at, t);
    });
  }

  /** The final exponentiation: f^((p¹² − 1)/r·2x(6x² + 3x + 1)), which is one for no other reason than f's own. */
  finalPower(f: number): void {
    const kernel = this.#kernel;
    const mark = kernel.mark();
    const [x1, x2, x6, x66, a, b] = Array.from({ length: 6 }, () => kernel.alloc(TWELVE)) as [number, number, number, number, number, number];
    // (p⁶ − 1)(p² + 1)
    this.conjugate(a, f);
    this.invert(b, f);
    this.multiply(a, a, b);
    this.frobenius(f, a, 2);
    this.multiply(f, f, a);
    // The rest after Fuentes-Castañeda, Knapp and Rodríguez-Henríquez (SAC 2011).
    this.#powerX(x1, f);
    this.cyclotomicSquare(x2, x1);
    this.cyclotomicSquare(x6, x2);
    this.multiply(x6, x6, x2);
    this.#powerX(x66, x6);
    this.cyclotomicSquare(a, x66);
    this.#powerX(b, a);
    this.multiply(a, b, x66);
    this.multiply(a, a, x6); // 12x³ + 6x² + 6x
    this.conjugate(x2, x2);
    this.multiply(b, a, x2); // 12x³ + 6x² + 4x
    this.multiply(x1, a, x66);
    this.multiply(x1, x1, f);
    this.conjugate(f, f);
    this.multiply(x6, b, f);
    this.frobenius(x6, x6, 3);
    this.frobenius(a, a, 2);
    this.frobenius(b, b, 1);
    this.multiply(f, x1, b);
    this.multiply(f, f, a);
    this.multiply(f, f, x6);
    kernel.release(mark);
  }

  /** a^x in the cyclotomic subgroup. */
  #powerX(to: number, a: number): void {
    const [base, inverse] = this.#u as [number, number];
    this.copy(base, a);
    this.conjugate(inverse, a);
    this.copy(to, a);
    for (let i = X_DIGITS.length - 2; i >= 0; i--) {
      this.cyclotomicSquare(to, to);
      if (X_DIGITS[i]! > 0) this.multiply(to, to, base);
      else if (X_DIGITS[i]! < 0) this.multiply(to, to, inverse);
    }
  }

  #add6(to: number, a: number, b: number): void {
    this.#kernel.call.addMany(to, a, b, 3, PAIR, PAIR, PAIR);
  }

  #sub6(to: number, a: number, b: number): void {
    this.#kernel.call.subMany(to, a, b, 3, PAIR, PAIR, PAIR);
  }

  /** a·v: (ξ·a₂, a₀, a₁). */
  #timesV(to: number, a: number): void {
    const kernel = this.#kernel;
    const [t] = this.#s as [number];
    kernel.call.mulE2(t, a + 2 * PAIR, this.#xi);
    kernel.copy(to + PAIR, a, 2 * PAIR);
    kernel.copy(to, t, PAIR);
  }

  /** Karatsuba's way: six products. */
  #multiply6(to: number, a: number, b: number): void {
    const { add, sub, mulE2, mulE2Many } = this.#kernel.call;
    const [t, x, y] = this.#s as [number, number, number];
    mulE2Many(t, a, b, 3, PAIR, PAIR, PAIR);
    for (const [sum, of] of [[x, a], [y, b]] as const) {
      add(sum, of + PAIR, of + 2 * PAIR);
      add(sum + PAIR, of, of + PAIR);
      add(sum + 2 * PAIR, of, of + 2 * PAIR);
    }
    mulE2Many(x, x, y, 3, PAIR, PAIR, PAIR);
    sub(x, x, t + PAIR);
    sub(x, x, t + 2 * PAIR);
    mulE2(x, x, this.#xi);
    sub(x + PAIR, x + PAIR, t);
    sub(x + PAIR, x + PAIR, t + PAIR);
    sub(x + 2 * PAIR, x + 2 * PAIR, t);
    sub(x + 2 * PAIR, x + 2 * PAIR, t + 2 * PAIR);
    mulE2(y, t + 2 * PAIR, this.#xi);
    add(to, t, x);
    add(to + PAIR, x + PAIR, y);
    add(to + 2 * PAIR, x + 2 * PAIR, t + PAIR);
  }

  /** 1/a by the adjoint: (a₀² − ξa₁a₂, ξa₂² − a₀a₁, a₁² − a₀a₂) over the norm. */
  #invert6(to: number, a: number): void {
    const { add, sub, mulE2, mulE2Many } = this.#kernel.call;
    const [t] = this.#s as [number];
    const adjoint = this.#u[2]!;
    const [a0, a1, a2] = [a, a + PAIR, a + 2 * PAIR];
    mulE2(adjoint, a0, a0);
    mulE2(t, a1, a2);
    mulE2(t, t, this.#xi);
    sub(adjoint, adjoint, t);
    mulE2(adjoint + PAIR, a2, a2);
    mulE2(adjoint + PAIR, adjoint + PAIR, this.#xi);
    mulE2(t, a0, a1);
    sub(adjoint + PAIR, adjoint + PAIR, t);
    mulE2(adjoint + 2 * PAIR, a1, a1);
    mulE2(t, a0, a2);
    sub(adjoint + 2 * PAIR, adjoint + 2 * PAIR, t);
    mulE2(t, a2, adjoint + PAIR);
    mulE2(t + PAIR, a1, adjoint + 2 * PAIR);
    add(t, t, t + PAIR);
    mulE2(t, t, this.#xi);
    mulE2(t + PAIR, a0, adjoint);
    add(t, t, t + PAIR);
    this.#g2.invert(t + PAIR, t);
    mulE2Many(to, adjoint, t + PAIR, 3, PAIR, PAIR, 0);
  }
}

const X_DIGITS: readonly number[] = signedDigits(CURVE_X);
