// Cards and letters: what a site and a participant's device tell each other
// through mailboxes that can read none of it. Every letter has one size.
//
// A card's code leads to a box and to the key of what is in it: the site writes
// there. To the site one writes by sealing to the public key that the card's
// first letter names.

import { hex, join, random, unbase64, utf8, type Bytes } from "../device/bytes";
import { hkdf, sha256 } from "../device/hash";
import { open as unseal, overhead, seal, type KeyPair } from "../seal";

export const letterBytes = 4096;

const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford's: none is taken for another
const codeLength = 12; // 11 random, 1 check
const nonceBytes = 12, tagBytes = 16;
const mailInfo = utf8("trialith/v1/mail");

/** A card's first letter. */
export interface CardLetter {
  type: "card"; ledger: string; trial: string; site: string; siteName: string; investigator: string;
  version: number; day: number; study: string; contact: string; inbox: string; code: string;
}

/** What else a site writes. */
export type SiteLetter = CardLetter
  | { type: "enrolled"; transaction: string }
  | { type: "refused"; reason: string }
  | { type: "countersigned"; version: number }
  | { type: "visited"; slot: string; transaction: string }
  | { type: "acknowledged"; what: "withdrawn" };

/** What a participant writes. Nothing in it is true before it is looked at. */
export interface Received {
  type: "enrol" | "receipt" | "visit" | "withdrawn";
  box: string; subject: string; body?: Bytes; code: string; version: number; epoch: number;
}

/** newCode makes the code of a card. */
export function newCode(): string {
  const body = Array.from(random(codeLength - 1), (b) => letters[b % 32]).join("");
  return body + checkLetter(body);
}

/** Odd weights: each single exchange of a character is seen. */
function checkLetter(body: string): string {
  let sum = 0;
  for (let i = 0; i < body.length; i++) sum += (2 * i + 1) * letters.indexOf(body[i]!);
  return letters[sum % 32]!;
}

/** The code in three groups, as it is printed. */
export function grouped(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4, 8)}-${code.slice(8)}`;
}

/** Letters of a code as people write them: any case, O for 0, I and L for 1. */
export function plain(code: string): string {
  return code.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
}

function derive(code: string, what: "box" | "key", bytes: number): Promise<Bytes> {
  return hkdf(utf8(code), utf8(`trialith/v1/card/${what}`), bytes);
}

/** The box of a card, in hex. */
export async function cardBox(code: string): Promise<string> {
  return hex(await derive(code, "box", 16));
}

async function cardKey(code: string, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", await derive(code, "key", 32), "AES-GCM", false, [use]);
}

/** sealCard makes a letter for a card's box. */
export async function sealCard(code: string, words: SiteLetter): Promise<Bytes> {
  const nonce = random(nonceBytes);
  const [box, key] = await Promise.all([derive(code, "box", 16), cardKey(code, "encrypt")]);
  const padded = pad(words, letterBytes - nonceBytes - tagBytes);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: box }, key, padded);
  return join(nonce, new Uint8Array(sealed));
}

/** openCard reads a letter of a card's box. */
export async function openCard(code: string, letter: Bytes): Promise<unknown> {
  const [box, key] = await Promise.all([derive(code, "box", 16), cardKey(code, "decrypt")]);
  const iv = letter.subarray(0, nonceBytes);
  return unpad(new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: box }, key, letter.subarray(nonceBytes))));
}

/** The box of a public key. */
export async function inboxBox(publicKey: Bytes): Promise<Bytes> {
  return (await sha256(utf8("trialith/v1/inbox\0"), publicKey)).slice(0, 16);
}

/** sealInbox makes a letter for the one who holds the key. */
export async function sealInbox(publicKey: Bytes, words: object): Promise<Bytes> {
  return seal(publicKey, mailInfo, pad(words, letterBytes - overhead), await inboxBox(publicKey));
}

/** openInbox reads a letter to the site, or fails: anybody may have put anything into the box. */
export async function openInbox(keys: KeyPair, letter: Bytes): Promise<Received> {
  if (letter.length !== letterBytes) throw new Error(`letter: ${letter.length} bytes; each has ${letterBytes}`);
  return received(unpad(await unseal(keys.privateKey, keys.publicKey, mailInfo, letter, await inboxBox(keys.publicKey))));
}

function pad(words: object, size: number): Bytes {
  const b = utf8(JSON.stringify(words));
  if (b.length > size - 2) throw new Error(`letter: ${b.length} bytes; at most ${size - 2}`);
  const out = new Uint8Array(size);
  out.set([b.length >> 8, b.length & 0xff]);
  out.set(b, 2);
  return out;
}

function unpad(padded: Bytes): unknown {
  const n = (padded[0]! << 8) | padded[1]!;
  if (n > padded.length - 2 || padded.subarray(2 + n).some((x) => x !== 0)) throw new Error("letter: padded in another way than letters are");
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(padded.subarray(2, 2 + n)));
}

/** received takes from a stranger's words what a letter may hold, in its form and length. */
function received(words: unknown): Received {
  if (typeof words !== "object" || words === null) throw new Error("letter: not an object");
  const w = words as Record<string, unknown>;
  const type = string(w, "type", 16);
  if (type !== "enrol" && type !== "receipt" && type !== "visit" && type !== "withdrawn") throw new Error(`letter: of an unknown type`);
  const body = string(w, "body", letterBytes);
  return {
    type, box: string(w, "box", 32), subject: string(w, "subject", 64), code: plain(string(w, "code", 16)),
    version: number(w, "version"), epoch: number(w, "epoch"),
    body: body ? unbase64(body, "letter: body") : undefined,
  };
}

function string(w: Record<string, unknown>, name: string, most: number): string {
  const x = w[name] ?? "";
  if (typeof x !== "string" || x.length > most) throw new Error(`letter: ${name}: a text of at most ${most} characters`);
  return x;
}

function number(w: Record<string, unknown>, name: string): number {
  const x = w[name] ?? 0;
  if (typeof x !== "number" || !Number.isSafeInteger(x) || x < 0) throw new Error(`letter: ${name}: a whole number`);
  return x;
}
