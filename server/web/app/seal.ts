// Sealing to a public key: HPKE (RFC 9180) in base mode with the suite
// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, single-shot, on
// WebCrypto alone. It is the suite that every browser has the parts of, and the
// same bytes as Go's crypto/hpke.
//
// A sealed message is enc (65 bytes) ‖ ciphertext (as long as the plaintext and
// 16 bytes). Base mode says nothing of who sealed it.

/** Bytes that WebCrypto takes: over a buffer of their own. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const publicKeyBytes = 65; // an uncompressed point: 0x04 ‖ x ‖ y
export const privateKeyBytes = 32;
export const overhead = publicKeyBytes + 16; // that sealing adds

/** A key pair to open with. */
export interface KeyPair {
  privateKey: CryptoKey;
  publicKey: Bytes; // raw, publicKeyBytes
}

/** SealError says that a key is no key or a message does not open. */
export class SealError extends Error {
  override name = "SealError";
}

const curve = { name: "ECDH", namedCurve: "P-256" };
const empty = new Uint8Array(0);
const version = text("HPKE-v1");
const kemSuite = join(text("KEM"), number(0x0010));
const suite = join(text("HPKE"), number(0x0010), number(0x0001), number(0x0001));

/** seal seals plaintext to a raw public key. Info and aad must be the same when it is opened. */
export async function seal(publicKey: Uint8Array, info: Uint8Array, plaintext: Uint8Array, aad: Uint8Array = empty): Promise<Bytes> {
  return sealFrom(await newKeyPair(false), publicKey, info, plaintext, aad);
}

/**
 * sealFrom is seal with a given ephemeral pair. Two messages from one pair to
 * one key would share key and nonce: it is for test vectors alone.
 */
export async function sealFrom(ephemeral: KeyPair, publicKey: Uint8Array, info: Uint8Array, plaintext: Uint8Array, aad: Uint8Array = empty): Promise<Bytes> {
  const shared = await sharedSecret(ephemeral.privateKey, publicKey, ephemeral.publicKey, publicKey);
  const { key, nonce } = await schedule(shared, info, "encrypt");
  const ct = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: own(aad) }, key, own(plaintext));
  return join(ephemeral.publicKey, new Uint8Array(ct));
}

/** open opens what was sealed to the pair (privateKey, publicKey); it fails with SealError. */
export async function open(privateKey: CryptoKey, publicKey: Uint8Array, info: Uint8Array, sealed: Uint8Array, aad: Uint8Array = empty): Promise<Bytes> {
  if (sealed.length < overhead) {
    throw new SealError(`sealed message: ${sealed.length} bytes; it has at least ${overhead}`);
  }
  const enc = sealed.subarray(0, publicKeyBytes);
  const shared = await sharedSecret(privateKey, enc, enc, publicKey);
  const { key, nonce } = await schedule(shared, info, "decrypt");
  try {
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: own(aad) }, key, own(sealed.subarray(publicKeyBytes)));
    return new Uint8Array(plain);
  } catch {
    throw new SealError("sealed message: does not open with this key and info");
  }
}

/** newKeyPair makes a pair. Only an extractable one can leave this browser or be wrapped. */
export async function newKeyPair(extractable: boolean): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey(curve, extractable, ["deriveBits"]);
  return { privateKey: pair.privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
}

/** importKeyPair makes a pair of raw bytes: the scalar (privateKeyBytes) and its point. */
export async function importKeyPair(secret: Uint8Array, publicKey: Uint8Array, extractable: boolean): Promise<KeyPair> {
  if (secret.length !== privateKeyBytes) {
    throw new SealError(`private key: ${secret.length} bytes; it has ${privateKeyBytes}`);
  }
  await importPublic(publicKey);
  const jwk: JsonWebKey = { kty: "EC", crv: "P-256", d: base64url(secret), x: base64url(publicKey.subarray(1, 33)), y: base64url(publicKey.subarray(33)) };
  try {
    return { privateKey: await crypto.subtle.importKey("jwk", jwk, curve, extractable, ["deriveBits"]), publicKey: own(publicKey) };
  } catch {
    throw new SealError("private key: not the one of this public key on P-256");
  }
}

/** exportPrivate gives the scalar of an extractable private key. */
export async function exportPrivate(key: CryptoKey): Promise<Bytes> {
  const jwk = await crypto.subtle.exportKey("jwk", key);
  const raw = atob(jwk.d!.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

/** importPublic refuses what is not an uncompressed point of the curve. */
async function importPublic(raw: Uint8Array): Promise<CryptoKey> {
  if (raw.length !== publicKeyBytes || raw[0] !== 4) {
    throw new SealError(`public key: want an uncompressed P-256 point of ${publicKeyBytes} bytes that begins with 4`);
  }
  try {
    return await crypto.subtle.importKey("raw", own(raw), curve, true, []);
  } catch {
    throw new SealError("public key: not a point of P-256");
  }
}

/** sharedSecret is ExtractAndExpand of the KEM (RFC 9180, 4.1). */
async function sharedSecret(mine: CryptoKey, theirs: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Promise<Bytes> {
  const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: await importPublic(theirs) }, mine, 256));
  const prk = await extract(kemSuite, empty, "eae_prk", dh);
  return expand(kemSuite, prk, "shared_secret", join(enc, recipient), 32);
}

/** schedule is KeySchedule of base mode (RFC 9180, 5.1) for the first message, whose nonce is the base nonce. */
async function schedule(shared: Bytes, info: Uint8Array, use: "encrypt" | "decrypt"): Promise<{ key: CryptoKey; nonce: Bytes }> {
  const base = new Uint8Array([0]);
  const context = join(base, await extract(suite, empty, "psk_id_hash", empty), await extract(suite, empty, "info_hash", info));
  const secret = await extract(suite, shared, "secret", empty);
  const raw = await expand(suite, secret, "key", context, 16);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [use]);
  return { key, nonce: await expand(suite, secret, "base_nonce", context, 12) };
}

/** extract is LabeledExtract. */
function extract(id: Bytes, salt: Uint8Array, label: string, input: Uint8Array): Promise<Bytes> {
  // HMAC pads its key with zeros, so this is the empty salt, which WebCrypto refuses as a key.
  return hmac(salt.length > 0 ? salt : new Uint8Array(32), join(version, id, text(label), input));
}

/** expand is LabeledExpand, for at most one block of the hash. */
async function expand(id: Bytes, prk: Bytes, label: string, context: Uint8Array, length: number): Promise<Bytes> {
  const block = await hmac(prk, join(number(length), version, id, text(label), context, new Uint8Array([1])));
  return block.slice(0, length);
}

async function hmac(key: Uint8Array, message: Bytes): Promise<Bytes> {
  const k = await crypto.subtle.importKey("raw", own(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, message));
}

/** join puts byte strings one after another. */
export function join(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function own(b: Uint8Array): Bytes {
  return new Uint8Array(b);
}

function text(s: string): Bytes {
  return new TextEncoder().encode(s);
}

/** number is I2OSP(n, 2). */
function number(n: number): Bytes {
  return new Uint8Array([n >> 8, n & 0xff]);
}

function base64url(b: Uint8Array): string {
  return btoa(String.fromCharCode(...b)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
