// A visit or dose under a current consent (what the rules call an entry): proven
// with a pass, once for each slot.

import { encode } from "../../../../circuits/browser/src/field";
import { context, Kind, tree, type Act } from "./act";
import { placeOf, type Names } from "./api";
import { encodeEntry } from "./body";
import { base64, hex, random, type Name } from "./bytes";
import { accountOf, type Credential, type Prover } from "./credential";
import { letterOf } from "./crockford";
import { type Device } from "./device";
import { DeviceError } from "./error";
import { dayOf, recordable, type Lists } from "./lists";
import { ownerOf, type Entry } from "./participation";
import { prove } from "./proving";
import { passes, type Status } from "./status";

/** Visiting is what an entry is about. */
export interface Visiting {
  slot: string; // the protocol's visit id
  rep: number; // 0, or the repetition in a repeatable slot
  kind: "visit" | "dose" | "attest";
}

/** Shown is what a site is shown at a visit: a short code for the desk, and the entry for a scanner. */
export interface Shown {
  code: string;
  text: string;
  sent: boolean; // the site's inbox has it
}

/**
 * makeEntry makes the proof for a visit with the oldest pass from the site's floor
 * on: until a deadline that says nothing about who has answered. One slot gets
 * one account: what is recorded under any pass is not made again, and what was
 * shown is made again with the same pass alone, as long as it may be recorded.
 */
export async function makeEntry(d: Device, l: Lists, s: Status, v: Visiting, prover: Prover, signal?: AbortSignal): Promise<Entry> {
  const p = await d.store.study(d.participation.id); // with what another page has shown
  const a: Act = { ...d.act(Kind[v.kind]), site: s.member?.site ?? p.site, slot: v.slot, rep: v.rep, day: dayOf(s.now) };
  const mine = await passes(ownerOf(p), s.consents);
  const before = p.entries.find((e) => e.slot === v.slot && e.rep === v.rep);
  if (await recorded(d, mine.map((x) => x.credential), a, signal)) {
    throw new DeviceError("slot", `${v.kind} ${v.slot}: recorded before`);
  }
  const leaves = await passList(d, s.floor, signal);
  const pass = mine.find((x) => x.version >= s.floor && placeOf(leaves, x.name) >= 0);
  if (!pass) {
    throw new DeviceError("noCurrentConsent", "no current consent: read the new version and decide first");
  }
  if (before && before.pass !== pass.version && s.now < recordable(l, before.day)) {
    throw new DeviceError("slot", `${v.kind} ${v.slot}: shown before, under an earlier consent, and may still be recorded; ask the site`);
  }
  const proven = await prove(prover, pass.credential, a, leaves, signal);
  return {
    slot: v.slot, rep: v.rep, day: a.day, account: proven.account, pass: pass.version, body: base64(encodeEntry(proven)),
    code: before?.code ?? deskCode(), recorded: false,
  };
}

// recorded looks for a slot's accounts under all passes in the list that is the same for everyone.
async function recorded(d: Device, own: readonly Credential[], a: Act, signal?: AbortSignal): Promise<boolean> {
  const [all, at] = [await d.node.entries(a.trial, signal), await context(a)];
  return own.some((c) => placeOf(all, accountName(c, at)) >= 0);
}

function accountName(c: Credential, at: bigint): Name {
  return hex(encode(accountOf(c, at)));
}

async function passList(d: Device, floor: number, signal?: AbortSignal): Promise<Names> {
  const { trial } = d.participation;
  const name = tree.passes(floor);
  const there = (await d.node.trees(trial, signal)).includes(name); // from the first consent on
  return there ? d.node.leaves(trial, name, signal) : { bytes: new Uint8Array(0), height: 0 };
}

// deskCode is what is read out at the desk: it finds the letter, and proves nothing.
function deskCode(): string {
  return Array.from(random(6), (b) => letterOf(b % 32)).join("");
}
