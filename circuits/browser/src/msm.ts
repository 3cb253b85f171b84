/**
 * Multi-exponentiation Σ sᵢ·Pᵢ after Pippenger: the scalars are cut into windows of
 * c bits with digits from −2^(c−1) to 2^(c−1), so that half of the buckets suffice;
 * a negative digit takes the base's negative, which stands beside it.
 *
 * All additions are affine. Those of one round are independent of each other and
 * share one inversion, which the kernel does over a list of (p, q, sum) addresses:
 * a few products each where a lone addition would need a whole inversion.
 *
 * Such an addition cannot add a point to itself or its negative. Bases of equal x
 * are known when the key is split, and [fold] leaves one of each. Sums meet as well:
 * an attribute's base is minus the sum of those of its bounds, and where all three
 * are equal they share their buckets. The product of all differences shows it, and
 * the scalars are then split at random into two lists, which nothing relates.
 */
import { AFFINE, type Curve, G1, type Group, Meeting, type Term } from "./curve";
import { type Kernel, LIMB, LIMBS, PAIR, PLAIN, P_LIMBS, R, limbsOf } from "./kernel";
import type { Bases } from "./points";
import { randomScalar } from "./random";

/** Bits of a window: the fewest additions for the four thousand bases of the key. */
export const WINDOW = 10;

const SCALAR_BITS = 254;
/** Additions that share an inversion: as many as the caches hold. */
const BATCH = 4096;
/** Words of one addition in a list. */
const ADDITION = 3;

/** Base i equals base j, or its negative where the sign is −1. */
export interface Repeat {
  readonly i: number;
  readonly j: number;
  readonly sign: 1 | -1;
}

/** Moves the scalars of repeated bases to the first of each, in place. */
export function fold(scalars: Int32Array, repeats: readonly Repeat[]): void {
  for (const { i, j, sign } of repeats) {
    const moved = number(scalars, i);
    const sum = (number(scalars, j) + (sign > 0 ? moved : R - moved)) % R;
    scalars.set(limbsOf(sum), LIMBS * j);
    scalars.fill(0, LIMBS * i, LIMBS * (i + 1));
  }
}

function number(scalars: Int32Array, i: number): bigint {
  let x = 0n;
  for (let k = LIMBS - 1; k >= 0; k--) x = (x << BigInt(LIMB)) | BigInt(scalars[LIMBS * i + k]!);
  return x;
}

/**
 * Takes a random number off each scalar, in place, and returns those numbers. Zeros
 * stay: a folded base must not come back.
 */
function split(scalars: Int32Array): Int32Array {
  const part = new Int32Array(scalars.length);
  for (let i = 0; i < scalars.length / LIMBS; i++) {
    const scalar = number(scalars, i);
    if (scalar === 0n) continue;
    const random = randomScalar();
    part.set(limbsOf(random), LIMBS * i);
    scalars.set(limbsOf((scalar + R - random) % R), LIMBS * i);
  }
  return part;
}

/** Groups of points to be added up: those of group g are points[start[g]] and the count[g] − 1 behind it. */
interface Heaps {
  readonly points: Int32Array; // addresses
  readonly start: Int32Array;
  readonly count: Int32Array;
}

/** Lays empty heaps out in one array, each with so much room. */
function layOut(room: Int32Array): Heaps {
  const start = new Int32Array(room.length);
  let total = 0;
  for (let g = 0; g < room.length; g++) {
    start[g] = total;
    total += room[g]!;
  }
  return { points: new Int32Array(total), start, count: new Int32Array(room.length) };
}

/**
 * The buckets of a window as a square: bucket k = hi·2^low + lo stands in column lo
 * and row hi. Columns and rows are its lines.
 */
class Square {
  readonly low: number;
  readonly columns: number;
  readonly rows: number;
  readonly lines: number;
  readonly buckets: number;

  constructor(readonly window: number, readonly windows: number) {
    this.low = window >> 1;
    this.buckets = 1 << (window - 1);
    this.columns = 1 << this.low;
    this.rows = (this.buckets >> this.low) + 1;
    this.lines = this.columns + this.rows;
  }

  /** The room of each line of each window: a column is as long as there are rows. */
  room(): Int32Array {
    return Int32Array.from({ length: this.windows * this.lines }, (_, i) => (i % this.lines < this.columns ? this.rows : this.columns));
  }
}

/** Computes multi-exponentiations with one kernel. */
export class MultiExp {
  readonly #kernel: Kernel;
  readonly #trash: number;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#trash = kernel.register(AFFINE);
  }

  /**
   * Σ sᵢ·Pᵢ for canonical scalars of nine limbs each, as a new affine point; null
   * for infinity. The scalars are zeroed: they are as secret as the witness.
   */
  run(curve: Curve, bases: Bases, scalars: Int32Array, window = WINDOW): number | null {
    const kernel = this.#kernel;
    const to = kernel.alloc(AFFINE);
    const mark = kernel.mark();
    try {
      const sum = this.#either(curve, bases, scalars, window);
      if (sum !== null) kernel.copy(to, sum, AFFINE);
      return sum === null ? null : to;
    } finally {
      scalars.fill(0);
      kernel.release(mark);
    }
  }

  /** The sum at once, or where points meet in it, as that of two random parts. */
  #either(curve: Curve, bases: Bases, scalars: Int32Array, window: number): number | null {
    const mark = this.#kernel.mark();
    try {
      return this.#sum(curve, bases, scalars, window);
    } catch (e) {
      if (!(e instanceof Meeting)) throw e;
      this.#kernel.release(mark);
    }
    const part = split(scalars);
    const sums = [part, scalars].map((s) => this.#sum(curve, bases, s, window));
    part.fill(0);
    return curve.sum(sums.filter((at) => at !== null).map((at) => ({ position: 0, at })));
  }

  #sum(curve: Curve, bases: Bases, scalars: Int32Array, window: number): number | null {
    const square = new Square(window, Math.floor(SCALAR_BITS / window) + 1);
    const buckets = this.#add(bases.group, this.#fill(bases, scalars, square));
    try {
      return curve.sum(this.#terms(bases.group, buckets, square));
    } finally {
      buckets.fill(0);
    }
  }

  /** Sorts the bases into buckets: bucket w·2^(c−1) + |d| − 1 for digit d of window w. */
  #fill(bases: Bases, scalars: Int32Array, { window, windows, buckets: half }: Square): Heaps {
    const { count: n, group } = bases;
    const digits = new Int16Array(windows * n);
    const sizes = new Int32Array(windows * half);
    for (let i = 0; i < n; i++) cut(scalars, i, n, window, windows, digits, sizes);
    const heaps = layOut(sizes);
    const { points } = heaps;
    const next = heaps.start.slice();
    const step = 2 * group.size;
    for (let w = 0; w < windows; w++) {
      for (let i = 0, point = bases.at; i < n; i++, point += step) {
        const d = digits[w * n + i]!;
        if (d > 0) points[next[w * half + d - 1]!++] = point;
        else if (d < 0) points[next[w * half - d - 1]!++] = point + group.size;
      }
    }
    heaps.count.set(sizes);
    for (const secret of [digits, sizes, next]) secret.fill(0);
    return heaps;
  }

  /**
   * The sum of each heap, 0 where it is empty. The heaps are zeroed: which base lies
   * in which says as much as its scalar.
   */
  #add(group: Group, h: Heaps): Int32Array {
    try {
      return this.#reduce(group, h);
    } finally {
      for (const secret of [h.points, h.start, h.count]) secret.fill(0);
    }
  }

  /** In each round, neighbours are added. */
  #reduce(group: Group, h: Heaps): Int32Array {
    const kernel = this.#kernel;
    const { points, start, count } = h;
    const owned = kernel.mark(); // points from here on are sums of ours and may be written over
    for (;;) {
      let n = 0;
      for (let g = 0; g < count.length; g++) n += count[g]! >> 1;
      if (n === 0) break;
      let fresh = kernel.alloc(n * group.size);
      const list = kernel.alloc(4 * ADDITION * (n + 1));
      const words = kernel.words;
      let l = list >> 2;
      for (let g = 0; g < count.length; g++) {
        const from = start[g]!;
        const pairs = count[g]! >> 1;
        for (let j = 0; j < pairs; j++) {
          const p = points[from + 2 * j]!;
          const q = points[from + 2 * j + 1]!;
          let sum = p >= owned ? p : q;
          if (sum < owned) {
            sum = fresh;
            fresh += group.size;
          }
          words[l++] = p;
          words[l++] = q;
          words[l++] = sum;
          points[from + j] = sum;
        }
        if (count[g]! & 1) points[from + pairs] = points[from + count[g]! - 1]!;
        count[g] = pairs + (count[g]! & 1);
      }
      this.#batches(group, list, n);
      kernel.release(fresh);
    }
    return count.map((c, g) => (c > 0 ? points[start[g]!]! : 0));
  }

  /** Runs a list of additions. */
  #batches(group: Group, list: number, n: number): void {
    const kernel = this.#kernel;
    const mark = kernel.mark();
    const buffer = kernel.alloc(PAIR * (2 * Math.min(n + 1, BATCH) + 4));
    if (group === G1 && (n & 1) === 1) {
      // The kernel takes additions by twos: the last one again, to nowhere. Both of a
      // pair read their operands before either is written.
      const last = (list >> 2) + ADDITION * n;
      kernel.words.copyWithin(last, last - ADDITION, last);
      kernel.words[last + 2] = this.#trash;
      n++;
    }
    for (let from = 0; from < n; from += BATCH) {
      const count = Math.min(BATCH, n - from);
      const at = list + 4 * ADDITION * from;
      if (group === G1) kernel.call.g1add(at, count >> 1, buffer);
      else kernel.call.g2add(at, count, buffer);
      this.#refuseMeeting(group, buffer + 2 * PAIR * (group === G1 ? count >> 1 : count));
    }
    kernel.release(mark);
  }

  /** The product of all differences of x, the buffer's last pair, is zero where points of equal x met. */
  #refuseMeeting(group: Group, product: number): void {
    const kernel = this.#kernel;
    const zero = [0, 1].map((lane) => {
      kernel.canonical((product >> 2) + lane, 2, P_LIMBS);
      return kernel.isZero((product >> 2) + lane, 2);
    });
    if (group === G1 ? zero[0] || zero[1] : zero[0] && zero[1]) throw new Meeting(group);
  }

  /**
   * Σ over windows w and digits k of 2^(cw)·k·B, as terms for each bit of k. The
   * buckets are first added along the lines of their square: each then counts once
   * for its column and once for its row, whose numbers have half the bits.
   */
  #terms(group: Group, buckets: Int32Array, square: Square): Term[] {
    const lines = this.#add(group, alongLines(buckets, square));
    const { heaps, positions } = byBits(lines, square);
    lines.fill(0);
    const sums = this.#add(group, heaps);
    const terms = this.#place(group, sums, positions);
    sums.fill(0);
    return terms;
  }

  /** The sums as curve.sum takes them. */
  #place(group: Group, points: Int32Array, positions: readonly number[]): Term[] {
    const kernel = this.#kernel;
    const terms: Term[] = [];
    points.forEach((point, g) => {
      if (point === 0) return;
      let at = point;
      if (group === G1) {
        at = kernel.alloc(AFFINE);
        kernel.call.gather(at, point, point);
        kernel.call.gather(at + PAIR, point + PLAIN, point + PLAIN);
      }
      terms.push({ position: positions[g]!, at });
    });
    return terms;
  }
}

/** The signed digits of scalar i, at every n-th place from i on, and their buckets counted. */
function cut(scalars: Int32Array, i: number, n: number, window: number, windows: number, digits: Int16Array, sizes: Int32Array): void {
  const half = 1 << (window - 1);
  const mask = (1 << window) - 1;
  let carry = 0;
  for (let w = 0, bit = 0; w < windows; w++, bit += window) {
    const limb = (bit / LIMB) | 0;
    const shift = bit - limb * LIMB;
    let d = scalars[LIMBS * i + limb]! >>> shift;
    if (shift + window > LIMB && limb < LIMBS - 1) d |= scalars[LIMBS * i + limb + 1]! << (LIMB - shift);
    d = (d & mask) + carry;
    carry = d > half ? 1 : 0;
    if (carry === 1) d -= mask + 1;
    digits[w * n + i] = d;
    if (d !== 0) sizes[w * half + Math.abs(d) - 1]!++;
  }
}

/** The buckets of each column and row but for those numbered zero, which count nothing. */
function alongLines(buckets: Int32Array, s: Square): Heaps {
  const heaps = layOut(s.room());
  const { points, start, count } = heaps;
  const put = (line: number, point: number): void => {
    points[start[line]! + count[line]!++] = point;
  };
  for (let w = 0; w < s.windows; w++) {
    for (let k = 1; k <= s.buckets; k++) {
      const point = buckets[w * s.buckets + k - 1]!;
      if (point === 0) continue;
      const lo = k & (s.columns - 1);
      const hi = k >> s.low;
      if (lo > 0) put(w * s.lines + lo, point);
      if (hi > 0) put(w * s.lines + s.columns + hi, point);
    }
  }
  return heaps;
}

/** For each bit of the numbers of columns and rows the lines that have it, and the bit's place in the scalar. */
function byBits(lines: Int32Array, s: Square): { heaps: Heaps; positions: number[] } {
  const points: number[] = [];
  const start: number[] = [];
  const count: number[] = [];
  const positions: number[] = [];
  const add = (from: number, length: number, bit: number, position: number): void => {
    start.push(points.length);
    for (let k = 1; k < length; k++) {
      if ((k >> bit) & 1 && lines[from + k] !== 0) points.push(lines[from + k]!);
    }
    count.push(points.length - start[start.length - 1]!);
    positions.push(position);
  };
  for (let w = 0; w < s.windows; w++) {
    const from = w * s.lines;
    for (let bit = 0; bit < s.low; bit++) add(from, s.columns, bit, w * s.window + bit);
    for (let bit = 0; bit < s.window - s.low; bit++) add(from + s.columns, s.rows, bit, w * s.window + s.low + bit);
  }
  return { heaps: { points: Int32Array.from(points), start: Int32Array.from(start), count: Int32Array.from(count) }, positions };
}
