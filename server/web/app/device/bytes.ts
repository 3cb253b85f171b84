// Bytes and their texts.

/** Bytes that WebCrypto takes: over a buffer of their own. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Name is 32 bytes that name something, as 64 lower-case hexadecimal digits. */
export type Name = string;

/** nameBytes is the length of a name in bytes. */
export const nameBytes = 32;

/** zeroName stands where a name is left empty. */
export const zeroName: Name = "0".repeat(2 * nameBytes);

/** hex writes bytes in lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  let out = "";
  for (const b of bytes) {
    out += b.toString(16).padStart(2, "0");
  }
  return out;
}

/** unhex reads lower-case hexadecimal of exactly so many bytes; what stands in the error. */
export function unhex(text: string, size: number, what: string): Bytes {
  if (text.length !== 2 * size || !/^[0-9a-f]*$/.test(text)) {
    throw new RangeError(`${what}: want ${2 * size} lower-case hexadecimal digits`);
  }
  return Uint8Array.from({ length: size }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** unname reads a name. */
export function unname(name: Name, what: string): Bytes {
  return unhex(name, nameBytes, what);
}

/** join puts bytes one after the other. */
export function join(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** utf8 is the bytes of a text. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** equal compares bytes. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

/** random is so many bytes of the browser's generator. */
export function random(size: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** base64 writes bytes in standard base64 with padding, as JSON letters carry them. */
export function base64(bytes: Uint8Array): string {
  let s = "";
  for (const b of bytes) {
    s += String.fromCharCode(b);
  }
  return btoa(s);
}

/** unbase64 reads standard base64 with padding, in its one canonical form. */
export function unbase64(text: string, what: string): Bytes {
  let bytes: Bytes;
  try {
    bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    throw new RangeError(`${what}: no base64`);
  }
  if (base64(bytes) !== text) {
    throw new RangeError(`${what}: not the canonical base64 of its bytes`);
  }
  return bytes;
}

/** base64url writes bytes in base64 for addresses and codes, without padding. */
export function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** unbase64url reads what base64url wrote. */
export function unbase64url(text: string, what: string): Bytes {
  if (/[+/=]/.test(text)) {
    throw new RangeError(`${what}: want base64url without padding`);
  }
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  return unbase64(standard + "=".repeat((4 - (standard.length % 4)) % 4), what);
}

/** indexOfName finds a name in a list of names, 32 bytes each; −1: it is not there. */
export function indexOfName(list: Uint8Array, name: Uint8Array): number {
  for (let at = 0; at + nameBytes <= list.length; at += nameBytes) {
    let i = 0;
    while (i < nameBytes && list[at + i] === name[i]) {
      i++;
    }
    if (i === nameBytes) {
      return at / nameBytes;
    }
  }
  return -1;
}
