// The page of "trialith bench browser": each function is one step of a round, so
// that the command can run ours and the peer in turns. Times are in milliseconds
// by the browser's clock.
import { type Prepared, Prover, type Witness } from "./prover";

/** A witness with its numbers in decimal. */
interface Plain {
  secret: string;
  trapdoor: string;
  attributes: number[];
  path: string[][];
  root: string;
  context: string;
  account: string;
  min: number[];
  max: number[];
}

interface Proven {
  prepare: number;
  finish: number;
  proof: string;
}

type Threads = 1 | 2;

const provers = new Map<Threads, Prover>();
const peers = new Map<Threads, Worker>();
let witness: Witness;

function use(w: Plain): void {
  witness = {
    ...w, secret: BigInt(w.secret), trapdoor: BigInt(w.trapdoor), path: w.path.map((level) => level.map(BigInt)),
    root: BigInt(w.root), context: BigInt(w.context), account: BigInt(w.account),
  };
}

/** open starts a prover: the time of it all, and from the last byte of the download on. */
async function open(workers: Threads): Promise<{ kind: string; open: number; ready: number }> {
  provers.get(workers)?.close();
  const start = performance.now();
  let downloaded = start;
  const prover = await Prover.open({ workers, onProgress: (p) => { if (p.step === "download") downloaded = performance.now(); } });
  const end = performance.now();
  provers.set(workers, prover);
  return { kind: prover.kind, open: end - start, ready: end - downloaded };
}

/** prove makes one proof; the message is the step after the click. */
async function prove(workers: Threads, message: string): Promise<Proven> {
  const prover = provers.get(workers);
  if (!prover) throw new Error(`no prover of ${workers} workers is open`);
  const start = performance.now();
  const prepared: Prepared = await prover.prepare(witness);
  const middle = performance.now();
  const proof = await prepared.finish(BigInt(message));
  const end = performance.now();
  prepared.discard();
  return { prepare: middle - start, finish: end - middle, proof: Array.from(proof, (b) => b.toString(16).padStart(2, "0")).join("") };
}

/** openPeer starts the peer's worker; its first proof is not measured, for it loads code and key. */
async function openPeer(threads: Threads): Promise<void> {
  peers.get(threads)?.terminate();
  peers.set(threads, new Worker(`/bench/peer/browser.js?threads=${threads}`));
  await provePeer(threads);
}

/** provePeer makes and verifies one proof of the peer's: the witness and the proof are timed, as ours are. */
function provePeer(threads: Threads): Promise<number> {
  const worker = peers.get(threads);
  if (!worker) return Promise.reject(new Error(`no peer of ${threads} threads is open`));
  return new Promise((resolve, reject) => {
    worker.onmessage = (e: MessageEvent<{ ms: number; error?: string }>) => (e.data.error ? reject(new Error(e.data.error)) : resolve(e.data.ms));
    worker.onerror = (e) => reject(new Error(`peer: ${e.message}`));
    worker.postMessage(null);
  });
}

let loop: Worker | undefined;

/**
 * calibrate times a loop of a fixed count in a worker of its own: what it takes
 * under throttling over what it takes without is how much slower a worker runs.
 */
function calibrate(rounds: number): Promise<number> {
  const worker = (loop ??= new Worker("/bench/loop.js"));
  return new Promise<number>((resolve, reject) => {
    worker.onmessage = (e: MessageEvent<number>) => resolve(e.data);
    worker.onerror = (e) => reject(new Error(`loop: ${e.message}`));
    worker.postMessage(rounds);
  });
}

Object.assign(globalThis, { T: { use, open, prove, openPeer, provePeer, calibrate } });
