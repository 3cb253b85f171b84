/**
 * From sums over the key to proofs. Groth16's A, B and C are sums of the key's
 * single points and of what the parts gave; r and s are fresh for each proof, so
 * that none can be recognised again.
 *
 * The message m comes last: A = A₀ + m·lateA and B likewise, and C has
 * m·Z₁ + m²·lateC more, by the split of the quotient (quotient.ts).
 */
import { type Curve, type Point, type Term, multiple } from "./curve";
import { ProverError } from "./error";
import type { SingleName, SmallKey } from "./key";
import { type Kernel, P, PAIR, P_LIMBS, R } from "./kernel";
import { randomScalar } from "./random";

/** Length of a proof: A, B and C compressed. */
export const PROOF_BYTES = 128;

/** The sums of one witness. They are as secret as the witness itself: memory only. */
export interface Sums {
  readonly A: Point;
  readonly B1: Point;
  readonly B2: Point;
  readonly K: Point;
  readonly Z: Point;
  readonly Z1: Point;
}

/** A point to be multiplied: its address and its negative's. */
interface Pair {
  readonly at: number;
  readonly negative: number;
}

/** Makes proofs with one kernel. */
export class Assembly {
  readonly g1: Curve;
  readonly g2: Curve;
  readonly #kernel: Kernel;
  readonly #points: Readonly<Record<SingleName, Pair>>;
  readonly #plain: number;
  readonly #scratch: number;

  constructor(kernel: Kernel, g1: Curve, g2: Curve, key: SmallKey) {
    this.#kernel = kernel;
    this.g1 = g1;
    this.g2 = g2;
    const place = (name: SingleName): [SingleName, Pair] => [name, this.#pair(name.endsWith("2") ? g2 : g1, key.points[name])];
    this.#points = Object.fromEntries((Object.keys(key.points) as SingleName[]).map(place)) as Record<SingleName, Pair>;
    this.#plain = kernel.pair(1n, 1n);
    this.#scratch = kernel.register(PAIR);
  }

  /** One proof of the witness's statement and the message, in 128 bytes. */
  finish(sums: Sums, message: bigint): Uint8Array<ArrayBuffer> {
    const kernel = this.#kernel;
    const mark = kernel.mark();
    try {
      return this.#prove(sums, message, randomScalar(), randomScalar());
    } finally {
      kernel.release(mark);
      kernel.wipe();
    }
  }

  #prove(sums: Sums, m: bigint, r: bigint, s: bigint): Uint8Array<ArrayBuffer> {
    const { g1, g2 } = this;
    const { alpha, beta, delta, lateA, lateB, lateC, beta2, delta2, lateB2 } = this.#points;
    const a = this.#sum(g1, [...this.#once(g1, sums.A), once(alpha), ...times(m, lateA), ...times(r, delta)]);
    const b1 = this.#sum(g1, [...this.#once(g1, sums.B1), once(beta), ...times(m, lateB), ...times(s, delta)]);
    const b2 = this.#sum(g2, [...this.#once(g2, sums.B2), once(beta2), ...times(m, lateB2), ...times(s, delta2)]);
    const c = this.#sum(g1, [
      ...this.#once(g1, sums.K), ...this.#once(g1, sums.Z), ...this.#times(g1, m, sums.Z1), ...times((m * m) % R, lateC),
      ...times(s, this.#negated(g1, a)), ...times(r, this.#negated(g1, b1)), ...times((R - ((r * s) % R)) % R, delta),
    ]);
    return this.#encode(a, b2, c);
  }

  #sum(curve: Curve, terms: readonly Term[]): number {
    const at = curve.sum(terms);
    if (at === null) throw new ProverError("internal", "a part of the proof is infinity; prove again");
    return at;
  }

  #pair(curve: Curve, words: Uint32Array): Pair {
    return this.#negated(curve, curve.load(words));
  }

  #negated(curve: Curve, at: number): Pair {
    return { at, negative: curve.negative(at) };
  }

  #once(curve: Curve, point: Point): Term[] {
    return point === null ? [] : [{ position: 0, at: curve.load(point) }];
  }

  #times(curve: Curve, scalar: bigint, point: Point): Term[] {
    return point === null ? [] : times(scalar, this.#pair(curve, point));
  }

  /** A‖B‖C as gnark compresses them: big-endian x, the top bits 10 or 11 for the smaller or the larger y. */
  #encode(a: number, b: number, c: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(PROOF_BYTES);
    this.#write(out, 0, this.#value(a, 0), this.#value(a + PAIR, 0));
    const y1 = this.#value(b + PAIR, 1);
    this.#write(out, 32, this.#value(b, 1), y1 === 0n ? this.#value(b + PAIR, 0) : y1);
    this.#write(out, 64, this.#value(b, 0));
    this.#write(out, 96, this.#value(c, 0), this.#value(c + PAIR, 0));
    return out;
  }

  #write(out: Uint8Array, at: number, x: bigint, y?: bigint): void {
    for (let i = 31; i >= 0; i--, x >>= 8n) out[at + i] = Number(x & 0xffn);
    if (y !== undefined) out[at]! |= y > (P - 1n) / 2n ? 0xc0 : 0x80;
  }

  /** The number that one lane of a pair stands for. */
  #value(at: number, lane: number): bigint {
    const kernel = this.#kernel;
    kernel.call.mul(this.#scratch, at, this.#plain);
    kernel.canonical((this.#scratch >> 2) + lane, 2, P_LIMBS);
    return kernel.big(this.#scratch, lane);
  }
}

const once = (p: Pair): Term => ({ position: 0, at: p.at });
const times = (scalar: bigint, p: Pair): Term[] => multiple(scalar, p.at, p.negative);
