import { R } from "./kernel";

/** A number from 0 to r − 1, each equally likely: 254 random bits, drawn again from r on. */
export function randomScalar(): bigint {
  const bytes = new Uint8Array(32);
  for (;;) {
    crypto.getRandomValues(bytes);
    bytes[0]! &= 0x3f;
    let x = 0n;
    for (const b of bytes) x = (x << 8n) | BigInt(b);
    bytes.fill(0);
    if (x < R) return x;
  }
}
