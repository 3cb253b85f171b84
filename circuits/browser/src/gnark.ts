// gnark's prover in a worker: the same functions as the small prover, for a
// browser that cannot run it. It binds the message first, so that the whole proof
// is made after the click: seconds on a slow phone, but it works.
import { asProverError, ProverError } from "./error";
import { R } from "./kernel";
import type { LedgerKey } from "./ledgerkey";
import { scripts } from "./pins";
import type { OpenOptions, Progress, Witness } from "./prover";

/** What the worker is asked: the function's name and its bytes. The first is "open" with the base address, and the key where it is not the built-in one. */
export type Question = { id: number; call: "open"; base: string; key: LedgerKey | undefined } | { id: number; call: "check" | "prove" | "verify" | "path"; args: Uint8Array[] };

/** What the worker answers: bytes, or what went wrong; meanwhile how far it is. */
export type Answer = { id: number; value: Uint8Array } | { id: number; error: { code: ProverError["code"]; message: string } } | { progress: Progress };

const levels = 7;
const children = 8;
const statementBytes = 4 * 32 + 2 * 32;

/** Gnark has the same functions as Prover. */
export class Gnark {
  readonly kind = "gnark";
  readonly #worker: Worker;
  readonly #onProgress: ((p: Progress) => void) | undefined;
  readonly #waiting = new Map<number, { resolve: (b: Uint8Array) => void; reject: (e: ProverError) => void }>();
  #next = 0;
  #broken: ProverError | undefined;

  private constructor(worker: Worker, o: OpenOptions) {
    this.#worker = worker;
    this.#onProgress = o.onProgress;
    worker.onmessage = (e: MessageEvent<Answer>) => this.#answered(e.data);
    worker.onerror = (e) => this.#break(new ProverError("internal", `the prover's worker stopped: ${e.message || "no reason given"}; load the page again`));
  }

  /**
   * open starts the worker and loads program and key; each is compared with the hash that the server lists.
   * The program refuses a key that does not belong to the verifying key (ledgerkey.ts says why that is enough).
   */
  static async open(o: OpenOptions = {}, key?: LedgerKey): Promise<Gnark> {
    if (o.signal?.aborted) throw cancelled();
    const base = new URL(o.base ?? "/prover/", location.href).href;
    const g = new Gnark(new Worker(new URL(scripts["gnark.js"].file, base), { credentials: "omit", name: "gnark" }), o);
    const abort = (): void => g.#break(cancelled());
    o.signal?.addEventListener("abort", abort, { once: true });
    try {
      await g.#ask({ id: 0, call: "open", base, key });
    } catch (e) {
      g.close();
      throw asProverError(e);
    } finally {
      o.signal?.removeEventListener("abort", abort);
    }
    return g;
  }

  /** prepare checks the witness and keeps it; the proof is made by finish. */
  async prepare(w: Witness, signal?: AbortSignal): Promise<GnarkPrepared> {
    const bytes = witnessBytes(w, 1n);
    try {
      await this.#ask({ id: 0, call: "check", args: [bytes] });
      if (signal?.aborted) throw cancelled();
    } catch (e) {
      bytes.fill(0);
      throw e;
    }
    return new GnarkPrepared(bytes, (b) => this.#ask({ id: 0, call: "prove", args: [b] }));
  }

  /** path builds the tree of all leaves, and returns the children of every node above a place and the root. */
  async path(leaves: Uint8Array, place: number): Promise<{ path: bigint[][]; root: bigint }> {
    const at = new Uint8Array(4);
    new DataView(at.buffer).setUint32(0, place);
    const out = await this.#ask({ id: 0, call: "path", args: [leaves, at] });
    const path = Array.from({ length: levels }, (_, i) => Array.from({ length: children }, (_, j) => number(out, 32 * (children * i + j))));
    return { path, root: number(out, 32 * children * levels) };
  }

  /** verify reports whether a proof holds for the witness's statement with this message. */
  async verify(proof: Uint8Array, w: Witness, message: bigint): Promise<boolean> {
    const out = await this.#ask({ id: 0, call: "verify", args: [proof, statementOf(w, message)] });
    return out.length === 1 && out[0] === 1;
  }

  /** close ends the worker and with it all that it knew. */
  close(): void {
    this.#break(new ProverError("cancelled", "the prover was closed"));
  }

  #ask(q: Question): Promise<Uint8Array> {
    if (this.#broken) return Promise.reject(this.#broken);
    const id = ++this.#next;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...q, id });
    });
  }

  #answered(a: Answer): void {
    if ("progress" in a) return this.#onProgress?.(a.progress);
    const who = this.#waiting.get(a.id);
    this.#waiting.delete(a.id);
    if ("error" in a) who?.reject(new ProverError(a.error.code, a.error.message));
    else who?.resolve(a.value);
  }

  #break(why: ProverError): void {
    this.#broken ??= why;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(this.#broken);
    this.#waiting.clear();
  }
}

/** A witness that waits for its message. It is secret: it is never stored, and zeroed when it is discarded. */
export class GnarkPrepared {
  readonly #bytes: Uint8Array;
  readonly #prove: (witness: Uint8Array) => Promise<Uint8Array>;
  #discarded = false;

  constructor(bytes: Uint8Array, prove: (witness: Uint8Array) => Promise<Uint8Array>) {
    this.#bytes = bytes;
    this.#prove = prove;
  }

  /** finish makes a proof for a message; the worker verifies it before it hands it out. */
  async finish(message: bigint): Promise<Uint8Array> {
    if (this.#discarded) throw new ProverError("cancelled", "this witness was discarded; prepare it again");
    element("message", message);
    if (message === 0n) throw new ProverError("witness", "the message is zero; hash the act");
    put(this.#bytes, this.#bytes.length - statementBytes + 96, message);
    return this.#prove(this.#bytes);
  }

  /** discard forgets the witness. */
  discard(): void {
    this.#discarded = true;
    this.#bytes.fill(0);
  }
}

/** The layout that package prover of the Go module reads: numbers most significant byte first. */
function witnessBytes(w: Witness, message: bigint): Uint8Array {
  if (w.path.length !== levels || w.path.some((level) => level.length !== children)) {
    throw new ProverError("witness", `the path must have ${levels} levels of ${children}; fetch the leaves again`);
  }
  const secrets = elements([["secret", w.secret], ["trapdoor", w.trapdoor]]);
  const path = elements(w.path.flat().map((x): [string, bigint] => ["path", x]));
  return joined([secrets, numbers("attributes", w.attributes), path, statementOf(w, message)]);
}

function statementOf(w: Witness, message: bigint): Uint8Array {
  const named = elements([["root", w.root], ["context", w.context], ["account", w.account], ["message", message]]);
  return joined([named, numbers("min", w.min), numbers("max", w.max)]);
}

function elements(list: [string, bigint][]): Uint8Array {
  const out = new Uint8Array(32 * list.length);
  list.forEach(([name, x], i) => {
    element(name, x);
    put(out, 32 * i, x);
  });
  return out;
}

function element(name: string, x: bigint): void {
  if (typeof x !== "bigint" || x < 0n || x >= R) throw new ProverError("witness", `${name}: not a field element`);
}

function numbers(name: string, list: number[]): Uint8Array {
  if (list.length !== children) throw new ProverError("witness", `${name}: ${list.length} numbers, want ${children}`);
  const out = new DataView(new ArrayBuffer(4 * list.length));
  list.forEach((x, i) => {
    if (!Number.isInteger(x) || x < 0 || x > 0xffffffff) throw new ProverError("witness", `${name}: not a number of 32 bits`);
    out.setUint32(4 * i, x);
  });
  return new Uint8Array(out.buffer);
}

function put(to: Uint8Array, at: number, x: bigint): void {
  for (let i = 31; i >= 0; i--, x >>= 8n) to[at + i] = Number(x & 255n);
}

function number(from: Uint8Array, at: number): bigint {
  let x = 0n;
  for (let i = 0; i < 32; i++) x = (x << 8n) | BigInt(from[at + i]!);
  return x;
}

function joined(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    p.fill(0);
    at += p.length;
  }
  return out;
}

function cancelled(): ProverError {
  return new ProverError("cancelled", "cancelled");
}
