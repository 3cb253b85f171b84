/**
 * One proving worker. What it holds of the key is its share of the work; the first
 * worker also holds the circuit, finishes proofs and verifies them. It imports no
 * pins: the page, which was loaded with them, sends each file's with its address,
 * so that this script's own hash can stand among them; and the verifying key, which
 * may be a ceremony's.
 */
import { Assembly, type Sums } from "./assemble";
import { forgetOthers } from "./cache";
import { Circuit } from "./circuit";
import { Curve, G1, G2, type Point } from "./curve";
import { ProverError, asProverError } from "./error";
import { type Pinned, download } from "./files";
import { type PartName, type SmallKey, groupOf, loadPart, pick, readSmall } from "./key";
import { Kernel, LIMBS, type Exports } from "./kernel";
import { MultiExp, fold } from "./msm";
import { INPUTS, Verifier } from "./pairing";
import { type Way, wayTo } from "./path";
import { type Bases, Roots } from "./points";
import { refuseUntrusted } from "./trust";
import { buffers, wipe } from "./secret";

/** What a worker loads. */
export interface Load {
  readonly module: WebAssembly.Module;
  readonly parts: readonly { readonly name: PartName; readonly file: Pinned }[];
  /** For the first worker alone. */
  readonly first?: {
    readonly small: Pinned;
    readonly circuit: Pinned;
    readonly all: readonly Pinned[];
    readonly verifyingKey: Uint8Array;
  };
}

/** One multi-exponentiation. Z and Z1 are over the quotient, which the first worker makes itself. */
export type Job = PartName | "Z1";

/** Canonical scalars of the bases of each part. */
export type Scalars = Partial<Record<PartName, Int32Array<ArrayBuffer>>>;

export type Points = Partial<Record<Job, Point>>;

/** Steps of loading that the page is told of: bytes, files and parts done. */
export type Step = "download" | "check" | "expand";

/** What one can ask of a worker. */
export interface Api {
  load(what: Load): Promise<void>;
  solve(inputs: readonly bigint[]): Scalars;
  work(jobs: readonly Job[], scalars: Scalars): Points;
  keep(sums: Sums, inputs: readonly bigint[]): number;
  finish(id: number, message: bigint): Uint8Array<ArrayBuffer>;
  discard(id: number): void;
  verify(proof: Uint8Array, inputs: readonly bigint[]): boolean;
  path(leaves: Uint8Array, place: number): Way;
}

export type Method = keyof Api;

export interface Question {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code: ProverError["code"]; readonly message: string } }
  | { readonly step: Step; readonly done: number };

/** What a witness has become, but for its message; as secret as the witness. */
interface State {
  readonly sums: Sums;
  readonly publicSum: Uint32Array;
}

/** A worker's kernel and what is loaded into it. */
export class Desk implements Api {
  #kernel!: Kernel;
  #g1!: Curve;
  #g2!: Curve;
  #roots!: Roots;
  #msm!: MultiExp;
  #small: SmallKey | undefined;
  #circuit: Circuit | undefined;
  #assembly: Assembly | undefined;
  #verifier: Verifier | undefined;
  readonly #bases: Partial<Record<PartName, Bases>> = {};
  readonly #states = new Map<number, State>();
  readonly #tell: (step: Step, done: number) => void;
  #next = 0;

  constructor(tell: (step: Step, done: number) => void) {
    this.#tell = tell;
  }

  async load(what: Load): Promise<void> {
    this.#start((await WebAssembly.instantiate(what.module)).exports as unknown as Exports);
    const { first } = what;
    const files = first ? Promise.all([this.#download(first.small), this.#download(first.circuit)]) : undefined;
    const parts = what.parts.map(({ name, file }) => this.#part(name, file));
    if (files) {
      const [small, circuit] = await files;
      this.#open(small, circuit, first!.verifyingKey);
    }
    await Promise.all(parts);
    if (first) await forgetOthers(first.all);
  }

  solve(inputs: readonly bigint[]): Scalars {
    const { circuit, small } = this.#first();
    let all: Int32Array;
    try {
      all = circuit.solve(inputs);
    } catch (e) {
      this.#forget();
      throw e;
    }
    const { A, B, K } = small.bases;
    const scalars = (b: typeof A): Int32Array<ArrayBuffer> => {
      const out = pick(all, b.wires);
      fold(out, b.repeats);
      return out;
    };
    const right = scalars(B);
    const out = { A: scalars(A), B1: right, B2: right.slice(), K: scalars(K) };
    all.fill(0);
    return out;
  }

  work(jobs: readonly Job[], scalars: Scalars): Points {
    try {
      return this.#work(jobs, scalars);
    } finally {
      for (const s of Object.values(scalars)) s.fill(0);
      this.#forget();
    }
  }

  keep(sums: Sums, inputs: readonly bigint[]): number {
    const id = this.#next++;
    this.#states.set(id, { sums, publicSum: this.#tables().publicSum(inputs) });
    return id;
  }

  /** A proof is verified from its bytes before it is handed out. */
  finish(id: number, message: bigint): Uint8Array<ArrayBuffer> {
    const state = this.#states.get(id);
    if (!state) throw new ProverError("cancelled", "the prepared proof was discarded; prepare it again");
    const proof = this.#first().assembly.finish(state.sums, message);
    if (!this.#tables().verifyMessage(proof, state.publicSum, message)) {
      throw new ProverError("internal", "the proof does not hold; load the page again, and tell the study if it happens again");
    }
    return proof;
  }

  discard(id: number): void {
    const state = this.#states.get(id);
    if (!state) return;
    wipe(state.sums);
    this.#states.delete(id);
  }

  verify(proof: Uint8Array, inputs: readonly bigint[]): boolean {
    if (inputs.length !== INPUTS) throw new ProverError("internal", `verify: ${inputs.length} public inputs, want ${INPUTS}`);
    return this.#tables().verify(proof, inputs);
  }

  path(leaves: Uint8Array, place: number): Way {
    return wayTo(this.#kernel, leaves, place);
  }

  #start(exports: Exports): void {
    this.#kernel = new Kernel(exports);
    this.#g1 = new Curve(this.#kernel, G1);
    this.#g2 = new Curve(this.#kernel, G2);
    this.#roots = new Roots(this.#kernel);
    this.#msm = new MultiExp(this.#kernel);
  }

  /** Nothing is made with a key before it is known that it gives no secret away. */
  #open(small: Uint8Array, circuit: Uint8Array, verifyingKey: Uint8Array): void {
    const key = readSmall(small);
    const verifier = new Verifier(this.#kernel, this.#g1, this.#g2, this.#roots, verifyingKey);
    refuseUntrusted(this.#kernel, this.#roots, key, verifier);
    this.#verifier = verifier;
    this.#small = key;
    this.#circuit = new Circuit(this.#kernel, circuit);
    this.#assembly = new Assembly(this.#kernel, this.#g1, this.#g2, key);
  }

  async #download(file: Pinned): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await download(file, (n) => this.#tell("download", n));
    this.#tell("check", 1);
    return bytes;
  }

  async #part(name: PartName, file: Pinned): Promise<void> {
    this.#bases[name] = await loadPart(this.#kernel, this.#roots, name, file, {
      downloaded: (n) => this.#tell("download", n),
      checked: () => this.#tell("check", 1),
      expanded: () => this.#tell("expand", 1),
    });
  }

  #first(): { circuit: Circuit; small: SmallKey; assembly: Assembly } {
    if (!this.#circuit || !this.#small || !this.#assembly) throw new ProverError("internal", "this worker does not hold the circuit");
    return { circuit: this.#circuit, small: this.#small, assembly: this.#assembly };
  }

  #tables(): Verifier {
    if (!this.#verifier) throw new ProverError("internal", "this worker does not hold the verifying key");
    return this.#verifier;
  }

  #work(jobs: readonly Job[], scalars: Scalars): Points {
    const out: Points = {};
    const quotient = jobs.includes("Z") ? this.#first().circuit.quotient.run() : undefined;
    for (const job of jobs) {
      const factors = job === "Z" ? quotient?.constant : job === "Z1" ? quotient?.linear : scalars[job];
      const bases = this.#bases[job === "Z1" ? "Z" : job];
      if (!factors || !bases) throw new ProverError("internal", `this worker does not hold part ${job}`);
      out[job] = this.#sum(job, bases, factors);
    }
    return out;
  }

  #sum(job: Job, bases: Bases, scalars: Int32Array): Point {
    // The key's files agree in this, or memory that is none of the key's would be added up.
    if (scalars.length !== LIMBS * bases.count) throw new ProverError("changed", `part ${job} of the key has ${bases.count} points, and small.bin says ${scalars.length / LIMBS}`);
    const mark = this.#kernel.mark();
    const curve = job !== "Z1" && groupOf(job) === G2 ? this.#g2 : this.#g1;
    try {
      const at = this.#msm.run(curve, bases, scalars);
      return at === null ? null : curve.store(at);
    } finally {
      this.#kernel.release(mark);
    }
  }

  /** Zeroes all that a witness left in memory. Numbers of JavaScript itself cannot be zeroed. */
  #forget(): void {
    this.#circuit?.wipe();
    this.#kernel.wipe();
  }
}

/** What a dedicated worker's global scope has of which this uses anything. */
interface Scope {
  onmessage: ((e: MessageEvent<Question>) => void) | null;
  postMessage(a: Answer, transfer?: Transferable[]): void;
}

/** Answers a scope's questions, one after the other. */
export function serve(scope: Scope): void {
  const desk = new Desk((step, done) => scope.postMessage({ step, done }));
  scope.onmessage = async ({ data: q }) => {
    try {
      const value: unknown = await (desk[q.method] as (...args: readonly unknown[]) => unknown).apply(desk, [...q.args]);
      scope.postMessage({ id: q.id, value }, q.method === "solve" ? buffers(value as Scalars) : []);
    } catch (e) {
      const { code, message } = asProverError(e);
      scope.postMessage({ id: q.id, error: { code, message } });
    }
  };
}

// Tests import this module into a page, where there is nothing to serve.
if ("importScripts" in globalThis) serve(globalThis as unknown as Scope);
