// The hashes of the ledger and the derivation of a person's secrets, with what
// every browser has: SHA-256 and HKDF of WebCrypto.

import { order, fromBytes } from "../../../../circuits/browser/src/field";
import { join, unname, utf8, type Bytes, type Name } from "./bytes";
import { encode, type Value } from "./cbor";
import { DeviceError } from "./error";

const domain = "trialith/v1/";

/** subtle is WebCrypto, which browsers give to pages over https and to this computer's own alone. */
export function subtle(): SubtleCrypto {
  const s = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!s) {
    throw new DeviceError("insecure", "this browser gives no cryptography to a page that did not come over https; open the https address");
  }
  return s;
}

/** sha256 is SHA-256. */
export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await subtle().digest("SHA-256", join(...parts)));
}

/** sum is H(tag, x…) = SHA-256("trialith/v1/" ‖ tag ‖ 0x00 ‖ CBOR array of x). */
export function sum(tag: string, ...xs: readonly Value[]): Promise<Bytes> {
  return sha256(utf8(domain + tag), Uint8Array.of(0), encode(xs));
}

/** hashToField is RFC 9380 hash_to_field over SHA-256 with L = 48 and the tag "trialith/v1/" ‖ purpose. */
export async function hashToField(purpose: string, message: Uint8Array): Promise<bigint> {
  const tag = utf8(domain + purpose);
  const end = join(tag, Uint8Array.of(tag.length));
  const first = await sha256(new Uint8Array(64), message, Uint8Array.of(0, 48, 0), end);
  const one = await sha256(first, Uint8Array.of(1), end);
  const two = await sha256(first.map((x, i) => x ^ one[i]!), Uint8Array.of(2), end);
  return fromBytes(join(one, two).subarray(0, 48)) % order;
}

/** hkdf is HKDF-SHA-256 without salt. */
export async function hkdf(secret: Uint8Array, info: Uint8Array, size: number): Promise<Bytes> {
  const key = await subtle().importKey("raw", new Uint8Array(secret), "HKDF", false, ["deriveBits"]);
  const bits = await subtle().deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: new Uint8Array(info) }, key, 8 * size);
  return new Uint8Array(bits);
}

/** pbkdf2 is PBKDF2-HMAC-SHA-256: 32 bytes. */
export async function pbkdf2(secret: Uint8Array, salt: Uint8Array, iterations: number): Promise<Bytes> {
  const key = await subtle().importKey("raw", new Uint8Array(secret), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await subtle().deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(salt), iterations }, key, 256));
}

/**
 * derive makes a secret of the field from the device's master secret. The device
 * counts its enrolments, so that one person who enrols again has secrets that
 * nobody can link.
 */
export async function derive(master: Uint8Array, tag: string, ledger: Name, trial: Name, enrolment: number): Promise<bigint> {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, enrolment);
  const info = join(utf8(tag), unname(ledger, "ledger"), unname(trial, "trial"), number);
  const x = fromBytes(await hkdf(master, info, 48)) % order; // 384 bits: the bias is below 2^-128
  if (x === 0n) {
    throw new Error(`derive ${tag}: the result is zero; make a new master key`);
  }
  return x;
}
