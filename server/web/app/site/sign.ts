// Transactions as the ledger takes them: the envelope, what is signed of it, and
// the bodies that a site makes itself. Keys sign inside the browser and cannot
// be read out of it again.

import { hex, join, random, unname, utf8, type Bytes, type Name } from "../device/bytes";
import { encode, type Value } from "../device/cbor";
import { commit } from "../device/form";
import { sum } from "../device/hash";

/** The kinds of transaction that a site sends, by number. */
export const Kind = { enrol: 32, entry: 34, remove: 35, countersign: 43 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

const day = 24 * 60 * 60 * 1000;

/** What DER says before the 32 bytes of an Ed25519 seed (RFC 8410). */
const pkcs8 = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

/** Signer is one person's key. */
export class Signer {
  private constructor(private key: CryptoKey, readonly publicKey: Bytes, readonly keyID: Bytes) {}

  static async of(seed: Bytes): Promise<Signer> {
    const der = join(pkcs8, seed);
    const shown = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    const x = (await crypto.subtle.exportKey("jwk", shown)).x!;
    const publicKey = Uint8Array.from(atob(x.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const key = await crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]);
    return new Signer(key, publicKey, await sum("key", publicKey));
  }

  /** Whether this browser can sign at all. */
  static async possible(): Promise<boolean> {
    try {
      await Signer.of(new Uint8Array(32));
      return true;
    } catch {
      return false;
    }
  }

  get publicName(): Name { return hex(this.publicKey); }

  async sign(message: Bytes): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.sign("Ed25519", this.key, message));
  }
}

/** What is to be sent, before it is signed. */
export interface Order { ledger: Name; kind: Kind; stream: Name; now: number; body: Bytes; unique?: Bytes }

/** envelope signs an order and returns the transaction's bytes; they are the same however often they are sent. */
export async function envelope(o: Order, signer: Signer, cosigners: readonly Signer[] = []): Promise<Bytes> {
  const unsigned: Value[] = [
    1, unname(o.ledger, "ledger"), o.kind, unname(o.stream, "stream"), signer.keyID, o.now + day, o.unique ?? random(16), o.body,
  ];
  const message = join(utf8("trialith/v1/tx"), Uint8Array.of(0), encode(unsigned));
  const second: Value[] = [];
  for (const c of [...cosigners].sort((a, b) => compare(a.keyID, b.keyID))) second.push([c.keyID, await c.sign(message)]);
  return encode([...unsigned, await signer.sign(message), second]);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const i = a.findIndex((x, at) => x !== b[at]);
  return i < 0 ? 0 : a[i]! - b[i]!;
}

/** The hash by which the ledger names a transaction. */
export async function hashOf(transaction: Bytes): Promise<Name> {
  return hex(await sum("tx", transaction));
}

const investigator = 3; // the number of the role

/** What a new person asks to be registered with: the key, and its signature over role, name and key. The site's own key signs the rest. */
export interface Registration { format: "trialith-registration/1"; ledger: Name; role: "investigator"; name: string; key: Name; possession: string }

export async function registration(ledger: Name, name: string, signer: Signer): Promise<Registration> {
  const message = join(utf8("trialith/v1/possession"), Uint8Array.of(0), encode([unname(ledger, "ledger"), investigator, name, signer.publicKey]));
  return {
    format: "trialith-registration/1", ledger, role: "investigator", name, key: signer.publicName, possession: hex(await signer.sign(message)),
  };
}

/** Why somebody leaves: by word, or at the end of participation. */
export const Leaving = { word: 2, ended: 3 } as const;

export interface Statement { version: number; used: boolean }

/** removeBody is the body of `consent.remove`. */
export function removeBody(leaf: Name, leaving: 2 | 3, statements: readonly Statement[], reason: Name): Bytes {
  const said = [...statements].sort((a, b) => a.version - b.version).map((s) => [s.version, s.used]);
  return encode([unname(leaf, "leaf"), leaving, said, unname(reason, "reason")]);
}

/** commitReason commits to a reason. Salt and text are kept here. */
export function commitReason(salt: Bytes, text: string): Promise<Name> {
  return commit("reason", salt, utf8(text));
}

/** A line of the countersign table: who agreed to what, on a form that both signed on a day. */
export interface Line { leaf: Name; version: number; form: string; day: number }

/** commitTable commits to all lines so far. */
export function commitTable(salt: Bytes, lines: readonly Line[]): Promise<Name> {
  return commit("countersign", salt, encode(lines.map((l) => [unname(l.leaf, "leaf"), l.version, l.form, l.day])));
}

/** countersignBody is the body of `consent.countersign`. */
export function countersignBody(site: Name, epoch: number, table: Name, total: number, onDay: number): Bytes {
  return encode([unname(site, "site"), epoch, unname(table, "table"), total, onDay]);
}
