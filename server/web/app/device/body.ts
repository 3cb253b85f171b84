// The bodies of transactions that a participant's device makes: an act with its
// proof.

import { ActError, actOf, check, fields, name, values, type Act } from "./act";
import { base64url, unbase64url, unname, type Bytes, type Name } from "./bytes";
import { decode, encode, type Value } from "./cbor";

/** Proven is an act and the proof for it. Root is zeroName where the tree is one's own leaf. */
export interface Proven {
  readonly act: Act;
  readonly root: Name;
  readonly account: Name;
  readonly proof: Uint8Array; // 128 bytes
}

/** proofBytes is the length of a proof. */
export const proofBytes = 128;

/** encodeActBody is the body of `consent.act`. Leaf is that of who withdraws, zeroName otherwise. */
export function encodeActBody(p: Proven, leaf: Name): Bytes {
  return encode([proven(p), unname(leaf, "leaf")]);
}

/** encodeEnrol is the body of `consent.enrol`. */
export function encodeEnrol(p: Proven, leaf: Name, kiosk: boolean): Bytes {
  return encode([proven(p), unname(leaf, "leaf"), kiosk]);
}

/** encodeEntry is the body of `consent.entry`. */
export function encodeEntry(p: Proven): Bytes {
  return encode([proven(p)]);
}

function proven(p: Proven): Value {
  check(p.act);
  if (p.proof.length !== proofBytes) {
    throw new ActError(`proof: ${p.proof.length} bytes, want ${proofBytes}`);
  }
  return [values(p.act), unname(p.root, "root"), unname(p.account, "account"), p.proof];
}

/** decodeActBody reads the body of `consent.act`. */
export function decodeActBody(bytes: Uint8Array): { proven: Proven; leaf: Name } {
  const [p, leaf] = fields(decode(bytes), 2, "act body");
  return { proven: decodeProven(p!), leaf: name(leaf!, "leaf") };
}

/** decodeEnrol reads the body of `consent.enrol`: what an investigator is asked to sign. */
export function decodeEnrol(bytes: Uint8Array): { proven: Proven; leaf: Name; kiosk: boolean } {
  const [p, leaf, kiosk] = fields(decode(bytes), 3, "enrolment");
  if (typeof kiosk !== "boolean") {
    throw new ActError("enrolment: kiosk: neither true nor false");
  }
  return { proven: decodeProven(p!), leaf: name(leaf!, "leaf"), kiosk };
}

/** decodeEntry reads the body of `consent.entry`. */
export function decodeEntry(bytes: Uint8Array): Proven {
  return decodeProven(fields(decode(bytes), 1, "entry")[0]!);
}

function decodeProven(v: Value): Proven {
  const [a, root, account, proof] = fields(v, 4, "proven");
  if (!(proof instanceof Uint8Array) || proof.length !== proofBytes) {
    throw new ActError(`proof: no byte string of ${proofBytes} bytes`);
  }
  return { act: actOf(a!), root: name(root!, "root"), account: name(account!, "account"), proof };
}

const entryPrefix = "TRIALITH1:";

/** entryText is a visit's entry for a QR code and a hand scanner. */
export function entryText(body: Uint8Array): string {
  return entryPrefix + base64url(body);
}

/** readEntryText reads what entryText wrote: an entry's bytes. */
export function readEntryText(text: string): Bytes {
  const t = text.trim();
  if (!t.startsWith(entryPrefix)) {
    throw new ActError(`entry: a visit's code begins with ${entryPrefix}`);
  }
  return unbase64url(t.slice(entryPrefix.length), "entry");
}
