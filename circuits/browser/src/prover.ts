/**
 * Consent proofs in the participant's browser: one to four workers around a small
 * kernel in WebAssembly, or gnark's prover where the browser lacks vector
 * instructions. Everything but the message is proven ahead, while the person reads;
 * the message comes with the click.
 *
 * Secrets live in memory alone and are zeroed where the language lets us: typed
 * arrays and the kernel's memory are, bigints and what the browser copied between
 * threads are not. Nothing here is constant in time: whoever can measure the device
 * closely while it proves may learn something (nor is gnark's prover).
 */
import type { Sums } from "./assemble";
import { KeylessError, ProverError, type ProverCode, asProverError } from "./error";
import { type Pinned, download } from "./files";
import { Gnark } from "./gnark";
import { type LedgerKey, builtIn, ledgerKey } from "./ledgerkey";
import { type Pin, pins as builtPins, scripts as builtScripts } from "./pins";
import { R } from "./kernel";
import { Remote } from "./remote";
import { type Witness, explain, publicInputs, secretInputs } from "./witness";
import { buffers, wipe } from "./secret";
import type { Job, Load, Points, Scalars, Step } from "./worker";

export { KeylessError, ProverError, type ProverCode, type Witness };

/** How far a step is: bytes of a download, files, parts of the key, jobs. */
export interface Progress {
  step: "download" | "check" | "expand" | "solve" | "prove";
  done: number;
  total: number;
}

export interface OpenOptions {
  /** Where the files are served; "/prover/" unless given. */
  base?: string;
  /** Unless given: 2, or 1 where the device has one core. */
  workers?: 1 | 2 | 3 | 4;
  /**
   * The name of the verifying key that the ledger's genesis names, 64 lower-case
   * hexadecimal digits. Unless given, the development key, which is built in.
   */
  verifyingKey?: string;
  onProgress?: (p: Progress) => void;
  /** Ends the opening. */
  signal?: AbortSignal;
}

/** The files that a prover uses, and what they must be. */
export interface Pins {
  readonly files: Readonly<Record<keyof typeof builtPins, Pin>>;
  readonly worker: Pin;
}

/** A proof that waits for its message. It is as secret as its witness: memory only. */
export interface Prepared {
  /** A proof of 128 bytes for a message, verified before it is handed out. No two are alike. */
  finish(message: bigint): Promise<Uint8Array>;
  /** Forgets it. */
  discard(): void;
}

/** What proves: the kernel's workers, or gnark's. */
interface Engine {
  readonly kind: "kernel" | "gnark";
  prepare(w: Witness, signal?: AbortSignal): Promise<Prepared>;
  path(leaves: Uint8Array, place: number): Promise<{ path: bigint[][]; root: bigint }>;
  verify(proof: Uint8Array, w: Witness, message: bigint): Promise<boolean>;
  close(): void;
}

/** Makes and verifies proofs. Its calls may overlap; one witness is worked on at a time. */
export class Prover {
  readonly kind: "kernel" | "gnark";
  readonly #engine: Engine;

  private constructor(engine: Engine) {
    this.kind = engine.kind;
    this.#engine = engine;
  }

  /**
   * Downloads the files, compares them with their pinned hashes and expands the key.
   * Errors: "unsupported" (also: the node has no proving key for this ledger),
   * "download", "changed" (another hash, or a key that could give secrets away),
   * "cancelled".
   * Only tests give pins.
   */
  static async open(o: OpenOptions = {}, pins: Pins = { files: builtPins, worker: builtScripts["worker.js"] }): Promise<Prover> {
    if (typeof WebAssembly !== "object" || typeof Worker !== "function") {
      throw new ProverError("unsupported", "this browser cannot make a proof: it lacks WebAssembly or workers; use a newer one, or another device");
    }
    const key = o.verifyingKey === undefined ? undefined : await ledgerKey(new URL(o.base ?? "/prover/", location.href), o.verifyingKey, o.signal);
    return new Prover(hasVectors() ? await Team.open(o, pins, key) : await Gnark.open(o, key));
  }

  /**
   * Proves everything but the message. A signal ends the work at once by ending the
   * workers, so that other prepared proofs of this prover are lost with them; the
   * next call starts new ones. Errors: "witness", "cancelled".
   */
  prepare(w: Witness, signal?: AbortSignal): Promise<Prepared> {
    return this.#engine.prepare(w, signal);
  }

  /** All children of the nodes above a place, and the root, from all leaves of a tree: 32 bytes each, zero where emptied. */
  path(leaves: Uint8Array, place: number): Promise<{ path: bigint[][]; root: bigint }> {
    return this.#engine.path(leaves, place);
  }

  /** Whether a proof proves the witness's statement with this message; of the witness only the public side is used. */
  verify(proof: Uint8Array, w: Witness, message: bigint): Promise<boolean> {
    return this.#engine.verify(proof, w, message);
  }

  /** Ends the workers and forgets all that they knew. */
  close(): void {
    this.#engine.close();
  }
}

/** A module with one function of a vector instruction: valid where the browser has them. */
const VECTORS = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11);

const hasVectors = (): boolean => WebAssembly.validate(VECTORS);

/**
 * The jobs of each worker. The first solves the circuit and makes the quotient, which
 * Z waits for. As A takes 1, so do K, Z and Z1, B1 takes 0.7, B2 1.9, and the circuit
 * and its quotient 0.9.
 */
const SHARES: Readonly<Record<1 | 2 | 3 | 4, readonly (readonly Job[])[]>> = {
  1: [["Z", "Z1", "K", "A", "B1", "B2"]],
  2: [["Z", "Z1", "B1"], ["B2", "A", "K"]],
  3: [["Z", "Z1"], ["B2", "B1"], ["A", "K"]],
  4: [["Z", "Z1"], ["B2"], ["A", "B1"], ["K"]],
};

/** Stands for the message until it is known; the circuit's solver and the verifier's sum leave it out. */
const OPEN_MESSAGE = 1n;

const PARTS = ["A", "B1", "K", "Z", "B2"] as const;

/** The workers, started when they are needed. */
class Team implements Engine {
  readonly kind = "kernel";
  readonly #shares: readonly (readonly Job[])[];
  readonly #options: OpenOptions;
  readonly #pins: Pins;
  readonly #verifyingKey: Uint8Array;
  #workers: Promise<readonly Remote[]> | undefined;
  #running: Remote[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  #stops = 0;

  private constructor(o: OpenOptions, pins: Pins, key: LedgerKey | undefined) {
    this.#options = o;
    this.#pins = key ? { ...pins, files: { ...pins.files, ...key.files } } : pins;
    this.#verifyingKey = key?.verifying ?? builtIn();
    this.#shares = SHARES[o.workers ?? (navigator.hardwareConcurrency > 1 ? 2 : 1)];
  }

  static async open(o: OpenOptions, pins: Pins, key: LedgerKey | undefined): Promise<Team> {
    const team = new Team(o, pins, key);
    await team.#until(o.signal, () => team.#ready());
    return team;
  }

  async prepare(w: Witness, signal?: AbortSignal): Promise<Prepared> {
    const inputs = publicInputs(w, OPEN_MESSAGE);
    const all = [...inputs, ...secretInputs(w)];
    const turn = this.#turn.then(() => this.#until(signal, () => this.#prepare(all, inputs)));
    this.#turn = turn.catch(() => undefined);
    return turn.catch((e: unknown) => {
      throw e instanceof ProverError && e.code === "witness" ? explain(w) : e;
    });
  }

  async path(leaves: Uint8Array, place: number): Promise<{ path: bigint[][]; root: bigint }> {
    return (await this.#first()).call("path", [leaves, place]);
  }

  async verify(proof: Uint8Array, w: Witness, message: bigint): Promise<boolean> {
    return (await this.#first()).call("verify", [proof, publicInputs(w, message)]);
  }

  close(): void {
    this.#closed = true;
    this.#stop(new ProverError("cancelled", "the prover was closed; open another one"));
  }

  async #prepare(inputs: readonly bigint[], publics: readonly bigint[]): Promise<Prepared> {
    const workers = await this.#ready();
    const first = workers[0]!;
    this.#progress("solve", 0, 1);
    const scalars = await first.call("solve", [inputs]);
    this.#progress("solve", 1, 1);
    let done = 0;
    this.#progress("prove", done, workers.length);
    const points = await Promise.all(
      workers.map(async (worker, i) => {
        const share = this.#shares[i]!;
        const mine = Object.fromEntries(Object.entries(scalars).filter(([part]) => share.includes(part as Job))) as Scalars;
        const out = await worker.call("work", [share, mine], buffers(mine));
        this.#progress("prove", ++done, workers.length);
        return out;
      }),
    );
    const sums = Object.assign({}, ...points) as Points as Sums;
    try {
      return new Waiting(first, await first.call("keep", [sums, publics]));
    } finally {
      wipe(sums);
    }
  }

  /** The workers, started and loaded. */
  #ready(): Promise<readonly Remote[]> {
    if (this.#closed) return Promise.reject(new ProverError("cancelled", "the prover was closed; open another one"));
    return (this.#workers ??= this.#start());
  }

  async #first(): Promise<Remote> {
    return (await this.#ready())[0]!;
  }

  async #start(): Promise<readonly Remote[]> {
    const stops = this.#stops;
    try {
      return await this.#load(() => this.#stops === stops);
    } catch (e) {
      const why = asProverError(e);
      if (this.#stops === stops) this.#stop(why);
      throw why;
    }
  }

  /** Starts the workers and has them load their shares, unless it is no longer wanted by then. */
  async #load(wanted: () => boolean): Promise<readonly Remote[]> {
    const base = new URL(this.#options.base ?? "/prover/", location.href);
    const at = (pin: Pin): Pinned => ({ url: new URL(pin.file, base).href, sha256: pin.sha256, bytes: pin.bytes });
    const files = this.#pins.files;
    const tell = this.#counter();
    const script = at(this.#pins.worker);
    // The browser takes the script from the same address, whose bytes never change.
    const [kernel] = await Promise.all([download(at(files["kernel.wasm"]), (n) => tell("download", n)), download(script)]);
    tell("check", 1);
    const module = await WebAssembly.compile(kernel);
    if (!wanted()) throw new ProverError("cancelled", "cancelled");
    const workers = this.#shares.map(() => new Remote(script.url, tell, (why) => this.#stop(why)));
    this.#running = workers;
    const all = PARTS.map((name) => at(files[`${name}.bin`]));
    const first = { small: at(files["small.bin"]), circuit: at(files["circuit.bin"]), all, verifyingKey: this.#verifyingKey };
    await Promise.all(
      workers.map((worker, i) => {
        const parts = PARTS.filter((name) => this.#shares[i]!.includes(name)).map((name) => ({ name, file: at(files[`${name}.bin`]) }));
        return worker.call("load", [i === 0 ? { module, parts, first } : ({ module, parts } satisfies Load)]);
      }),
    );
    return workers;
  }

  /** Adds up what the workers tell of loading. */
  #counter(): (step: Step, done: number) => void {
    const files = Object.values(this.#pins.files);
    const totals: Record<Step, number> = { download: files.reduce((n, f) => n + f.bytes, 0), check: files.length, expand: PARTS.length };
    const sums: Record<Step, number> = { download: 0, check: 0, expand: 0 };
    return (step, done) => this.#progress(step, (sums[step] += done), totals[step]);
  }

  #progress(step: Progress["step"], done: number, total: number): void {
    this.#options.onProgress?.({ step, done, total });
  }

  /** Work that a signal ends together with the workers. */
  async #until<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const cancelled = new ProverError("cancelled", "cancelled");
    if (signal?.aborted) throw cancelled;
    let abort = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        this.#stop(cancelled);
        reject(cancelled);
      };
    });
    aborted.catch(() => undefined);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([work(), aborted]);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  #stop(why: ProverError): void {
    this.#stops++;
    for (const worker of this.#running) worker.stop(why);
    this.#running = [];
    this.#workers = undefined;
  }
}

/** A prepared proof in a worker. */
class Waiting implements Prepared {
  readonly #worker: Remote;
  readonly #id: number;

  constructor(worker: Remote, id: number) {
    this.#worker = worker;
    this.#id = id;
  }

  async finish(message: bigint): Promise<Uint8Array> {
    if (typeof message !== "bigint" || message <= 0n || message >= R) {
      throw new ProverError("witness", "the message is no field element other than zero; hash the act");
    }
    return this.#worker.call("finish", [this.#id, message]);
  }

  discard(): void {
    this.#worker.call("discard", [this.#id]).catch(() => undefined); // a stopped worker has forgotten it already
  }
}
