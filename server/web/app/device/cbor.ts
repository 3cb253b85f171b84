// The one encoding of the ledger: deterministic CBOR (RFC 8949, section 4.2.1),
// of what the ledger's structures are made of: integers, byte strings, text,
// arrays and booleans. The decoder is strict: of each value it takes the one
// encoding that the encoder writes, and nothing else.

import { join, utf8, type Bytes } from "./bytes";

/** Value is what can be encoded. A number is a whole one; a bigint has 64 bits. */
export type Value = number | bigint | boolean | string | Uint8Array | readonly Value[];

/** CborError says that bytes are not the canonical CBOR of a value. */
export class CborError extends Error {
  override name = "CborError";
}

const deepest = 16;

const major = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, simple: 7 } as const;

/** encode writes a value. */
export function encode(v: Value): Bytes {
  const parts: Bytes[] = [];
  write(parts, v);
  return join(...parts);
}

function write(to: Bytes[], v: Value): void {
  if (typeof v === "boolean") {
    to.push(Uint8Array.of((major.simple << 5) | (v ? 21 : 20)));
  } else if (typeof v === "number" || typeof v === "bigint") {
    writeInteger(to, v);
  } else if (typeof v === "string") {
    writeText(to, v);
  } else if (v instanceof Uint8Array) {
    to.push(head(major.bytes, BigInt(v.length)), new Uint8Array(v));
  } else {
    to.push(head(major.array, BigInt(v.length)));
    v.forEach((x) => write(to, x));
  }
}

function writeInteger(to: Bytes[], v: number | bigint): void {
  if (typeof v === "number" && !Number.isSafeInteger(v)) {
    throw new CborError(`number ${v}: only whole numbers are encoded; use a bigint beyond 2^53`);
  }
  const n = BigInt(v);
  if (n >= 1n << 64n || n < -(1n << 64n)) {
    throw new CborError("number: more than 64 bits");
  }
  to.push(n < 0n ? head(major.negative, -1n - n) : head(major.uint, n));
}

function writeText(to: Bytes[], s: string): void {
  if (/\p{Surrogate}/u.test(s)) {
    throw new CborError("text: half of a surrogate pair has no UTF-8");
  }
  const b = utf8(s);
  to.push(head(major.text, BigInt(b.length)), b);
}

// head is the shortest head of a major type.
function head(type: number, n: bigint): Bytes {
  const size = n < 24n ? 0 : n < 1n << 8n ? 1 : n < 1n << 16n ? 2 : n < 1n << 32n ? 4 : 8;
  if (size === 0) {
    return Uint8Array.of((type << 5) | Number(n));
  }
  const out = new Uint8Array(1 + size);
  out[0] = (type << 5) | (24 + Math.log2(size));
  for (let i = size; i > 0; i--, n >>= 8n) {
    out[i] = Number(n & 255n);
  }
  return out;
}

/** decode reads the canonical bytes of one value, and refuses any that are left. */
export function decode(bytes: Uint8Array): Value {
  const r = new Reader(bytes);
  const v = r.value(0);
  r.done();
  return v;
}

// Reader keeps the place in what is read.
class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  done(): void {
    if (this.at !== this.bytes.length) {
      throw new CborError(`${this.bytes.length - this.at} bytes too many`);
    }
  }

  value(level: number): Value {
    const first = this.take(1)[0]!;
    const type = first >> 5;
    if (type === major.simple) {
      return this.boolean(first & 31);
    }
    const n = this.number(first & 31);
    switch (type) {
      case major.uint:
        return small(n);
      case major.negative:
        return small(-1n - n);
      case major.bytes:
        return new Uint8Array(this.take(n));
      case major.text:
        return this.text(n);
      case major.array:
        return this.array(n, level);
      default:
        throw new CborError("a map or a tag; the ledger's structures have none");
    }
  }

  private boolean(short: number): boolean {
    if (short !== 20 && short !== 21) {
      throw new CborError("a simple value or a float; the ledger's structures have none but true and false");
    }
    return short === 21;
  }

  private number(short: number): bigint {
    if (short < 24) {
      return BigInt(short);
    }
    if (short > 27) {
      throw new CborError("a length that is not given");
    }
    const size = 2 ** (short - 24);
    let n = 0n;
    for (const b of this.take(size)) {
      n = (n << 8n) | BigInt(b);
    }
    if (n < (size === 1 ? 24n : 1n << BigInt(4 * size))) {
      throw new CborError("not canonical: a number in more bytes than it needs");
    }
    return n;
  }

  private text(n: bigint): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(n));
    } catch (e) {
      throw e instanceof CborError ? e : new CborError("text that is no UTF-8");
    }
  }

  private array(n: bigint, level: number): Value[] {
    if (level + 1 > deepest) {
      throw new CborError(`more than ${deepest} arrays inside each other`);
    }
    if (n > BigInt(this.bytes.length - this.at)) {
      throw new CborError("ends too soon"); // each element has a byte
    }
    return Array.from({ length: Number(n) }, () => this.value(level + 1));
  }

  private take(n: number | bigint): Uint8Array {
    if (BigInt(n) > BigInt(this.bytes.length - this.at)) {
      throw new CborError("ends too soon");
    }
    this.at += Number(n);
    return this.bytes.subarray(this.at - Number(n), this.at);
  }
}

function small(n: bigint): number | bigint {
  const x = Number(n);
  return Number.isSafeInteger(x) ? x : n;
}
