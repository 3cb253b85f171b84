// Letters between a site and its participant, in mailboxes that cannot read
// them: words in JSON, padded and sealed to exactly letterBytes, so that a
// letter's size says nothing.

import { open as openSealed, overhead, seal, SealError, type KeyPair } from "../seal";
import { hex, join, random, unhex, utf8, type Bytes, type Name } from "./bytes";
import { boxOf, keyOf, type Code } from "./card";
import { DeviceError } from "./error";
import { sha256, subtle } from "./hash";

/** letterBytes is the size of every letter. */
export const letterBytes = 4096;

const nonceBytes = 12;
const tagBytes = 16;
const info = utf8("trialith/v1/mail");

/** Card is the first letter of a card: what a site invites to, and where answers go. */
export interface Card {
  type: "card";
  ledger: Name;
  trial: Name;
  site: Name;
  siteName: string;
  investigator: Name; // who will sign the enrolment
  version: number;
  day: number; // of the invitation, days since 1970
  study: string; // title
  contact: string; // of the site, for questions and for leaving by word
  inbox: string; // the site's public key, 65 bytes in base64
  code: string; // study code of the subject
}

/** FromSite are the other letters of a site. */
export type FromSite =
  | { type: "enrolled"; transaction: string }
  | { type: "refused"; reason: string }
  | { type: "countersigned"; version: number }
  | { type: "visited"; slot: string; transaction: string }
  | { type: "acknowledged"; what: "withdrawn" };

/** ToSite are the letters of a participant. Body is base64 of the bytes that the site signs. */
export type ToSite =
  | { type: "enrol"; box: string; subject: string; body: string }
  | { type: "receipt"; subject: string; version: number; epoch: number }
  | { type: "visit"; subject: string; code: string; body: string }
  | { type: "withdrawn"; subject: string };

/** Signed is a participant's letter with what shows that they have the card: fromOf its code. */
export type Signed = ToSite & { from: string };

/** sealToCard makes a letter for a card's mailbox. */
export async function sealToCard(code: Code, words: Card | FromSite): Promise<Bytes> {
  const iv = random(nonceBytes);
  const plain = pad(words, letterBytes - nonceBytes - tagBytes);
  const sealed = await subtle().encrypt({ name: "AES-GCM", iv, additionalData: unhex(await boxOf(code), 16, "box") }, await keyOf(code), plain);
  return join(iv, new Uint8Array(sealed));
}

/** openFromCard reads a letter of a card's mailbox. */
export async function openFromCard(code: Code, letter: Uint8Array): Promise<Card | FromSite> {
  sized(letter);
  const iv = new Uint8Array(letter.subarray(0, nonceBytes));
  const additionalData = unhex(await boxOf(code), 16, "box");
  let plain: ArrayBuffer;
  try {
    plain = await subtle().decrypt({ name: "AES-GCM", iv, additionalData }, await keyOf(code), new Uint8Array(letter.subarray(nonceBytes)));
  } catch {
    throw new DeviceError("card", "letter: not sealed for this card");
  }
  return fromSite(unpad(new Uint8Array(plain)));
}

/** inboxBox is the mailbox of a site's public key. */
export async function inboxBox(publicKey: Uint8Array): Promise<string> {
  return hex((await sha256(utf8("trialith/v1/inbox\0"), publicKey)).subarray(0, 16));
}

/** sealToInbox makes a letter that the site alone can read. */
export async function sealToInbox(publicKey: Uint8Array, words: Signed): Promise<Bytes> {
  const box = unhex(await inboxBox(publicKey), 16, "box");
  return seal(publicKey, info, pad(words, letterBytes - overhead), box);
}

/** openFromInbox reads a letter of a site's inbox. */
export async function openFromInbox(inbox: KeyPair, letter: Uint8Array): Promise<Signed> {
  sized(letter);
  const box = unhex(await inboxBox(inbox.publicKey), 16, "box");
  try {
    return toSite(unpad(await openSealed(inbox.privateKey, inbox.publicKey, info, letter, box)));
  } catch (e) {
    throw e instanceof SealError ? new DeviceError("answer", "letter: not sealed for this inbox") : e;
  }
}

function sized(letter: Uint8Array): void {
  if (letter.length !== letterBytes) {
    throw new DeviceError("answer", `letter: ${letter.length} bytes, want ${letterBytes}`);
  }
}

// pad puts the length in two bytes before the words and zeros after them.
function pad(words: object, size: number): Bytes {
  const b = utf8(JSON.stringify(words));
  if (b.length > size - 2) {
    throw new DeviceError("input", `letter: ${b.length} bytes; at most ${size - 2}`);
  }
  const out = new Uint8Array(size);
  new DataView(out.buffer).setUint16(0, b.length);
  out.set(b, 2);
  return out;
}

function unpad(plain: Uint8Array): unknown {
  const n = plain.length < 2 ? Infinity : new DataView(plain.buffer, plain.byteOffset).getUint16(0);
  if (n > plain.length - 2 || plain.subarray(2 + n).some((x) => x !== 0)) {
    throw new DeviceError("answer", "letter: padded in another way than letters are");
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain.subarray(2, 2 + n)));
  } catch {
    throw new DeviceError("answer", "letter: no JSON");
  }
}

// What a field holds. A letter with a field of another form is not read: names
// go into addresses, and bodies into what is signed.
const forms = {
  text: (v: unknown) => typeof v === "string",
  number: (v: unknown) => typeof v === "number" && Number.isSafeInteger(v) && v >= 0,
  name: (v: unknown) => typeof v === "string" && /^[0-9a-f]{64}$/.test(v),
  box: (v: unknown) => typeof v === "string" && /^[0-9a-f]{32}$/.test(v),
  bytes: (v: unknown) => typeof v === "string" && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(v),
  key: (v: unknown) => typeof v === "string" && /^[A-Za-z0-9+/]{87}=$/.test(v), // 65 bytes
} as const;
type FieldsOf<L extends { type: string }> = Record<L["type"], Record<string, keyof typeof forms>>;

const fromSiteFields: FieldsOf<Card | FromSite> = {
  card: {
    ledger: "name", trial: "name", site: "name", siteName: "text", investigator: "name", version: "number", day: "number", study: "text",
    contact: "text", inbox: "key", code: "text",
  },
  enrolled: { transaction: "text" },
  refused: { reason: "text" },
  countersigned: { version: "number" },
  visited: { slot: "text", transaction: "text" },
  acknowledged: { what: "text" },
};

const toSiteFields: FieldsOf<ToSite> = {
  enrol: { from: "box", box: "box", subject: "text", body: "bytes" },
  receipt: { from: "box", subject: "text", version: "number", epoch: "number" },
  visit: { from: "box", subject: "text", code: "text", body: "bytes" },
  withdrawn: { from: "box", subject: "text" },
};

function fromSite(v: unknown): Card | FromSite {
  return shaped(v, fromSiteFields) as Card | FromSite;
}

function toSite(v: unknown): Signed {
  return shaped(v, toSiteFields) as Signed;
}

// Characters that turn round what stands after them: a name could read as another,
// and take the words of the page along.
const turning = /[\u202a-\u202e\u2066-\u2069]/gu;

function shaped(v: unknown, letters: Record<string, Record<string, keyof typeof forms>>): object {
  const letter = v as Record<string, unknown> | null;
  const type = typeof letter === "object" && letter ? letter["type"] : undefined;
  const fields = typeof type === "string" && Object.hasOwn(letters, type) ? letters[type]! : undefined;
  if (!fields) {
    throw new DeviceError("answer", "letter: of no known type; this page may be older than the site's");
  }
  const out: Record<string, unknown> = { type };
  for (const [field, form] of Object.entries(fields)) {
    // What is zero or empty may be left out by who writes the letter.
    out[field] = letter![field] ?? (form === "number" ? 0 : "");
    if (!forms[form](out[field])) {
      throw new DeviceError("answer", `letter: ${field}: no ${form}`);
    }
    if (form === "text") {
      out[field] = (out[field] as string).replace(turning, "");
    }
  }
  return out;
}
