/**
 * The constraint system, and the solver that finds the wires between a witness and
 * its constraints. Every row is L·R = O. Most rows define one wire, which is O and
 * stands in no row before; the others are checks, and a witness that violates one
 * is refused. Bits of a number come from hints; rows behind them check each.
 */
import { ProverError } from "./error";
import { type Kernel, LIMBS, PAIR, PAIR_WORDS, PLAIN, R, R_LIMBS, WIRE_WORDS, inScalars, inverse, limbsOf, wordsOf } from "./kernel";
import { Quotient } from "./quotient";
import { Reader } from "./reader";

/** The wire of the message; wire 0 is the constant one. */
const MESSAGE = 4;

/** Bits of a sum of known wires go to the wires from start on. */
interface Hint {
  readonly start: number;
  readonly count: number;
  readonly terms: readonly { readonly factor: bigint; readonly wire: number }[];
}

/** Addresses of a coefficient and a wire. */
type Term = readonly [number, number];

/** One row: lists of (coefficient, wire) addresses for the kernel. */
interface Row {
  readonly sides: number;
  readonly sidesTerms: number;
  readonly output: number;
  readonly outputTerms: number;
  /** The wire that the row defines, or −1: a check. */
  readonly wire: number;
}

const HEADER = ["publics", "secrets", "internals", "coefficients", "rows", "hints", "terms", "log", "lateRow", "lateWire"] as const;
type Header = Record<(typeof HEADER)[number], number>;

/** The circuit in a kernel's memory. */
export class Circuit {
  readonly quotient: Quotient;
  readonly #kernel: Kernel;
  readonly #header: Header;
  readonly #wires: number; // plain elements
  readonly #hints: readonly Hint[];
  readonly #rows: readonly Row[];
  readonly #plain: number;
  readonly #scratch: readonly [number, number];

  /** Reads circuit.bin, whose form package split writes. */
  constructor(kernel: Kernel, file: Uint8Array) {
    const r = new Reader(file);
    this.#kernel = kernel;
    const h = (this.#header = Object.fromEntries(HEADER.map((name) => [name, r.u32()])) as Header);
    const coefficients = wordsOf(file.subarray(r.at, r.at + 4 * WIRE_WORDS * h.coefficients));
    r.at += 4 * WIRE_WORDS * h.coefficients;
    const table = this.#coefficients(coefficients);
    this.#wires = kernel.alloc(PLAIN * this.count);
    this.#hints = this.#readHints(r, coefficients);
    this.#rows = this.#readRows(r, file, table);
    this.#plain = kernel.pair(1n, 1n);
    this.#scratch = [kernel.register(PAIR), kernel.register(PAIR)];
    this.quotient = new Quotient(kernel, h.log, h.lateRow);
  }

  /** The number of wires. */
  get count(): number {
    return this.#header.publics + this.#header.secrets + this.#header.internals;
  }

  /**
   * Solves for the inputs: the public ones in the statement's order, then the
   * secret ones. The message is left open, as zero. Fills the quotient's rows and
   * returns the canonical scalars of all wires.
   */
  solve(inputs: readonly bigint[]): Int32Array {
    const values = this.#known(inputs);
    values.forEach((x, i) => this.#set(i, inScalars(x)));
    for (const hint of this.#hints) this.#decompose(hint, values);
    const { sides, products, size } = this.quotient;
    const { rows } = this.#header;
    this.#kernel.clear(sides + PAIR * rows, PAIR * (size - rows));
    this.#kernel.clear(products + PAIR * rows, PAIR * (size - rows));
    this.#rows.forEach((row, i) => this.#solveRow(row, i));
    return this.#scalars();
  }

  /** Zeroes all that depends on the witness. */
  wipe(): void {
    this.#kernel.clear(this.#wires, PLAIN * this.count);
    this.quotient.wipe();
  }

  #known(inputs: readonly bigint[]): bigint[] {
    const want = this.#header.publics + this.#header.secrets - 1;
    if (inputs.length !== want) throw new ProverError("witness", `witness: ${inputs.length} inputs, and the circuit has ${want}`);
    for (const x of inputs) {
      if (x < 0n || x >= R) throw new ProverError("witness", "witness: a number is not from 0 to r − 1; send the canonical value");
    }
    const values = [1n, ...inputs];
    values[MESSAGE] = 0n;
    return values;
  }

  #set(wire: number, x: bigint): void {
    const limbs = limbsOf(x);
    for (let i = 0; i < LIMBS; i++) this.#kernel.words[((this.#wires + PLAIN * wire) >> 2) + i] = limbs[i]!;
  }

  #decompose(hint: Hint, values: readonly bigint[]): void {
    let x = 0n;
    for (const t of hint.terms) x += t.factor * values[t.wire]!;
    x %= R;
    const one = inScalars(1n);
    for (let i = 0; i < hint.count; i++) this.#set(hint.start + i, (x >> BigInt(i)) & 1n ? one : 0n);
  }

  #solveRow(row: Row, i: number): void {
    const kernel = this.#kernel;
    const product = this.quotient.products + PAIR * i;
    kernel.call.row(row.sides, row.sidesTerms, this.quotient.sides + PAIR * i, product);
    if (row.wire >= 0) this.#define(row.wire, product);
    else this.#check(row, product);
    const { words } = kernel;
    for (let j = 0; j < LIMBS; j++) words[(product >> 2) + 2 * j + 1] = 0;
  }

  #define(wire: number, product: number): void {
    const { words } = this.#kernel;
    const to = (this.#wires + PLAIN * wire) >> 2;
    for (let j = 0; j < LIMBS; j++) words[to + j] = words[(product >> 2) + 2 * j]!;
  }

  /** Refuses where the product is not the output's sum. */
  #check(row: Row, product: number): void {
    const kernel = this.#kernel;
    const [sum, unused] = this.#scratch;
    kernel.call.row(row.output, row.outputTerms, sum, unused);
    kernel.call.rsub(sum, sum, product);
    kernel.canonical(sum >> 2, 2, R_LIMBS);
    if (!kernel.isZero(sum >> 2, 2)) {
      throw new ProverError("witness", "witness: its parts do not belong together");
    }
  }

  #scalars(): Int32Array {
    const kernel = this.#kernel;
    const n = this.count;
    const mark = kernel.mark();
    const pairs = (n + 1) >> 1;
    const at = kernel.alloc(PAIR * pairs);
    for (let i = 0; i < n; i += 2) {
      kernel.call.gather(at + (PAIR >> 1) * i, this.#wires + PLAIN * i, this.#wires + PLAIN * Math.min(i + 1, n - 1));
    }
    kernel.call.rmulMany(at, at, this.#plain, pairs, PAIR, PAIR, 0);
    const out = new Int32Array(LIMBS * n);
    for (let i = 0; i < n; i++) {
      const from = (at >> 2) + (i >> 1) * PAIR_WORDS + (i & 1);
      kernel.canonical(from, 2, R_LIMBS);
      for (let j = 0; j < LIMBS; j++) out[LIMBS * i + j] = kernel.words[from + 2 * j]!;
    }
    kernel.clear(at, PAIR * pairs);
    kernel.release(mark);
    return out;
  }

  /** The coefficients as plain elements, and a zero behind them. */
  #coefficients(words: Uint32Array): number {
    const kernel = this.#kernel;
    const count = this.#header.coefficients;
    const at = kernel.alloc(PLAIN * (count + 1));
    for (let i = 0; i < count; i++) kernel.unpack(words, WIRE_WORDS * i, (at + PLAIN * i) >> 2, 1);
    kernel.clear(at + PLAIN * count, PLAIN);
    return at;
  }

  #readHints(r: Reader, coefficients: Uint32Array): Hint[] {
    const back = inverse(inScalars(1n), R);
    const factor = (i: number): bigint => {
      let x = 0n;
      for (let j = WIRE_WORDS - 1; j >= 0; j--) x = (x << 32n) | BigInt(coefficients[WIRE_WORDS * i + j]!);
      return (x * back) % R;
    };
    return Array.from({ length: this.#header.hints }, () => {
      const length = r.u16();
      const start = r.u16();
      const count = r.u16();
      const terms = Array.from({ length }, () => ({ factor: factor(r.u16()), wire: r.u16() }));
      return { start, count, terms };
    });
  }

  /** Rows: three lengths each, then the defined wires plus one, then all wires, then all coefficients. */
  #readRows(r: Reader, file: Uint8Array, table: number): Row[] {
    const kernel = this.#kernel;
    const h = this.#header;
    const lengths = Array.from({ length: 3 * h.rows }, () => r.u16());
    const defined = Array.from({ length: h.rows }, () => r.u16());
    const wires = new Reader(file, r.at);
    const coefficients = new Reader(file, r.at + 2 * h.terms);
    wires.expectEnd("circuit.bin", 4 * h.terms);
    const zero = table + PLAIN * h.coefficients;
    const nothing: Term = [zero, zero];
    const next = (): Term => [table + PLAIN * coefficients.u16(), this.#wires + PLAIN * wires.u16()];
    const write = (left: readonly Term[], right: readonly Term[]): { at: number; terms: number } => {
      const terms = Math.max(left.length, right.length);
      const at = kernel.alloc(16 * terms);
      for (let i = 0; i < terms; i++) {
        const to = (at >> 2) + 4 * i;
        [kernel.words[to], kernel.words[to + 1]] = left[i] ?? nothing;
        [kernel.words[to + 2], kernel.words[to + 3]] = right[i] ?? nothing;
      }
      return { at, terms };
    };
    return defined.map((wire, i) => {
      const list = (k: number): Term[] => Array.from({ length: lengths[3 * i + k]! }, next);
      const [left, right, output] = [list(0), list(1), list(2)];
      const sides = write(left, right);
      const check = write(output, []);
      return { sides: sides.at, sidesTerms: sides.terms, output: check.at, outputTerms: check.terms, wire: wire - 1 };
    });
  }
}
