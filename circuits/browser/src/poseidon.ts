// Poseidon2 over the scalar field of BN254, widths 4 and 8, and the hashes of
// the consent proof made with it. The constants are not listed but drawn, as the
// designers' generator draws them: nobody chose one. A test compares all with
// the Go library's.

import { add, fifth, order, reduce } from "./field";

/** arity is the number of children of a node. */
export const arity = 8;

/** attributeCount is how many attributes a leaf holds, 32 bits each. */
export const attributeCount = 8;

const tagIdentity = 1n;
const tagLeaf = 2n;
const tagAccount = 5n;

/** identity is H1(secret, trapdoor). It never leaves the device. */
export function identity(secret: bigint, trapdoor: bigint): bigint {
  return compress(tagIdentity, secret, trapdoor, 0n);
}

/** leaf is H2(identity, attributes 0 to 3, attributes 4 to 7). */
export function leaf(id: bigint, attributes: readonly number[]): bigint {
  if (attributes.length !== attributeCount) {
    throw new RangeError(`leaf: ${attributes.length} attributes, want ${attributeCount}`);
  }
  return compress(tagLeaf, id, pack(attributes.slice(0, 4)), pack(attributes.slice(4)));
}

/** account is H5(secret, leaf, context), the one account of a leaf for a context. */
export function account(secret: bigint, ownLeaf: bigint, context: bigint): bigint {
  return compress(tagAccount, secret, ownLeaf, context);
}

/** node is the inner node over eight children. */
export function node(children: readonly bigint[]): bigint {
  if (children.length !== arity) {
    throw new RangeError(`node: ${children.length} children, want ${arity}`);
  }
  return add(permute(instance(arity), children)[arity - 1]!, children[arity - 1]!);
}

/** pack is the sum of four[i] · 2^(32 i). */
export function pack(four: readonly number[]): bigint {
  let x = 0n;
  for (const v of four.toReversed()) {
    if (!Number.isInteger(v) || v < 0 || v > 0xffffffff) {
      throw new RangeError(`attribute: ${v} is no whole number of 32 bits`);
    }
    x = (x << 32n) | BigInt(v);
  }
  return x;
}

function compress(tag: bigint, a: bigint, b: bigint, c: bigint): bigint {
  return add(permute(instance(4), [tag, a, b, c])[3]!, c);
}

/** Instance is one width of the permutation with its constants. */
export interface Instance {
  readonly width: 4 | 8;
  readonly partial: number; // rounds
  readonly keys: readonly (readonly bigint[])[]; // of each round; one in a partial round
  readonly diagonal: readonly bigint[]; // of the inner matrix, less one
}

const fullRounds = 8;

// matrix: which of the diagonals drawn after the round constants is the first
// that lets no subspace pass the partial rounds for ever.
const shapes = { 4: { partial: 56, matrix: 5 }, 8: { partial: 57, matrix: 31 } } as const;

const instances = new Map<4 | 8, Instance>();

/** instance returns the constants of a width, drawn at its first use. */
export function instance(width: 4 | 8): Instance {
  let i = instances.get(width);
  if (!i) {
    i = draw(width);
    instances.set(width, i);
  }
  return i;
}

function draw(width: 4 | 8): Instance {
  const { partial, matrix } = shapes[width];
  const grain = new Grain(width, partial);
  const keys: bigint[][] = [];
  for (let round = 0; round < fullRounds + partial; round++) {
    const inner = round >= fullRounds / 2 && round < fullRounds / 2 + partial;
    keys.push(Array.from({ length: inner ? 1 : width }, () => grain.element()));
  }
  let diagonal: bigint[] = [];
  for (let drawn = 0; drawn < matrix; drawn++) {
    diagonal = Array.from({ length: width }, () => reduce(grain.number() - 1n));
  }
  return { width, partial, keys, diagonal };
}

// Grain is the self-shrinking Grain LFSR of the designers' generator, seeded by
// field, S-box and sizes alone.
class Grain {
  private readonly state = new Uint8Array(80); // a ring
  private first = 0;

  constructor(width: number, partial: number) {
    const seed: [value: number, bits: number][] = [[1, 2], [0, 4], [254, 12], [width, 12], [fullRounds, 10], [partial, 10], [2 ** 30 - 1, 30]];
    let at = 0;
    for (const [value, bits] of seed) {
      for (let i = bits - 1; i >= 0; i--) {
        this.state[at++] = (value >>> i) & 1;
      }
    }
    for (let i = 0; i < 160; i++) {
      this.step();
    }
  }

  private at(i: number): number {
    return this.state[(this.first + i) % 80]!;
  }

  private step(): number {
    const next = this.at(62) ^ this.at(51) ^ this.at(38) ^ this.at(23) ^ this.at(13) ^ this.at(0);
    this.state[this.first] = next;
    this.first = (this.first + 1) % 80;
    return next;
  }

  private bit(): number {
    while (this.step() === 0) {
      this.step();
    }
    return this.step();
  }

  /** number draws 254 bits, the highest first. */
  number(): bigint {
    let digits = "0b";
    for (let i = 0; i < 254; i++) {
      digits += this.bit();
    }
    return BigInt(digits);
  }

  /** element draws until a number is below the order. */
  element(): bigint {
    for (;;) {
      const n = this.number();
      if (n < order) {
        return n;
      }
    }
  }
}

/** permute returns the permutation of a state of the instance's width. */
export function permute(p: Instance, input: readonly bigint[]): bigint[] {
  let s = outer(input);
  p.keys.forEach((keys, round) => {
    if (round < fullRounds / 2 || round >= fullRounds / 2 + p.partial) {
      s = outer(s.map((x, i) => fifth(add(x, keys[i]!))));
      return;
    }
    s[0] = fifth(add(s[0]!, keys[0]!));
    const sum = s.reduce((a, b) => a + b, 0n);
    s = s.map((x, i) => (x * p.diagonal[i]! + sum) % order);
  });
  return s;
}

// outer multiplies by the outer matrix: M4 on each four lanes, and for eight
// lanes the sum of the fours on both (Poseidon2, section 5.1).
function outer(s: readonly bigint[]): bigint[] {
  const low = quarter(s.slice(0, 4));
  if (s.length === 4) {
    return low.map(reduce);
  }
  const high = quarter(s.slice(4));
  const sum = low.map((x, i) => x + high[i]!);
  return [...low.map((x, i) => reduce(x + sum[i]!)), ...high.map((x, i) => reduce(x + sum[i]!))];
}

function quarter(s: readonly bigint[]): bigint[] {
  const [a, b, c, d] = s as [bigint, bigint, bigint, bigint];
  return [5n * a + 7n * b + c + 3n * d, 4n * a + 6n * b + c + d, a + 3n * b + 5n * c + 7n * d, a + b + 4n * c + 6n * d];
}

