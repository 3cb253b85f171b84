// The prover's arithmetic behind functions that take and return JSON. Numbers are
// hexadecimal; elements on the wire are 64 digits, least byte first.
import { recall, remember } from "../src/cache";
import { Circuit } from "../src/circuit";
import { Curve, G1, G2 } from "../src/curve";
import { ProverError } from "../src/error";
import { type Pinned, download } from "../src/files";
import { Kernel, LIMBS, PAIR, inScalars, limbsOf, wordsOf } from "../src/kernel";
import { readSmall } from "../src/key";
import { MultiExp, fold } from "../src/msm";
import { Verifier } from "../src/pairing";
import { pins } from "../src/pins";
import { Compressed, Roots } from "../src/points";
import { Quotient } from "../src/quotient";
import { verifyingKey } from "../src/vk";

const hex = (b: Uint8Array): string => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
const bytes = (s: string): Uint8Array<ArrayBuffer> => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));
const numbers = (s: string): bigint[] => (s.match(/.{64}/g) ?? []).map((x) => BigInt(`0x${x}`)); // most significant first

const pinned = (name: keyof typeof pins): Pinned => ({ url: new URL(pins[name].file, new URL("/prover/", location.href)).href, sha256: pins[name].sha256, bytes: pins[name].bytes });
const file = (name: keyof typeof pins): Promise<Uint8Array<ArrayBuffer>> => download(pinned(name));

interface Table { kernel: Kernel; g1: Curve; g2: Curve; roots: Roots; msm: MultiExp }
let table: Promise<Table> | undefined;

async function start(): Promise<Table> {
  const kernel = await Kernel.start(await WebAssembly.compile(await file("kernel.wasm")));
  return { kernel, g1: new Curve(kernel, G1), g2: new Curve(kernel, G2), roots: new Roots(kernel), msm: new MultiExp(kernel) };
}

const ready = (): Promise<Table> => (table ??= start());

/** The y of compressed points, computed. */
export async function expand(group: 1 | 2, compressed: string): Promise<string> {
  const { kernel, roots } = await ready();
  return hex(new Uint8Array(new Compressed(kernel, roots, group === 1 ? G1 : G2, wordsOf(bytes(compressed))).expand().buffer));
}

/** Whether given y are taken for compressed points. */
export async function agrees(group: 1 | 2, compressed: string, y: string): Promise<boolean> {
  const { kernel, roots } = await ready();
  return new Compressed(kernel, roots, group === 1 ? G1 : G2, wordsOf(bytes(compressed))).agrees(wordsOf(bytes(y)));
}

/** Multi-exponentiations over one part of the key, one for each list of scalars and window; "" for infinity. */
export async function sums(name: "A" | "B1" | "K" | "Z" | "B2", lists: string[], windows: number[]): Promise<string[]> {
  const { kernel, g1, g2, roots, msm } = await ready();
  const mark = kernel.mark();
  const curve = name === "B2" ? g2 : g1;
  const part = new Compressed(kernel, roots, curve.group, wordsOf(await file(`${name}.bin`)));
  const bases = part.load(part.expand());
  const small = readSmall(await file("small.bin"));
  const repeats = name === "Z" ? [] : small.bases[name === "A" || name === "K" ? name : "B"].repeats;
  const out: string[] = [];
  for (const list of lists) {
    const scalars = Int32Array.from(numbers(list).flatMap(limbsOf));
    fold(scalars, repeats);
    for (const window of windows) {
      const copy = scalars.slice();
      const at = msm.run(curve, bases, copy, window);
      out.push(at === null ? "" : hex(new Uint8Array(curve.store(at).buffer)));
      if (copy.some((x) => x !== 0)) throw new Error("the scalars were not zeroed");
    }
  }
  kernel.release(mark);
  return out;
}

/** The number of lists that a multi-exponentiation makes, and what it leaves in them. */
export async function leftovers(list: string): Promise<{ made: number; left: string }> {
  const { kernel, g1, roots, msm } = await ready();
  const part = new Compressed(kernel, roots, g1.group, wordsOf(await file("B1.bin")));
  const bases = part.load(part.expand());
  const scalars = Int32Array.from(numbers(list).flatMap(limbsOf));
  fold(scalars, readSmall(await file("small.bin")).bases.B.repeats);
  const made: (Int32Array | Int16Array)[] = [];
  const [Words, Halves] = [Int32Array, Int16Array];
  const seen = <T extends Int32Array | Int16Array>(Kind: new (...a: never[]) => T): typeof Kind =>
    new Proxy(Kind, { construct(of, args, as) { const x = Reflect.construct(of, args, as) as T; made.push(x); return x; } });
  globalThis.Int32Array = seen(Words as never) as never;
  globalThis.Int16Array = seen(Halves as never) as never;
  try {
    msm.run(g1, bases, scalars);
  } finally {
    [globalThis.Int32Array, globalThis.Int16Array] = [Words, Halves];
  }
  return { made: made.length, left: made.filter((a) => a.some((x) => x !== 0)).map(String).join(";") };
}

/** h₀ and h₁ of rows whose late one holds zeros, big-endian. */
export async function quotient(log: number, lateRow: number, a: string, b: string, c: string): Promise<{ constant: string[]; linear: string[] }> {
  const { kernel } = await ready();
  const mark = kernel.mark();
  const q = new Quotient(kernel, log, lateRow);
  const [x, y, z] = [numbers(a), numbers(b), numbers(c)];
  x.forEach((_, i) => {
    kernel.put(q.sides + PAIR * i, inScalars(x[i]!), inScalars(y[i]!));
    kernel.put(q.products + PAIR * i, inScalars(z[i]!), 0n);
  });
  const { constant, linear } = q.run();
  const text = (s: Int32Array): string[] => Array.from({ length: s.length / LIMBS }, (_, i) => {
    let v = 0n;
    for (let k = LIMBS - 1; k >= 0; k--) v = (v << 29n) | BigInt(s[LIMBS * i + k]!);
    return v.toString(16).padStart(64, "0");
  });
  kernel.release(mark);
  return { constant: text(constant), linear: text(linear) };
}

let circuit: Promise<Circuit> | undefined;
const opened = async (): Promise<Circuit> => (circuit ??= (async () => new Circuit((await ready()).kernel, await file("circuit.bin")))());

/** The code of what solving throws, for each list of inputs; "" where it does not. */
export async function solve(lists: string[]): Promise<string[]> {
  const c = await opened();
  return lists.map((list) => {
    try {
      c.solve(numbers(list));
      return "";
    } catch (e) {
      return e instanceof ProverError ? e.code : String(e);
    }
  });
}

/** The places among the inputs of those secrets that can be found in the memory before it is wiped, and after. */
export async function traces(inputs: string): Promise<{ before: number[]; after: number[] }> {
  const c = await opened();
  const { kernel } = await ready();
  const all = c.solve(numbers(inputs));
  // Small numbers are left out: constants may be equal to them.
  const secrets = numbers(inputs).map((x, i) => ({ i, x, limbs: limbsOf(inScalars(x)) })).filter((s) => s.i >= 20 && s.x > 1000n);
  const left = (): number[] => secrets.filter((s) => found(kernel, s.limbs)).map((s) => s.i);
  const before = left();
  all.fill(0);
  c.wipe();
  kernel.wipe();
  return { before, after: left() };
}

function found(kernel: Kernel, limbs: readonly number[]): boolean {
  for (const step of [1, 2]) {
    for (let at = kernel.words.indexOf(limbs[0]!); at >= 0; at = kernel.words.indexOf(limbs[0]!, at + 1)) {
      if (limbs.every((l, i) => kernel.words[at + step * i] === l)) return true;
    }
  }
  return false;
}

let verifier: Promise<Verifier> | undefined;

/** The verdict on each proof with its public inputs, most significant byte first. */
export async function verify(list: { proof: string; inputs: string }[]): Promise<boolean[]> {
  verifier ??= ready().then(({ kernel, g1, g2, roots }) => new Verifier(kernel, g1, g2, roots, verifyingKey()));
  const v = await verifier;
  return list.map((p) => v.verify(bytes(p.proof), numbers(p.inputs)));
}

/** Milliseconds of one verification: the median of many, and the first. */
export async function verifyTime(p: { proof: string; inputs: string }, rounds: number): Promise<{ first: number; median: number }> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    if (!(await verify([p]))[0]) throw new Error("the proof does not hold");
    times.push(performance.now() - start);
  }
  return { first: times[0]!, median: [...times].sort((x, y) => x - y)[rounds >> 1]! };
}

export function key(): string {
  return hex(verifyingKey());
}

/** Whether the cache gives a part back as it was written, and nothing for one whose file or hash is another. */
export async function cached(): Promise<{ same: boolean; otherFile: boolean; otherHash: boolean }> {
  const pin = pinned("K.bin");
  const bytesOf = await file("K.bin");
  const y = new Uint32Array(4);
  await remember(pin, { file: bytesOf, y });
  const got = await recall(pin);
  const spoilt = bytesOf.slice();
  spoilt[1]! ^= 1;
  const otherHash = (await recall({ ...pin, sha256: pin.sha256.replace(/^./, (c) => (c === "0" ? "1" : "0")) })) !== undefined;
  await remember(pin, { file: spoilt, y });
  return { same: got !== undefined && hex(got.file) === hex(bytesOf), otherFile: (await recall(pin)) !== undefined, otherHash };
}

/** One multi-exponentiation over compressed points; "" for infinity. */
export async function sumOver(group: 1 | 2, compressed: string, list: string): Promise<string> {
  const { kernel, g1, g2, roots, msm } = await ready();
  const curve = group === 1 ? g1 : g2;
  const part = new Compressed(kernel, roots, curve.group, wordsOf(bytes(compressed)));
  const at = msm.run(curve, part.load(part.expand()), Int32Array.from(numbers(list).flatMap(limbsOf)));
  return at === null ? "" : hex(new Uint8Array(curve.store(at).buffer));
}
