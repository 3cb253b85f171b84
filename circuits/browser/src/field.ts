// The scalar field of BN254, in which the consent proof speaks. Elements are
// bigints from 0 to r − 1; outside they are 32 bytes, big-endian. This is the
// reference in plain arithmetic: what is done thousands of times is the kernel's.

/** order is r, the number of elements. */
export const order = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n;

/** elementBytes is the length of an encoded element. */
export const elementBytes = 32;

/** FieldError says that bytes or a number are no element where one is needed. */
export class FieldError extends Error {
  override name = "FieldError";
}

/** reduce returns x modulo r, for x of either sign. */
export function reduce(x: bigint): bigint {
  const m = x % order;
  return m < 0n ? m + order : m;
}

export function add(a: bigint, b: bigint): bigint {
  const s = a + b;
  return s >= order ? s - order : s;
}

export function mul(a: bigint, b: bigint): bigint {
  return (a * b) % order;
}

/** fifth returns a⁵, the S-box of Poseidon2. */
export function fifth(a: bigint): bigint {
  const square = (a * a) % order;
  return (((square * square) % order) * a) % order;
}

/**
 * decode reads a canonical element: exactly 32 bytes, less than r. Nothing is
 * ever reduced: a value and the same value plus r would be two names of one account.
 */
export function decode(bytes: Uint8Array, name = "field element"): bigint {
  if (bytes.length !== elementBytes) {
    throw new FieldError(`${name}: ${bytes.length} bytes, want ${elementBytes}`);
  }
  const x = fromBytes(bytes);
  if (x >= order) {
    throw new FieldError(`${name}: not less than the field's order r; send the canonical encoding`);
  }
  return x;
}

/** decodeNonZero is decode for leaves and accounts: zero stands for an empty place. */
export function decodeNonZero(bytes: Uint8Array, name: string): bigint {
  const x = decode(bytes, name);
  if (x === 0n) {
    throw new FieldError(`${name}: zero is not allowed; it stands for an empty place`);
  }
  return x;
}

/** encode writes an element as 32 bytes. */
export function encode(x: bigint): Uint8Array<ArrayBuffer> {
  if (x < 0n || x >= order) {
    throw new FieldError("field element: not from 0 to r − 1");
  }
  const out = new Uint8Array(elementBytes);
  const view = new DataView(out.buffer);
  for (let at = elementBytes - 8; at >= 0; at -= 8, x >>= 64n) {
    view.setBigUint64(at, BigInt.asUintN(64, x));
  }
  return out;
}

/** fromBytes reads a number of any length, big-endian. */
export function fromBytes(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let x = 0n;
  let at = 0;
  for (; at < bytes.length % 8; at++) {
    x = (x << 8n) | BigInt(view.getUint8(at));
  }
  for (; at < bytes.length; at += 8) {
    x = (x << 64n) | view.getBigUint64(at);
  }
  return x;
}
