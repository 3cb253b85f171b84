/**
 * The memory of kernel.wasm and the forms that numbers have in it.
 *
 * A field element has nine limbs of 29 bits and is kept as x·2^261 modulo its
 * prime, below twice the prime. A *pair* holds two elements side by side, limb by
 * limb, in 80 bytes: two independent numbers, or the two coordinates of one number
 * of Fp2. A *plain* element is nine words in 40 bytes. On the wire an element is
 * 32 bytes, least byte first, of the same x·2^261.
 */
/** The order of BN254's coordinate field. */
export const P = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
/** The order of BN254's groups: the field of scalars. */
export const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Limbs of an element. */
export const LIMBS = 9;
/** Bits of a limb. */
export const LIMB = 29;
/** The greatest limb. */
export const MASK = 2 ** LIMB - 1;
/** Bytes of a plain element. */
export const PLAIN = 40;
/** Bytes of a pair of elements. */
export const PAIR = 80;
/** Words of a pair. */
export const PAIR_WORDS = PAIR / 4;
/** Words of an element on the wire. */
export const WIRE_WORDS = 8;

/** The first byte that the host may use; constants and scratch of the kernel stand below. */
const HEAP = 8192;
const MONTGOMERY = 1n << BigInt(LIMB * LIMBS);

type Many = (to: number, a: number, b: number, count: number, toStep: number, aStep: number, bStep: number) => void;

/** The kernel's functions. Arguments are addresses, counts and strides in bytes. */
export interface Exports {
  readonly mem: WebAssembly.Memory;
  /** Two products, sums or differences modulo p (mul, add, sub) or r (rmul, radd, rsub). */
  mul(to: number, a: number, b: number): void;
  add(to: number, a: number, b: number): void;
  sub(to: number, a: number, b: number): void;
  rmul(to: number, a: number, b: number): void;
  radd(to: number, a: number, b: number): void;
  rsub(to: number, a: number, b: number): void;
  /** One product in Fp2 = Fp[u]/(u²+1). */
  mulE2(to: number, a: number, b: number): void;
  /** a^e modulo p for both of a pair; e as count bytes 0 or 1, the most significant first. */
  pow(to: number, a: number, bits: number, count: number): void;
  /** 1/a modulo p for both of a pair; of zero: zero. */
  inv(to: number, a: number): void;
  /** The same over arrays, with the bytes from one element to the next. */
  addMany: Many;
  subMany: Many;
  mulE2Many: Many;
  rmulMany: Many;
  /** Two plain elements into a pair. */
  gather(to: number, a: number, b: number): void;
  /** Additions of points from a list of (p, q, sum) addresses, by pairs (g1) or one by one (g2). */
  g1add(list: number, pairs: number, buffer: number): void;
  g2add(list: number, count: number, buffer: number): void;
  /** Jacobian doubling, and mixed addition of an affine point; over Fp (first of each pair) or Fp2. */
  dbl1(p: number): void;
  madd1(p: number, q: number): void;
  dbl2(p: number): void;
  madd2(p: number, q: number): void;
  /** Butterflies of the Fourier transform. */
  dif(a: number, b: number, w: number, count: number, step: number, wStep: number): void;
  dit(a: number, b: number, w: number, count: number, step: number, wStep: number): void;
  /** (a, b), (c, ·), (·, e) to (a·b − c, e·(a + b)). */
  hcombine(to: number, ab: number, c: number, e: number, count: number): void;
  /** The two sides of one constraint, and their product. */
  row(list: number, terms: number, sides: number, product: number): void;
  /** 2·count nodes of a tree from 16·count children, all plain elements. */
  nodes(to: number, from: number, count: number): void;
}

/** Nine limbs of a number. */
export function limbsOf(x: bigint): number[] {
  const out: number[] = [];
  for (let i = 0; i < LIMBS; i++, x >>= BigInt(LIMB)) out.push(Number(x & BigInt(MASK)));
  return out;
}

export const P_LIMBS: readonly number[] = limbsOf(P);
export const R_LIMBS: readonly number[] = limbsOf(R);

/** x·2^261 modulo p, as the kernel keeps it. */
export const inField = (x: bigint): bigint => (x * MONTGOMERY) % P;
/** x·2^261 modulo r, as the kernel keeps it. */
export const inScalars = (x: bigint): bigint => (x * MONTGOMERY) % R;

/** base^exponent modulo m. Only for public numbers: bigint arithmetic takes the time it likes. */
export function power(base: bigint, exponent: bigint, m: bigint): bigint {
  let out = 1n;
  for (base %= m; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) out = (out * base) % m;
    base = (base * base) % m;
  }
  return out;
}

/** 1/x modulo a prime m. */
export const inverse = (x: bigint, m: bigint): bigint => power(x, m - 2n, m);

/** Bytes as little-endian words; copied only where they are not aligned. */
export function wordsOf(b: Uint8Array): Uint32Array {
  const aligned = b.byteOffset % 4 === 0 ? b : b.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}

/** One instance of the kernel with an allocator that only ever moves up and back. */
export class Kernel {
  readonly call: Exports;
  /** The memory as words. It is another array after alloc: never keep it across one. */
  words: Uint32Array;
  readonly #fresh: Uint32Array; // the kernel's own memory before its first use
  readonly #registers: { at: number; bytes: number }[] = [];
  #top = HEAP;
  #peak = HEAP;

  /** Takes a fresh instance. */
  constructor(exports: Exports) {
    this.call = exports;
    this.words = new Uint32Array(exports.mem.buffer);
    this.#fresh = this.words.slice(0, HEAP >> 2);
  }

  static async start(module: WebAssembly.Module): Promise<Kernel> {
    const instance = await WebAssembly.instantiate(module);
    return new Kernel(instance.exports as unknown as Exports);
  }

  /** Bytes until release; 16 bytes aligned, with whatever stood there before. */
  alloc(bytes: number): number {
    const at = this.#top;
    this.#top = (at + bytes + 15) & ~15;
    this.#peak = Math.max(this.#peak, this.#top);
    const mem = this.call.mem;
    const missing = this.#top - mem.buffer.byteLength;
    if (missing > 0) mem.grow(Math.ceil(missing / 65536));
    if (this.words.buffer !== mem.buffer) this.words = new Uint32Array(mem.buffer);
    return at;
  }

  /** Where the next allocation will be, for release. */
  mark(): number {
    return this.#top;
  }

  release(mark: number): void {
    this.#top = mark;
  }

  /** A place for intermediate results that stays, and whose content means nothing after wipe. */
  register(bytes: number): number {
    const at = this.alloc(bytes);
    this.#registers.push({ at, bytes });
    return at;
  }

  /** Zeroes all intermediate results: what was released, the registers and the kernel's own. They are as secret as the witness. */
  wipe(): void {
    this.words.fill(0, this.#top >> 2, this.#peak >> 2);
    this.#peak = this.#top;
    for (const r of this.#registers) this.clear(r.at, r.bytes);
    this.words.set(this.#fresh);
  }

  /** Zeroes a range. */
  clear(at: number, bytes: number): void {
    this.words.fill(0, at >> 2, (at + bytes) >> 2);
  }

  /** A pair of two numbers as they stand, in a place of its own. */
  pair(first: bigint, second: bigint): number {
    const at = this.alloc(PAIR);
    this.clear(at, PAIR);
    this.put(at, first, second);
    return at;
  }

  /** Writes two numbers as they stand. */
  put(at: number, first: bigint, second: bigint): void {
    const a = limbsOf(first);
    const b = limbsOf(second);
    for (let i = 0; i < LIMBS; i++) {
      this.words[(at >> 2) + 2 * i] = a[i]!;
      this.words[(at >> 2) + 2 * i + 1] = b[i]!;
    }
  }

  /** One number of a pair as it stands. */
  big(at: number, lane: number): bigint {
    let x = 0n;
    for (let i = LIMBS - 1; i >= 0; i--) x = (x << BigInt(LIMB)) | BigInt(this.words[(at >> 2) + 2 * i + lane]!);
    return x;
  }

  copy(to: number, from: number, bytes: number): void {
    this.words.copyWithin(to >> 2, from >> 2, (from + bytes) >> 2);
  }

  /** Bytes 0 or 1 of an exponent, for pow. */
  bits(exponent: bigint): { at: number; count: number } {
    const digits = exponent.toString(2);
    const at = this.alloc(digits.length);
    const bytes = new Uint8Array(this.call.mem.buffer, at, digits.length);
    for (let i = 0; i < digits.length; i++) bytes[i] = Number(digits[i]);
    return { at, count: digits.length };
  }

  /** Eight words from source to nine limbs; to and step count words. */
  unpack(source: Uint32Array, from: number, to: number, step: number): void {
    const words = this.words;
    for (let i = 0, bit = 0; i < LIMBS; i++, bit += LIMB) {
      const w = bit >>> 5;
      const o = bit & 31;
      let v = source[from + w]! >>> o;
      if (o > 32 - LIMB && w < WIRE_WORDS - 1) v |= source[from + w + 1]! << (32 - o);
      words[to + i * step] = v & MASK;
    }
  }

  /** Nine limbs to eight words of target, which must be zero before. */
  pack(from: number, step: number, target: Uint32Array, to: number): void {
    const words = this.words;
    for (let i = 0, bit = 0; i < LIMBS; i++, bit += LIMB) {
      const v = words[from + i * step]!;
      const w = bit >>> 5;
      const o = bit & 31;
      target[to + w]! |= v << o;
      if (o > 32 - LIMB && w < WIRE_WORDS - 1) target[to + w + 1]! |= v >>> (32 - o);
    }
  }

  /** Brings limbs of a number below twice the modulus below the modulus. */
  canonical(from: number, step: number, modulus: readonly number[]): void {
    const words = this.words;
    for (let i = LIMBS - 1; i >= 0; i--) {
      const d = words[from + i * step]! - modulus[i]!;
      if (d < 0) return;
      if (d > 0) break;
    }
    for (let i = 0, carry = 0; i < LIMBS; i++) {
      const v = words[from + i * step]! - modulus[i]! + carry;
      carry = v >> LIMB;
      words[from + i * step] = v & MASK;
    }
  }

  /** p − x, for canonical limbs of x that are not zero. */
  negate(from: number, to: number, step: number): void {
    const words = this.words;
    for (let i = 0, carry = 0; i < LIMBS; i++) {
      const v = P_LIMBS[i]! - words[from + i * step]! + carry;
      carry = v >> LIMB;
      words[to + i * step] = v & MASK;
    }
  }

  /** Whether canonical limbs are all zero. */
  isZero(from: number, step: number): boolean {
    let any = 0;
    for (let i = 0; i < LIMBS; i++) any |= this.words[from + i * step]!;
    return any === 0;
  }

  /** Canonical limbs of scalars that stand in one lane of pairs, with no factor 2^261 left. */
  scalars(at: number, count: number, lane: number): Int32Array {
    const out = new Int32Array(LIMBS * count);
    for (let i = 0; i < count; i++) {
      const from = (at >> 2) + i * PAIR_WORDS + lane;
      this.canonical(from, 2, R_LIMBS);
      for (let j = 0; j < LIMBS; j++) out[LIMBS * i + j] = this.words[from + 2 * j]!;
    }
    return out;
  }
}
