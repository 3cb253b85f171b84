// Ed25519 signatures (RFC 8032) checked where a browser cannot: some phones that
// get no newer system know the rest of the cryptography and not this. It only
// verifies, of public things, so that its time may tell what it works on.

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const rootOfMinusOne = power(2n, (p - 1n) / 4n);

/** Point is on the curve, as x = X/Z, y = Y/Z, x·y = T/Z. */
type Point = readonly [X: bigint, Y: bigint, Z: bigint, T: bigint];

const neutral: Point = [0n, 1n, 1n, 0n];
const base = point(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0x58 : 0x66)))!;

/** verify reports whether a signature of a message is the key's: by the browser where it can. */
export async function verify(key: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  let k: CryptoKey;
  try {
    k = await crypto.subtle.importKey("raw", new Uint8Array(key), "Ed25519", false, ["verify"]);
  } catch (e) {
    if (!(e instanceof DOMException)) {
      throw e;
    }
    return verifies(key, signature, message);
  }
  return crypto.subtle.verify("Ed25519", k, new Uint8Array(signature), new Uint8Array(message));
}

/** verifies is verify without the browser: [8]([s]B − R − [k]A) is neutral. */
export async function verifies(key: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  const [a, r, s] = [point(key), point(signature.subarray(0, 32)), number(signature.subarray(32))];
  if (!a || !r || signature.length !== 64 || s >= order) {
    return false;
  }
  const hashed = new Uint8Array([...signature.subarray(0, 32), ...key, ...message]);
  const k = number(new Uint8Array(await crypto.subtle.digest("SHA-512", hashed))) % order;
  const [X, Y, Z] = times(8n, add(times(s, base), negative(add(r, times(k, a)))));
  return X === 0n && Y === Z;
}

function mod(n: bigint): bigint {
  const r = n % p;
  return r < 0n ? r + p : r;
}

function power(n: bigint, e: bigint): bigint {
  let out = 1n;
  for (; e > 0n; e >>= 1n, n = (n * n) % p) {
    out = e & 1n ? (out * n) % p : out;
  }
  return out;
}

// number is little-endian.
function number(bytes: Uint8Array): bigint {
  return bytes.reduceRight((n, b) => (n << 8n) | BigInt(b), 0n);
}

// point decodes 32 bytes (RFC 8032, 5.1.3); undefined: they are no point.
function point(bytes: Uint8Array): Point | undefined {
  const n = number(bytes);
  const sign = (n >> 255n) & 1n;
  const y = n & (2n ** 255n - 1n);
  if (bytes.length !== 32 || y >= p) {
    return undefined;
  }
  const square = mod((y * y - 1n) * power(mod(d * y * y + 1n), p - 2n));
  let x = power(square, (p + 3n) / 8n);
  x = mod(x * x) === square ? x : mod(x * rootOfMinusOne);
  if (mod(x * x) !== square || (x === 0n && sign === 1n)) {
    return undefined;
  }
  x = (x & 1n) === sign ? x : p - x;
  return [x, y, 1n, mod(x * y)];
}

function negative([X, Y, Z, T]: Point): Point {
  return [mod(-X), Y, Z, mod(-T)];
}

// add is complete: a point may be added to itself, too.
function add([X1, Y1, Z1, T1]: Point, [X2, Y2, Z2, T2]: Point): Point {
  const a = mod((Y1 - X1) * (Y2 - X2)), b = mod((Y1 + X1) * (Y2 + X2)), c = mod(2n * T1 * mod(T2 * d)), e = mod(2n * Z1 * Z2);
  const [f, g, h, i] = [b - a, e - c, e + c, b + a];
  return [mod(f * g), mod(h * i), mod(g * h), mod(f * i)];
}

function times(n: bigint, q: Point): Point {
  let out = neutral;
  for (; n > 0n; n >>= 1n, q = add(q, q)) {
    out = n & 1n ? add(out, q) : out;
  }
  return out;
}
