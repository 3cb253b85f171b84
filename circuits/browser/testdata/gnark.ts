// The prover of a browser without vector instructions, behind functions that take
// and return JSON.
import { type Prepared, Prover, type Witness } from "../src/prover";

type Plain = { secret: string; trapdoor: string; attributes: number[]; path: string[][]; root: string; context: string; account: string; min: number[]; max: number[] };

const witness = (w: Plain): Witness => ({
  secret: BigInt(w.secret), trapdoor: BigInt(w.trapdoor), attributes: w.attributes, path: w.path.map((l) => l.map(BigInt)),
  root: BigInt(w.root), context: BigInt(w.context), account: BigInt(w.account), min: w.min, max: w.max,
});
const hex = (b: Uint8Array): string => [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
const bytes = (s: string): Uint8Array => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));

let prover: Prover;
let prepared: Prepared;
let last = "";

export async function open(): Promise<string> {
  WebAssembly.validate = () => false;
  prover = await Prover.open({ onProgress: (p) => { last = `${p.step} ${p.done === p.total}`; } });
  return `${prover.kind} ${last}`;
}

export async function prepare(w: Plain): Promise<void> {
  prepared = await prover.prepare(witness(w));
}

export async function finish(message: string): Promise<string> {
  return hex(await prepared.finish(BigInt(message)));
}

export const discard = (): void => prepared.discard();
export const close = (): void => prover.close();

export function verify(proof: string, w: Plain, message: string): Promise<boolean> {
  return prover.verify(bytes(proof), witness(w), BigInt(message));
}

export async function path(leaves: string, place: number): Promise<string[]> {
  const p = await prover.path(bytes(leaves), place);
  return [...p.path.flat(), p.root].map(String);
}
