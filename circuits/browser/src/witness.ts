/** A witness as people hold it, and as the circuit takes it. */
import { ProverError } from "./error";
import { R } from "./kernel";
import { account, identity, leaf, node } from "./poseidon";

/** Attributes of a leaf, and bounds on each side. */
const ATTRIBUTES = 8;
const LEVELS = 7;
const CHILDREN = 8;
const WORD = 2 ** 32;

/** What a proof is made of but for its message. All of it but root, context, account and bounds is secret. */
export interface Witness {
  secret: bigint;
  trapdoor: bigint;
  /** 8 numbers of 32 bits. */
  attributes: number[];
  /** 7 levels of all 8 children, from the leaves up. */
  path: bigint[][];
  root: bigint;
  context: bigint;
  account: bigint;
  /** 8 numbers of 32 bits each: attribute i lies between min[i] and max[i]. */
  min: number[];
  max: number[];
}

type Statement = Pick<Witness, "root" | "context" | "account" | "min" | "max">;

/**
 * The public inputs in the circuit's order: root, context, account, message, the
 * minima, the maxima. It refuses what circuits/verifier refuses: over bounds the
 * wrong way round the circuit's range check would say nothing.
 */
export function publicInputs(s: Statement, message: bigint): bigint[] {
  const named = { root: s.root, context: s.context, account: s.account, message };
  for (const [name, x] of Object.entries(named)) element(name, x);
  for (const name of ["context", "account", "message"] as const) {
    if (named[name] === 0n) throw refused(`${name} is zero; compute it from the act`);
  }
  words("min", s.min);
  words("max", s.max);
  s.min.forEach((low, i) => {
    if (low > s.max[i]!) throw refused(`attribute ${i}: minimum ${low} above maximum ${s.max[i]!}`);
  });
  return [s.root, s.context, s.account, message, ...s.min.map(BigInt), ...s.max.map(BigInt)];
}

/** The secret inputs in the circuit's order. Whether they belong together the circuit tells. */
export function secretInputs(w: Witness): bigint[] {
  element("secret", w.secret);
  element("trapdoor", w.trapdoor);
  words("attributes", w.attributes);
  w.attributes.forEach((x, i) => {
    if (x < w.min[i]! || x > w.max[i]!) throw refused(`attribute ${i} lies outside its bounds`);
  });
  if (w.path.length !== LEVELS || w.path.some((level) => level.length !== CHILDREN)) {
    throw refused(`the path must have ${LEVELS} levels of ${CHILDREN}; fetch the leaves again`);
  }
  const path = w.path.flat();
  for (const x of path) element("path", x);
  return [w.secret, w.trapdoor, ...w.attributes.map(BigInt), ...path];
}

/**
 * Why the circuit refused a witness, in words. It hashes in plain arithmetic, which
 * takes some ten milliseconds; the circuit's refusal stands whatever this finds.
 */
export function explain(w: Witness): ProverError {
  const mine = leaf(identity(w.secret, w.trapdoor), w.attributes);
  let current = mine;
  for (const level of w.path) {
    if (!level.includes(current)) return refused("the path does not lead up from the leaf of these secrets and attributes; fetch the leaves again");
    current = node(level);
  }
  if (current !== w.root) return refused("the path leads to another root than the statement's; fetch the leaves again");
  if (account(w.secret, mine, w.context) !== w.account) return refused("the statement's account is not the leaf's for this context");
  return refused("the circuit refuses it; load the page again");
}

function element(name: string, x: bigint): void {
  if (typeof x !== "bigint" || x < 0n || x >= R) throw refused(`${name} is no field element; send the canonical value`);
}

function words(name: string, list: readonly number[]): void {
  if (list.length !== ATTRIBUTES) throw refused(`${name}: ${list.length} numbers, want ${ATTRIBUTES}`);
  for (const x of list) if (!Number.isInteger(x) || x < 0 || x >= WORD) throw refused(`${name}: a number is not one of 32 bits`);
}

const refused = (rule: string): ProverError => new ProverError("witness", `witness: ${rule}`);
