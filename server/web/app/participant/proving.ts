// One prover for the page. It is opened when it is first needed, for all who need
// it, and tells them how far it is.

import { Prover, type Progress } from "../../../../circuits/browser/src/prover";
import { type Prepared, type Prover as Proving, type Witness } from "../device/credential";
import { AgentError } from "./agent";

// What each step is worth of the whole, by where a phone spends its time on a first visit.
const worth: Record<Progress["step"], [begin: number, end: number]> = {
  download: [0, 0.6], check: [0.6, 0.65], expand: [0.65, 0.8], solve: [0.8, 0.85], prove: [0.85, 1],
};

/** A prover that opens itself. What it cannot do shows only where a proof is asked for. */
export class OwnProver implements Proving {
  private opened?: Promise<Prover>;
  private watchers = new Set<(share: number) => void>();

  /** What is proven passes under no other key than the one that the ledger names: verifyingKey asks for its name. */
  constructor(private readonly verifyingKey: () => Promise<string>) {}

  /** Opens the prover, unless it is open; a failure is forgotten, so that the next try is a new one. */
  open(): Promise<Prover> {
    this.opened ??= this.start().catch((e: unknown) => {
      this.opened = undefined;
      throw e;
    });
    return this.opened;
  }

  private async start(): Promise<Prover> {
    return Prover.open({ verifyingKey: await this.verifyingKey(), onProgress: (p) => this.tell(p) });
  }

  async prepare(w: Witness, signal?: AbortSignal): Promise<Prepared> {
    return (await this.open()).prepare(w, signal);
  }

  async path(leaves: Uint8Array, place: number): Promise<{ path: bigint[][]; root: bigint }> {
    return (await this.open()).path(leaves, place);
  }

  /** Tells how far it is, until the returned function is called. */
  watch(tell: (share: number) => void): () => void {
    this.watchers.add(tell);
    return () => this.watchers.delete(tell);
  }

  private tell(p: Progress): void {
    const [begin, end] = worth[p.step];
    const share = begin + (end - begin) * (p.total > 0 ? Math.min(1, p.done / p.total) : 0);
    for (const w of this.watchers) w(share);
  }
}

/** Waits for work that others wait for too: the signal ends the waiting and not the work. */
export function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new AgentError("cancelled"));
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new AgentError("cancelled"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
