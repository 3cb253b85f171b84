/**
 * The proving key: single points and the wires of each base from small.bin, and the
 * parts A, B1, K, Z (over Fp) and B2 (over Fp2), whose points come compressed. Which
 * parts a worker holds is its share of the work.
 */
import { type Expanded, recall, remember } from "./cache";
import { G1, G2, type Group } from "./curve";
import { ProverError } from "./error";
import { type Pinned, download } from "./files";
import { type Kernel, LIMBS, wordsOf } from "./kernel";
import type { Repeat } from "./msm";
import { type Bases, Compressed, type Roots } from "./points";
import { Reader } from "./reader";

export type PartName = "A" | "B1" | "K" | "Z" | "B2";

export const groupOf = (part: PartName): Group => (part === "B2" ? G2 : G1);

/** The single points of the key. late… are what one unit of the message, and of its square for C, adds. */
const SINGLE = ["alpha", "beta", "delta", "lateA", "lateB", "lateC"] as const;
const SINGLE_TWIST = ["beta2", "delta2", "lateB2"] as const;
export type SingleName = (typeof SINGLE)[number] | (typeof SINGLE_TWIST)[number];

/** Which wire each base belongs to, and the bases that repeat others. */
export interface BaseWires {
  readonly wires: Uint16Array;
  readonly repeats: readonly Repeat[];
}

export interface SmallKey {
  readonly points: Readonly<Record<SingleName, Uint32Array>>;
  readonly bases: Readonly<Record<"A" | "B" | "K", BaseWires>>;
}

/** Reads small.bin, whose form package split writes. */
export function readSmall(file: Uint8Array): SmallKey {
  const points: Partial<Record<SingleName, Uint32Array>> = {};
  let at = 0;
  const take = (name: SingleName, group: Group): void => {
    points[name] = wordsOf(file.slice(at, at + 4 * group.words));
    at += 4 * group.words;
  };
  for (const name of SINGLE) take(name, G1);
  for (const name of SINGLE_TWIST) take(name, G2);
  const r = new Reader(file, at);
  const bases = { A: readBases(r), B: readBases(r), K: readBases(r) };
  r.expectEnd("small.bin");
  return { points: points as SmallKey["points"], bases };
}

function readBases(r: Reader): BaseWires {
  const count = r.u32();
  const repeated = r.u32();
  // Both are numbered with 16 bits: more would only fill the memory.
  if (count > 0xffff || repeated > count) throw new ProverError("changed", `small.bin: ${count} bases, ${repeated} of them repeated; load the page again`);
  const wires = Uint16Array.from({ length: count }, () => r.u16());
  const repeats = Array.from({ length: repeated }, (): Repeat => ({ i: r.u16(), j: r.u16(), sign: r.u16() === 1 ? 1 : -1 }));
  return { wires, repeats };
}

/** The scalars of the wires that have a base. */
export function pick(all: Int32Array, wires: Uint16Array): Int32Array<ArrayBuffer> {
  const out = new Int32Array(LIMBS * wires.length);
  for (let i = 0; i < wires.length; i++) {
    const from = LIMBS * wires[i]!;
    for (let k = 0; k < LIMBS; k++) out[LIMBS * i + k] = all[from + k]!;
  }
  return out;
}

/** What loading a part tells. */
export interface PartWatch {
  downloaded(bytes: number): void;
  checked(): void;
  expanded(): void;
}

/** Brings a part into a kernel's memory: from the cache where that holds, else downloaded and expanded. */
export async function loadPart(kernel: Kernel, roots: Roots, part: PartName, file: Pinned, watch: PartWatch): Promise<Bases> {
  const kept = await recall(file);
  if (kept) watch.downloaded(file.bytes);
  const bytes = kept?.file ?? (await download(file, (n) => watch.downloaded(n)));
  watch.checked();
  const points = new Compressed(kernel, roots, groupOf(part), wordsOf(bytes));
  let y = kept?.y;
  if (!y || !points.agrees(y)) {
    y = points.expand();
    // x of no point: the pin says what the file is, and for a ceremony's key not that it is right.
    if (!points.agrees(y)) throw new ProverError("changed", `${file.url}: a point of it is not on its curve; tell the study`);
    await remember(file, { file: bytes, y } satisfies Expanded);
  }
  watch.expanded();
  return points.load(y);
}
