// The prover behind functions that take and return JSON.
import { recall, remember } from "../src/cache";
import type { Pinned } from "../src/files";
import { pins, scripts } from "../src/pins";
import { type OpenOptions, type Pins, type Prepared, Prover, ProverError, type Witness } from "../src/prover";

type Plain = { secret: string; trapdoor: string; attributes: number[]; path: string[][]; root: string; context: string; account: string; min: number[]; max: number[] };

const witness = (w: Plain): Witness => ({
  secret: BigInt(w.secret), trapdoor: BigInt(w.trapdoor), attributes: w.attributes, path: w.path.map((l) => l.map(BigInt)),
  root: BigInt(w.root), context: BigInt(w.context), account: BigInt(w.account), min: w.min, max: w.max,
});
const hex = (b: Uint8Array): string => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
const bytes = (s: string): Uint8Array => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));

const workers: Worker[] = [];
globalThis.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    workers.push(this);
  }
};

let prover: Prover;
const held: Prepared[] = [];
let steps: string[] = [];

/** Opens a prover in place of the one before; returns its kind and the steps that ended. */
export async function open(workers: OpenOptions["workers"]): Promise<string[]> {
  prover?.close();
  steps = [];
  prover = await Prover.open({
    ...(workers ? { workers } : {}),
    onProgress: ({ step, done, total }) => { if (done > total) throw new Error(`${step}: ${done} of ${total}`); if (done === total) steps.push(step); },
  });
  return [prover.kind, ...steps];
}

/** Opens the prover of a ledger that names this verifying key, from the files below a base. */
export async function openKey(base: string, verifyingKey: string, workers: OpenOptions["workers"], vectors: boolean): Promise<string> {
  prover?.close();
  const validate = WebAssembly.validate;
  if (!vectors) WebAssembly.validate = () => false;
  try {
    prover = await Prover.open({ base, verifyingKey, ...(workers ? { workers } : {}) });
  } finally {
    WebAssembly.validate = validate;
  }
  return prover.kind;
}

/** Opens with one file's pin in place of the built-in one. */
export async function openPinned(name: keyof typeof pins, file: string, sha256: string, bytes: number): Promise<string> {
  const all: Pins = { files: { ...pins, [name]: { file, sha256, bytes } }, worker: scripts["worker.js"] };
  (await Prover.open({ workers: 2 }, all)).close();
  return "opened";
}

/** Prepares a witness and returns its place among those held. */
export async function prepare(w: Plain): Promise<number> {
  return held.push(await prover.prepare(witness(w))) - 1;
}

export async function finish(i: number, message: string): Promise<string> {
  return hex(await held[i]!.finish(BigInt(message)));
}

export function discard(i: number): void {
  held[i]!.discard();
}

/** Prepares all witnesses, and proves each with all of its messages. */
export async function prove(list: { witness: Plain; messages: string[] }[]): Promise<string[][]> {
  const ready = await Promise.all(list.map((r) => prover.prepare(witness(r.witness))));
  const proofs: string[][] = [];
  for (const [i, p] of ready.entries()) {
    const mine: string[] = [];
    for (const m of list[i]!.messages) mine.push(hex(await p.finish(BigInt(m))));
    proofs.push(mine);
    p.discard();
  }
  return proofs;
}

/** Code and message of what preparing a witness throws, or "" where it does not. */
export async function refusals(list: Plain[]): Promise<string[]> {
  return Promise.all(list.map(async (w) => {
    try {
      (await prover.prepare(witness(w))).discard();
      return "";
    } catch (e) {
      return e instanceof ProverError ? `${e.code}: ${e.message}` : String(e);
    }
  }));
}

/** The verdict on each proof; a statement that is none counts as refused. */
export async function verdicts(list: { proof: string; witness: Plain; message: string }[]): Promise<boolean[]> {
  const out: boolean[] = [];
  for (const p of list) {
    out.push(await prover.verify(bytes(p.proof), witness(p.witness), BigInt(p.message)).catch((e: unknown) => {
      if (e instanceof ProverError && e.code === "witness") return false;
      throw e;
    }));
  }
  return out;
}

/** Overwrites what the cache holds of the key with right files and wrong y; returns of how many. */
export async function poison(): Promise<number> {
  let n = 0;
  for (const name of ["A.bin", "B1.bin", "K.bin", "Z.bin", "B2.bin"] as const) {
    const file: Pinned = { url: "", ...pins[name] };
    const kept = await recall(file);
    if (!kept) continue;
    kept.y[8 * n]! ^= 1;
    await remember(file, kept);
    n++;
  }
  return n;
}

export async function path(leaves: string, place: number): Promise<{ path: string[][]; root: string }> {
  const way = await prover.path(bytes(leaves), place);
  return { path: way.path.map((l) => l.map(String)), root: String(way.root) };
}

/** Opens with one file's pin changed. */
export async function openChanged(name: keyof typeof pins | "worker.js", change: "sha256" | "bytes" | "file" | "?spoilt" | "?once"): Promise<string> {
  const all = structuredClone({ files: pins, worker: scripts["worker.js"] }) as Pins;
  const pin = (name === "worker.js" ? all.worker : all.files[name]) as { file: string; sha256: string; bytes: number };
  if (change === "sha256") pin.sha256 = pin.sha256.replace(/^./, (c) => (c === "0" ? "1" : "0"));
  if (change === "bytes") pin.bytes--;
  if (change.startsWith("?")) pin.file += change;
  if (change === "file") pin.file = `absent.${pin.file}`;
  (await Prover.open({ workers: 2 }, all)).close();
  return "opened";
}

/** Ends the opening, or the preparing, before or after so many milliseconds; then proves again with the same prover. */
export async function cancelOpen(after: number): Promise<string> {
  (await Prover.open({ workers: 2, signal: signal(after) })).close();
  return "opened";
}

export async function cancelPrepare(w: Plain, after: number): Promise<void> {
  await prover.prepare(witness(w), signal(after));
}

function signal(after: number): AbortSignal {
  if (after < 0) return AbortSignal.abort();
  const c = new AbortController();
  setTimeout(() => c.abort(), after);
  return c.signal;
}

/** Opens as a browser without vector instructions would. */
export async function openWithoutVectors(): Promise<string> {
  const validate = WebAssembly.validate;
  WebAssembly.validate = () => false;
  try {
    return (await Prover.open()).kind;
  } finally {
    WebAssembly.validate = validate;
  }
}

/** Tells the page that the worker started last has failed. */
export function crash(): void {
  workers.at(-1)!.dispatchEvent(new ErrorEvent("error", { message: "out of memory" }));
}

export function close(): void {
  prover.close();
}

/** Milliseconds: of opening, and the medians of preparing and finishing. */
export async function times(w: Plain, workers: OpenOptions["workers"], rounds: number): Promise<Record<string, number>> {
  const opening = performance.now();
  await open(workers);
  const opened = performance.now() - opening;
  const prepared: number[] = [];
  const finished: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    const p = await prover.prepare(witness(w));
    prepared.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const click = performance.now();
    await p.finish(BigInt(i + 1));
    finished.push(performance.now() - click);
    p.discard();
  }
  const median = (a: number[]): number => [...a].sort((x, y) => x - y)[a.length >> 1]!;
  return { open: opened, firstPrepare: prepared[0]!, firstFinish: finished[0]!, prepare: median(prepared), finish: median(finished) };
}
