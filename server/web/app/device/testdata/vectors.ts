// What the Go tests call, in words of JSON: numbers of the field and bytes are
// hexadecimal, a thrown error is its words.

import { decode as element, encode as elementBytes, order } from "../../../../../circuits/browser/src/field";
import { account, identity, leaf, node, pack } from "../../../../../circuits/browser/src/poseidon";
import { depth, empty, ownLeafRoot, path, root } from "../../../../../circuits/browser/src/tree";
import { check, context, decodeAct, encodeAct, message, type Act } from "../act";
import { decodeActBody, decodeEnrol, decodeEntry, encodeActBody, encodeEnrol, encodeEntry, entryText, readEntryText } from "../body";
import { hex, zeroName } from "../bytes";
import { decode, encode, type Value } from "../cbor";
import { enrolled, nameOf, pass } from "../credential";
import { commitChoice, formSet, type Choice, type Form } from "../form";
import { derive, hashToField, sum } from "../hash";

export { depth };

const bytes = (h: string): Uint8Array => Uint8Array.from(h.match(/../g) ?? [], (x) => parseInt(x, 16));
const number = (h: string): bigint => BigInt("0x" + h);
const text = (x: bigint): string => hex(elementBytes(x));

// each calls f for each of many inputs, so that a test crosses into the browser once.
async function each<I, O>(inputs: I[], f: (i: I) => O | Promise<O>): Promise<(O | { error: string })[]> {
  const out: (O | { error: string })[] = [];
  for (const i of inputs) {
    try {
      out.push(await f(i));
    } catch (e) {
      out.push({ error: e instanceof Error ? e.message : String(e) });
    }
  }
  return out;
}

export const fieldOrder = (): string => text(order - 1n);
export const elements = (hs: string[]) => each(hs, (h) => text(element(bytes(h))));
export const identities = (ps: string[][]) => each(ps, ([s, t]) => text(identity(number(s!), number(t!))));
export const leaves = (ps: { identity: string; attributes: number[] }[]) => each(ps, (p) => text(leaf(number(p.identity), p.attributes)));
export const packs = (fs: number[][]) => each(fs, (f) => text(pack(f)));
export const accounts = (ps: string[][]) => each(ps, ([s, l, c]) => text(account(number(s!), number(l!), number(c!))));
export const nodes = (cs: string[][]) => each(cs, (c) => text(node(c.map(number))));
export const empties = (levels: number): string[] => Array.from({ length: levels }, (_, i) => text(empty(i)));
export const ownRoots = (ls: string[]) => each(ls, (l) => text(ownLeafRoot(number(l))));
export const roots = (ls: string[]) => each(ls, (l) => text(root(bytes(l))));
export const paths = (ps: { leaves: string; place: number }[]) => each(ps, (p) => {
  const way = path(bytes(p.leaves), p.place);
  return { root: text(way.root), path: way.path.map((level) => level.map(text)) };
});

export const fieldHashes = (ps: { purpose: string; message: string }[]) => each(ps, async (p) => text(await hashToField(p.purpose, bytes(p.message))));
export const derived = (ps: { master: string; tag: string; ledger: string; trial: string; enrolment: number }[]) =>
  each(ps, async (p) => text(await derive(bytes(p.master), p.tag, p.ledger, p.trial, p.enrolment)));
export const credentials = (ps: { master: string; ledger: string; trial: string; enrolment: number; version: number }[]) => each(ps, async (p) => {
  const owner = { ...p, master: bytes(p.master) };
  return { enrolled: nameOf(await enrolled(owner)), pass: nameOf(await pass(owner, p.version)) };
});
export const sums = (ps: { tag: string; array: string }[]) => each(ps, async (p) => hex(await sum(p.tag, ...(decode(bytes(p.array)) as Value[]))));

// again decodes and encodes again: what comes back is the canonical bytes.
export const again = (bs: string[]) => each(bs, (b) => hex(encode(decode(bytes(b)))));
export const encoded = (vs: unknown[]) => each(vs, (v) => hex(encode(v as Value)));

export const halves = (codes: number[]) => each(codes, (c) => hex(encode(["a" + String.fromCharCode(c)])));

export const acts = (as: Act[]) => each(as, async (a) => {
  check(a);
  return { bytes: hex(encodeAct(a)), context: text(await context(a)), message: text(await message(a)), again: hex(encodeAct(decodeAct(encodeAct(a)))) };
});
export const decodedActs = (bs: string[]) => each(bs, (b) => decodeAct(bytes(b)));

interface Body { kind: "act" | "enrol" | "entry"; act: Act; root: string; account: string; proof: string; leaf: string; kiosk: boolean }
export const bodies = (bs: Body[]) => each(bs, (b) => {
  const proven = { act: b.act, root: b.root, account: b.account, proof: bytes(b.proof) };
  switch (b.kind) {
    case "act": {
      const made = encodeActBody(proven, b.leaf);
      const read = decodeActBody(made);
      return { made: hex(made), again: hex(encodeActBody(read.proven, read.leaf)) };
    }
    case "enrol": {
      const made = encodeEnrol(proven, b.leaf, b.kiosk);
      const read = decodeEnrol(made);
      return { made: hex(made), again: hex(encodeEnrol(read.proven, read.leaf, read.kiosk)) };
    }
    case "entry": {
      const made = encodeEntry(proven);
      return { made: hex(made), again: hex(encodeEntry(decodeEntry(readEntryText(entryText(made))))) };
    }
  }
});

export const choices = (cs: { choice: Choice; salt: string }[]) => each(cs, (c) => commitChoice(c.choice, bytes(c.salt)));
export const formSets = (fs: Form[][]) => each(fs, formSet);
export const zero = (): string => zeroName;
