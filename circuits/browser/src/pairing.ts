/**
 * The verifier of the page: e(A, B) = e(α, β)·e(L, γ)·e(C, δ), with L the sum of
 * the verifying key's K by the public inputs. What a device is about to send is
 * verified here first, from its bytes, so that no fault of memory, of a cached file
 * or of an incomplete addition ever leaves it.
 *
 * The second group's points are walked once, in Jacobian coordinates, and all
 * slopes on the way are divided with one inversion; a line is then 1 + a·w + b·w³.
 * For γ and δ, which the key fixes, that is done once.
 */
import { AFFINE, type Curve, type Term, multiple } from "./curve";
import { ProverError } from "./error";
import { type Kernel, LIMBS, P, PAIR, P_LIMBS, R, inField } from "./kernel";
import type { Roots } from "./points";
import { CURVE_X, FROBENIUS, TWELVE, Tower, signedDigits } from "./tower";

/** The number of public inputs. */
export const INPUTS = 20;

/** The message's place among them. */
export const MESSAGE = 3;

/** Bytes of a verifying key: α β₁ β γ δ₁ δ, the number 21, K₀ to K₂₀, and no commitments. */
export const KEY_BYTES = 3 * 32 + 3 * 64 + 4 + (INPUTS + 1) * 32 + 8;

/** The generators of the groups: x and y of G1, and the coordinates x₀, x₁, y₀, y₁ of G2. */
const GENERATOR = [1n, 2n] as const;
const GENERATOR2 = [
  10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  8495653923123431417604973247489272438418190587263600148770280649306958101930n,
  4082367875863433681332203403145435568316851327593401208105741076214120093531n,
] as const;

/** Digits of the walk to [6x + 2]Q, the least first. */
const LOOP: readonly number[] = signedDigits(6n * CURVE_X + 2n);
/** Lines of a walk: of each doubling, each addition, and the two at the end. */
const LINES = LOOP.length - 1 + LOOP.slice(0, -1).filter((d) => d !== 0).length + 2;
/** Bytes of a line: its slope λ, and λx − y of a point on it. */
const LINE = 2 * PAIR;

/** A point of G1 and the lines of its partner in G2. */
interface Partners {
  readonly lines: number;
  readonly point: number;
}

/** One verifying key in a kernel's memory. */
export class Verifier {
  readonly #kernel: Kernel;
  readonly #g1: Curve;
  readonly #g2: Curve;
  readonly #roots: Roots;
  readonly #tower: Tower;
  readonly #plain: number;
  readonly #conjugation: number;
  readonly #frobenius: readonly [number, number];
  readonly #k: readonly { at: number; negative: number }[];
  readonly #gamma: number; // lines
  readonly #delta: number;
  readonly #alphaBeta: number;
  /** δ on G1 and on G2, as on the wire. */
  readonly delta1: Uint32Array;
  readonly delta2: Uint32Array;

  /** Reads a verifying key in the form of circuits/verifier, which is gnark's. */
  constructor(kernel: Kernel, g1: Curve, g2: Curve, roots: Roots, key: Uint8Array) {
    this.#kernel = kernel;
    this.#g1 = g1;
    this.#g2 = g2;
    this.#roots = roots;
    this.#tower = new Tower(kernel, g2);
    this.#plain = kernel.pair(1n, 1n);
    this.#conjugation = kernel.pair(inField(1n), inField(P - 1n));
    this.#frobenius = [FROBENIUS[2]!, FROBENIUS[3]!].map(([a, b]) => kernel.pair(inField(a), inField(b))) as [number, number];
    if (key.length !== KEY_BYTES) throw new ProverError("internal", `verifying key: ${key.length} bytes, want ${KEY_BYTES}`);
    const first = (at: number): number => this.#present(this.#decodeFirst(key.subarray(at, at + 32)));
    const second = (at: number): number => this.#present(this.#decodeSecond(key.subarray(at, at + 64)));
    const kAt = 3 * 32 + 3 * 64 + 4;
    this.#k = Array.from({ length: INPUTS + 1 }, (_, i) => {
      const at = first(kAt + 32 * i);
      return { at, negative: g1.negative(at) };
    });
    this.#gamma = this.#walked(second(4 * 32));
    const delta = second(7 * 32);
    this.#delta = this.#walked(delta);
    this.delta1 = g1.store(first(6 * 32));
    this.delta2 = g2.store(delta);
    this.#alphaBeta = kernel.alloc(TWELVE);
    this.#pair(this.#alphaBeta, [{ point: first(0), lines: this.#walked(second(2 * 32)) }]);
  }

  /** Whether δ is the same multiple of both generators: e(δ₁, G₂) = e(G₁, δ₂). */
  deltasAgree(): boolean {
    return this.#within(() => {
      const kernel = this.#kernel;
      const g1 = kernel.alloc(AFFINE);
      kernel.put(g1, inField(GENERATOR[0]), 0n);
      kernel.put(g1 + PAIR, inField(P - GENERATOR[1]), 0n); // −G₁
      const [x0, x1, y0, y1] = GENERATOR2.map(inField) as [bigint, bigint, bigint, bigint];
      const g2 = kernel.alloc(AFFINE);
      kernel.put(g2, x0, x1);
      kernel.put(g2 + PAIR, y0, y1);
      const f = kernel.alloc(TWELVE);
      this.#pair(f, [{ point: this.#g1.load(this.delta1), lines: this.#walked(g2) }, { point: g1, lines: this.#delta }]);
      const one = kernel.alloc(TWELVE);
      this.#tower.setOne(one);
      return this.#tower.equal(f, one);
    });
  }

  /** K₀ + Σ xᵢKᵢ of all inputs but the message. */
  publicSum(inputs: readonly bigint[]): Uint32Array {
    return this.#within(() => this.#g1.store(this.#present(this.#g1.sum(this.#inputTerms(inputs.map((x, i) => (i === MESSAGE ? 0n : x)))))));
  }

  /** Whether a proof proves the statement with these public inputs. */
  verify(proof: Uint8Array, inputs: readonly bigint[]): boolean {
    if (inputs.length !== INPUTS || inputs.some((x) => x < 0n || x >= R)) return false;
    return this.verifyMessage(proof, this.publicSum(inputs), inputs[MESSAGE]!);
  }

  /** The same where all but the message was added up before. */
  verifyMessage(proof: Uint8Array, publicSum: Uint32Array, message: bigint): boolean {
    if (proof.length !== 128 || message < 0n || message >= R) return false;
    return this.#within(() => this.#holds(proof, publicSum, message));
  }

  #holds(proof: Uint8Array, publicSum: Uint32Array, message: bigint): boolean {
    const kernel = this.#kernel;
    const a = this.#decodeFirst(proof.subarray(0, 32));
    const b = this.#decodeSecond(proof.subarray(32, 96));
    const c = this.#decodeFirst(proof.subarray(96, 128));
    if (a === null || b === null || c === null) return false;
    const lines = kernel.alloc(LINE * LINES);
    if (!this.#walk(b, lines)) return false;
    const k = this.#k[1 + MESSAGE]!;
    const l = this.#g1.sum([{ position: 0, at: this.#g1.load(publicSum) }, ...multiple(message, k.at, k.negative)]);
    if (l === null) return false;
    const f = kernel.alloc(TWELVE);
    this.#pair(f, [
      { point: a, lines },
      { point: this.#g1.negative(l), lines: this.#gamma },
      { point: this.#g1.negative(c), lines: this.#delta },
    ]);
    return this.#tower.equal(f, this.#alphaBeta);
  }

  #within<T>(act: () => T): T {
    const mark = this.#kernel.mark();
    try {
      return act();
    } finally {
      this.#kernel.release(mark);
    }
  }

  #present(at: number | null): number {
    if (at === null) throw new ProverError("internal", "verifying key: a point is not on its curve, or infinity");
    return at;
  }

  #inputTerms(inputs: readonly bigint[]): Term[] {
    const zeroth: Term = { position: 0, at: this.#k[0]!.at };
    return [zeroth, ...inputs.flatMap((x, i) => multiple(x, this.#k[1 + i]!.at, this.#k[1 + i]!.negative))];
  }

  // Points from their 32 or 64 bytes, big-endian, with 10 or 11 in the top bits for
  // the smaller or larger y. Null where the bytes are not the one encoding of a
  // point other than infinity.

  #decodeFirst(bytes: Uint8Array): number | null {
    const kernel = this.#kernel;
    const [flag, x] = flagged(bytes);
    if ((flag !== 2 && flag !== 3) || x >= P) return null;
    const at = kernel.alloc(AFFINE);
    kernel.put(at, inField(x), inField(x));
    this.#roots.first(at + PAIR, at);
    if (!this.#roots.onFirst(at + PAIR, at)) return null;
    return this.#signed(this.#g1, at, this.#value(at + PAIR, 0), flag);
  }

  #decodeSecond(bytes: Uint8Array): number | null {
    const kernel = this.#kernel;
    const [flag, x1] = flagged(bytes.subarray(0, 32));
    const x0 = number(bytes.subarray(32));
    if ((flag !== 2 && flag !== 3) || x0 >= P || x1 >= P) return null;
    const both = (x: bigint): number => kernel.pair(inField(x), inField(x));
    const x: [number, number] = [both(x0), both(x1)];
    const y: [number, number] = [kernel.alloc(PAIR), kernel.alloc(PAIR)];
    this.#roots.second(y, x);
    if (!this.#roots.onSecond(y, x)) return null;
    const at = kernel.alloc(AFFINE);
    kernel.call.gather(at, this.#lane(x[0]), this.#lane(x[1]));
    kernel.call.gather(at + PAIR, this.#lane(y[0]), this.#lane(y[1]));
    const y1 = this.#value(at + PAIR, 1);
    return this.#signed(this.#g2, at, y1 === 0n ? this.#value(at + PAIR, 0) : y1, flag);
  }

  /** The point or its negative, as the flag says. */
  #signed(curve: Curve, at: number, y: bigint, flag: number): number {
    const larger = y > (P - 1n) / 2n;
    return larger === (flag === 3) ? at : curve.negative(at);
  }

  /** The first lane of a pair as a plain element. */
  #lane(at: number): number {
    const kernel = this.#kernel;
    const to = kernel.alloc(PAIR);
    for (let i = 0; i < LIMBS; i++) kernel.words[(to >> 2) + i] = kernel.words[(at >> 2) + 2 * i]!;
    return to;
  }

  /** The number that one lane stands for. */
  #value(at: number, lane: number): bigint {
    const kernel = this.#kernel;
    const t = kernel.alloc(PAIR);
    kernel.call.mul(t, at, this.#plain);
    kernel.canonical((t >> 2) + lane, 2, P_LIMBS);
    return kernel.big(t, lane);
  }

  #walked(q: number): number {
    const lines = this.#kernel.alloc(LINE * LINES);
    if (!this.#walk(q, lines)) throw new ProverError("internal", "verifying key: a point is outside its group");
    return lines;
  }

  /**
   * Writes the lines of a walk from Q to [6x + 2]Q + π(Q) − π²(Q). Returns whether Q
   * is of order r, which for a point of the curve other than infinity is the case
   * exactly when the walk ends at −π³(Q) (circuits/verifier/miller.go).
   */
  #walk(q: number, lines: number): boolean {
    return this.#within(() => {
      const walk = new Walk(this.#kernel, q, this.#g2.negative(q));
      for (let i = LOOP.length - 2; i >= 0; i--) {
        walk.double();
        if (LOOP[i]! > 0) walk.add(q);
        else if (LOOP[i]! < 0) walk.add(walk.negative);
      }
      const first = this.#endomorphism(q);
      const second = this.#endomorphism(first);
      const third = this.#endomorphism(second);
      walk.add(first);
      walk.add(this.#g2.negative(second));
      return walk.endsAt(this.#g2.negative(third)) && walk.finish(this.#g2, lines);
    });
  }

  /** π: (x̄·ξ^((p−1)/3), ȳ·ξ^((p−1)/2)). */
  #endomorphism(q: number): number {
    const { mul, mulE2 } = this.#kernel.call;
    const to = this.#kernel.alloc(AFFINE);
    for (const c of [0, 1] as const) {
      mul(to + PAIR * c, q + PAIR * c, this.#conjugation);
      mulE2(to + PAIR * c, to + PAIR * c, this.#frobenius[c]);
    }
    return to;
  }

  /** The product of the pairings of all partners. */
  #pair(to: number, partners: readonly Partners[]): void {
    const tower = this.#tower;
    const factors = partners.map((p) => ({ ...this.#factors(p.point), line: p.lines }));
    const line = this.#kernel.alloc(LINE);
    const { mul } = this.#kernel.call;
    const draw = (): void => {
      for (const p of factors) {
        mul(line, p.line, p.x);
        mul(line + PAIR, p.line + PAIR, p.y);
        tower.multiplyLine(to, line, line + PAIR);
        p.line += LINE;
      }
    };
    tower.setOne(to);
    for (let i = LOOP.length - 2; i >= 0; i--) {
      if (i < LOOP.length - 2) tower.square(to, to);
      draw();
      if (LOOP[i] !== 0) draw();
    }
    draw();
    draw();
    tower.finalPower(to);
  }

  /** −x/y and 1/y of a point of G1, each in both lanes. No point has y = 0: it would be of order 2. */
  #factors(point: number): { x: number; y: number } {
    const kernel = this.#kernel;
    const x = kernel.alloc(PAIR);
    const y = kernel.alloc(PAIR);
    const t = kernel.alloc(AFFINE);
    const [px, py] = [this.#lane(point), this.#lane(this.#g1.negative(point) + PAIR)];
    kernel.call.gather(t, px, px);
    kernel.call.gather(t + PAIR, py, py); // −y
    kernel.call.inv(y, t + PAIR);
    kernel.call.mul(x, t, y);
    const minus = kernel.pair(inField(P - 1n), inField(P - 1n));
    kernel.call.mul(y, y, minus);
    return { x, y };
  }
}

/** One step: the fraction that its slope is, and what gives a point of its line. */
interface Step {
  readonly numerator: number;
  /** Before a doubling the point, in Jacobian coordinates; at an addition the affine point added. */
  readonly point: number;
  readonly doubling: boolean;
}

/** A walk that collects its steps, to divide all slopes at once. */
class Walk {
  readonly negative: number;
  readonly #kernel: Kernel;
  readonly #at: number; // Jacobian
  readonly #steps: Step[] = [];
  readonly #denominators: number; // pairs in a row
  readonly #t: readonly [number, number];

  constructor(kernel: Kernel, q: number, negative: number) {
    this.#kernel = kernel;
    this.negative = negative;
    this.#at = kernel.alloc(3 * PAIR);
    kernel.copy(this.#at, q, AFFINE);
    kernel.clear(this.#at + AFFINE, PAIR);
    kernel.put(this.#at + AFFINE, inField(1n), 0n);
    this.#denominators = kernel.alloc(PAIR * LINES);
    this.#t = [kernel.alloc(PAIR), kernel.alloc(PAIR)];
  }

  /** To 2T: the slope of the tangent is 3X²/2YZ. */
  double(): void {
    const { add, mulE2, dbl2 } = this.#kernel.call;
    const point = this.#kernel.alloc(3 * PAIR);
    this.#kernel.copy(point, this.#at, 3 * PAIR);
    const { numerator, denominator } = this.#step(point, true);
    mulE2(denominator, point, point);
    add(numerator, denominator, denominator);
    add(numerator, numerator, denominator);
    mulE2(denominator, point + PAIR, point + 2 * PAIR);
    add(denominator, denominator, denominator);
    dbl2(this.#at);
  }

  /** To T + Q: the slope is (Y − y·Z³)/Z(X − x·Z²). */
  add(q: number): void {
    const { sub, mulE2, madd2 } = this.#kernel.call;
    const { numerator, denominator } = this.#step(q, false);
    this.#against(q);
    const [x, y] = this.#t;
    sub(numerator, this.#at + PAIR, y);
    sub(x, this.#at, x);
    mulE2(denominator, x, this.#at + 2 * PAIR);
    madd2(this.#at, q);
  }

  /** Whether the walk has come to the affine point Q. */
  endsAt(q: number): boolean {
    const kernel = this.#kernel;
    const [x, y] = this.#t;
    this.#against(q);
    kernel.call.sub(x, x, this.#at);
    kernel.call.sub(y, y, this.#at + PAIR);
    return !this.#zero(this.#at + 2 * PAIR) && this.#zero(x) && this.#zero(y);
  }

  /**
   * Divides the slopes and writes the lines. A denominator of zero, which no point of
   * order r comes to, makes their product zero and the walk worthless: false.
   */
  finish(g2: Curve, lines: number): boolean {
    const kernel = this.#kernel;
    const { mulE2, mulE2Many } = kernel.call;
    const n = this.#steps.length;
    const products = kernel.alloc(PAIR * (n + 1));
    kernel.put(products, inField(1n), 0n);
    mulE2Many(products + PAIR, products, this.#denominators, n, PAIR, PAIR, PAIR);
    const running = products + PAIR * n;
    if (this.#zero(running)) return false;
    const inverse = kernel.alloc(PAIR);
    g2.invert(running, running);
    for (let i = n - 1; i >= 0; i--) {
      mulE2(inverse, running, products + PAIR * i);
      mulE2(running, running, this.#denominators + PAIR * i);
      this.#line(lines + LINE * i, this.#steps[i]!, inverse);
    }
    return true;
  }

  /** λ, and λx − y; a doubling's x and y are X/Z² and Y/Z³ with 1/Z = 2Y/2YZ. */
  #line(to: number, step: Step, inverse: number): void {
    const { add, sub, mulE2 } = this.#kernel.call;
    const [t, z] = this.#t;
    const other = to + PAIR;
    mulE2(to, step.numerator, inverse);
    if (!step.doubling) {
      mulE2(other, to, step.point);
      sub(other, other, step.point + PAIR);
      return;
    }
    mulE2(z, step.point + PAIR, inverse);
    add(z, z, z);
    mulE2(t, step.point + PAIR, z);
    mulE2(other, to, step.point);
    sub(other, other, t); // λX − Y/Z
    mulE2(z, z, z);
    mulE2(other, other, z);
  }

  #step(point: number, doubling: boolean): { numerator: number; denominator: number } {
    const numerator = this.#kernel.alloc(PAIR);
    const denominator = this.#denominators + PAIR * this.#steps.length;
    this.#steps.push({ numerator, point, doubling });
    return { numerator, denominator };
  }

  /** x·Z² and y·Z³ of an affine point. */
  #against(q: number): void {
    const { mulE2 } = this.#kernel.call;
    const [x, y] = this.#t;
    const z = this.#at + 2 * PAIR;
    mulE2(x, z, z);
    mulE2(y, x, z);
    mulE2(x, x, q);
    mulE2(y, y, q + PAIR);
  }

  #zero(at: number): boolean {
    const kernel = this.#kernel;
    for (let lane = 0; lane < 2; lane++) {
      kernel.canonical((at >> 2) + lane, 2, P_LIMBS);
      if (!kernel.isZero((at >> 2) + lane, 2)) return false;
    }
    return true;
  }
}

function number(bytes: Uint8Array): bigint {
  let x = 0n;
  for (const b of bytes) x = (x << 8n) | BigInt(b);
  return x;
}

/** The top two bits, and the number below them. */
function flagged(bytes: Uint8Array): [number, bigint] {
  return [bytes[0]! >> 6, number(bytes) & ((1n << 254n) - 1n)];
}
