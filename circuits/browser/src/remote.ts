/** The page's end of one worker. */
import { ProverError } from "./error";
import type { Answer, Api, Method, Question, Step } from "./worker";

interface Waiting {
  resolve(value: unknown): void;
  reject(e: ProverError): void;
}

/** Calls of a worker's functions; all fail once it was stopped. */
export class Remote {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #stopped: ProverError | undefined;

  /** failed is told when the worker ends by itself; it can be asked nothing more then. */
  constructor(url: string, tell: (step: Step, done: number) => void, failed: (why: ProverError) => void) {
    this.#worker = new Worker(url, { credentials: "omit", name: "prover" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if ("step" in data) tell(data.step, data.done);
      else this.#answered(data);
    };
    this.#worker.onerror = (e) => {
      const why = new ProverError("internal", `the prover's worker stopped: ${e.message || "no reason given"}; try again`);
      this.stop(why);
      failed(why);
    };
  }

  call<M extends Method>(method: M, args: Parameters<Api[M]>, transfer: Transferable[] = []): Promise<Awaited<ReturnType<Api[M]>>> {
    if (this.#stopped) return Promise.reject(this.#stopped);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, method, args } satisfies Question, transfer);
    });
  }

  /** Ends the worker, and with it all that it knew; what waits for it fails. */
  stop(why: ProverError): void {
    this.#stopped ??= why;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(this.#stopped);
    this.#waiting.clear();
  }

  #answered(a: Exclude<Answer, { step: Step }>): void {
    const who = this.#waiting.get(a.id);
    this.#waiting.delete(a.id);
    if ("error" in a) who?.reject(new ProverError(a.error.code, a.error.message));
    else who?.resolve(a.value);
  }
}
