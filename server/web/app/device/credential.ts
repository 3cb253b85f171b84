// A leaf and what opens it, derived from the device's master secret. Each use
// has secrets of its own, so that nobody can link a pass to its leaf.

import { encode } from "../../../../circuits/browser/src/field";
import { account, identity, leaf } from "../../../../circuits/browser/src/poseidon";
import { ownLeaf } from "../../../../circuits/browser/src/tree";
import { hex, type Name } from "./bytes";
import { derive } from "./hash";

/** Owner is whose secrets are derived: a master secret in one enrolment of one trial. */
export interface Owner {
  readonly master: Uint8Array;
  readonly ledger: Name;
  readonly trial: Name;
  readonly enrolment: number; // counted from 1
}

/** Credential is a leaf with its secrets, which never leave the device. */
export interface Credential {
  readonly secret: bigint;
  readonly trapdoor: bigint;
  readonly attributes: readonly number[];
  readonly leaf: bigint;
}

// Enrolments by phone attest nothing, so that a recovery sheet needs the master alone.
const noAttributes: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];

/** enrolled is the credential of the leaf that the site enrols. */
export function enrolled(o: Owner): Promise<Credential> {
  return credential(o, "");
}

/** pass is the credential of the pass that a consent to a version carries. */
export function pass(o: Owner, version: number): Promise<Credential> {
  return credential(o, `/pass/${version}`);
}

async function credential(o: Owner, use: string): Promise<Credential> {
  const secret = await derive(o.master, "secret" + use, o.ledger, o.trial, o.enrolment);
  const trapdoor = await derive(o.master, "trapdoor" + use, o.ledger, o.trial, o.enrolment);
  return { secret, trapdoor, attributes: noAttributes, leaf: leaf(identity(secret, trapdoor), noAttributes) };
}

/** nameOf is a leaf's name. */
export function nameOf(c: Credential): Name {
  return hex(encode(c.leaf));
}

/** accountOf is the one account of a leaf for a context. */
export function accountOf(c: Credential, context: bigint): bigint {
  return account(c.secret, c.leaf, context);
}

/** Witness is what a proof is made of, besides the message. All but root, context and account stays on the device. */
export interface Witness {
  secret: bigint;
  trapdoor: bigint;
  attributes: number[];
  path: bigint[][]; // of each level from the leaves up, all children
  root: bigint;
  context: bigint;
  account: bigint;
  min: number[];
  max: number[];
}

/** witness is a credential's, for a path and a context, with bounds that bind nothing. */
export function witness(c: Credential, way: { path: bigint[][]; root: bigint }, context: bigint): Witness {
  return {
    secret: c.secret, trapdoor: c.trapdoor, attributes: [...c.attributes], path: way.path, root: way.root, context,
    account: accountOf(c, context), min: Array<number>(8).fill(0), max: Array<number>(8).fill(0xffffffff),
  };
}

/** ownWitness is the witness against the tree that holds the leaf alone. */
export function ownWitness(c: Credential, context: bigint): Witness {
  return witness(c, ownLeaf(c.leaf), context);
}

/** Prover makes proofs. Prepare does everything but the message, so that it can be done while a person reads. */
export interface Prover {
  prepare(w: Witness, signal?: AbortSignal): Promise<Prepared>;
  /** path computes the way from a place up, from all leaves of a tree. */
  path(leaves: Uint8Array, place: number): Promise<{ path: bigint[][]; root: bigint }>;
}

/** Prepared is a proof that lacks its message. */
export interface Prepared {
  /** finish binds the message; what it returns was verified. */
  finish(message: bigint): Promise<Uint8Array>;
  discard(): void;
}
