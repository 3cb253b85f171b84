// What a participant's device proves: the act, its canonical bytes, the context
// of its account, and the one table that fixes which tree each kind is proven
// against and which fields it uses. The device builds every field itself from
// the page that it shows.

import { hex, nameBytes, unname, utf8, zeroName, type Bytes, type Name } from "./bytes";
import { decode, encode, type Value } from "./cbor";
import { hashToField } from "./hash";

/** Kind of an act, by its number in the wire format. */
export const Kind = {
  enrol: 1, screen: 2, eligible: 3, consent: 4, options: 5, withdraw: 6, superseded: 7, visit: 8, dose: 9, attest: 10,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Act is everything that one proof says besides membership. A field that the kind does not use is zero or empty. */
export interface Act {
  readonly ledger: Name;
  readonly trial: Name;
  readonly kind: Kind;
  readonly version: number;
  readonly formSet: Name; // all forms of the version; language and form are inside options
  readonly sequence: number; // 0 for the first act under an account, then last + 1
  readonly options: Name; // salted: form, language, each option
  readonly pass: Name; // fresh, made by the device
  readonly successor: number;
  readonly site: Name;
  readonly person: Name; // the investigator who enrols
  readonly slot: string; // the protocol's visit id
  readonly rep: number;
  readonly day: number; // since 1970-01-01, UTC
  readonly kit: Name;
  readonly pay: Name;
}

/** ActError says that an act is of no known form, or fills a field that its kind has no use for. */
export class ActError extends Error {
  override name = "ActError";
}

type Used = "version" | "formSet" | "sequence" | "options" | "pass" | "successor" | "site" | "person" | "slot" | "day";

/** Rule fixes what one kind is proven with. */
export interface Rule {
  readonly name: string;
  readonly word: "enrol" | "eligible" | "consent" | "visit" | "dose" | "attest"; // the purpose in its context
  readonly tree: "own leaf" | "owing" | "owing both" | "eligible" | "pass";
  readonly uses: readonly Used[];
}

const entry = ["site", "slot", "day"] as const;

/** rules is the one table. */
export const rules: Readonly<Record<Kind, Rule>> = {
  [Kind.enrol]: { name: "enrol", word: "enrol", tree: "own leaf", uses: ["version", "site", "person", "day"] },
  [Kind.screen]: { name: "screen", word: "enrol", tree: "own leaf", uses: ["site", "person", "day"] },
  [Kind.eligible]: { name: "eligible", word: "eligible", tree: "eligible", uses: ["version", "site", "person", "day"] },
  [Kind.consent]: { name: "consent", word: "consent", tree: "owing", uses: ["version", "formSet", "sequence", "options", "pass"] },
  [Kind.options]: { name: "options", word: "consent", tree: "owing", uses: ["version", "formSet", "sequence", "options"] },
  [Kind.withdraw]: { name: "withdraw", word: "consent", tree: "own leaf", uses: ["version", "sequence"] },
  [Kind.superseded]: { name: "superseded", word: "consent", tree: "owing both", uses: ["version", "successor"] },
  [Kind.visit]: { name: "visit", word: "visit", tree: "pass", uses: entry },
  [Kind.dose]: { name: "dose", word: "dose", tree: "pass", uses: entry },
  [Kind.attest]: { name: "attest", word: "attest", tree: "pass", uses: entry },
};

/** emptyAct is an act of a kind with nothing filled in. */
export function emptyAct(ledger: Name, trial: Name, kind: Kind): Act {
  const zero = zeroName;
  return {
    ledger, trial, kind, version: 0, formSet: zero, sequence: 0, options: zero, pass: zero, successor: 0, site: zero, person: zero,
    slot: "", rep: 0, day: 0, kit: zero, pay: zero,
  };
}

/** check refuses an act that lacks a field of its kind, or fills one that its kind has no use for. */
export function check(a: Act): void {
  const rule = rules[a.kind] as Rule | undefined;
  if (!rule) {
    throw new ActError(`act: kind ${a.kind} is unknown`);
  }
  for (const field of ["version", "formSet", "options", "pass", "successor", "site", "person", "slot", "day"] as const) {
    const empty = a[field] === 0 || a[field] === "" || a[field] === zeroName;
    if (rule.uses.includes(field) && empty) {
      throw new ActError(`act: ${field}: empty; a ${rule.name} names it`);
    }
    if (!rule.uses.includes(field) && !empty) {
      throw new ActError(`act: ${field}: a ${rule.name} has no use for it; leave it empty`);
    }
  }
  if (!rule.uses.includes("sequence") && a.sequence !== 0) {
    throw new ActError(`act: sequence: a ${rule.name} has none; leave it 0`);
  }
  if (!rule.uses.includes("slot") && (a.rep !== 0 || a.kit !== zeroName || a.pay !== zeroName)) {
    throw new ActError(`act: rep, kit, pay: a ${rule.name} has no use for them; leave them empty`);
  }
  if (utf8(a.slot).length > 128) {
    throw new ActError("act: slot: more than 128 bytes");
  }
}

/** values are the fields of an act in their order. */
export function values(a: Act): Value[] {
  return [
    unname(a.ledger, "ledger"), unname(a.trial, "trial"), a.kind, uint32(a.version, "version"), unname(a.formSet, "form set"),
    uint32(a.sequence, "sequence"), unname(a.options, "options"), unname(a.pass, "pass"), uint32(a.successor, "successor"),
    unname(a.site, "site"), unname(a.person, "person"), a.slot, uint32(a.rep, "rep"), int32(a.day, "day"), unname(a.kit, "kit"),
    unname(a.pay, "pay"),
  ];
}

function uint32(n: number, what: string): number {
  if (!Number.isInteger(n) || n < 0 || n > 0xffffffff) {
    throw new ActError(`act: ${what}: ${n} is no whole number of 32 bits`);
  }
  return n;
}

function int32(n: number, what: string): number {
  if (!Number.isInteger(n) || n < -(2 ** 31) || n >= 2 ** 31) {
    throw new ActError(`act: ${what}: ${n} is no signed number of 32 bits`);
  }
  return n;
}

/** encodeAct is the canonical bytes of an act. */
export function encodeAct(a: Act): Bytes {
  return encode(values(a));
}

/** message is the public input that binds every field of the act. */
export function message(a: Act): Promise<bigint> {
  return hashToField("act", encodeAct(a));
}

/** context is the public input that the act's account is a function of. It holds nothing that could vary for one person. */
export function context(a: Act): Promise<bigint> {
  const { word, uses } = rules[a.kind];
  const slot = uses.includes("slot");
  return hashToField("context", encode([
    word, unname(a.ledger, "ledger"), unname(a.trial, "trial"), word === "consent" ? uint32(a.version, "version") : 0,
    slot ? a.slot : "", slot ? uint32(a.rep, "rep") : 0,
  ]));
}

/** decodeAct reads the canonical bytes of an act and checks that the kind uses just its fields. */
export function decodeAct(bytes: Uint8Array): Act {
  return actOf(decode(bytes));
}

/** actOf reads a decoded act and checks that the kind uses just its fields. */
export function actOf(v: Value): Act {
  const [ledger, trial, kind, version, formSet, sequence, options, pass, successor, site, person, slot, rep, day, kit, pay] = fields(v, 16, "act") as [
    Value, Value, Value, Value, Value, Value, Value, Value, Value, Value, Value, Value, Value, Value, Value, Value,
  ];
  if (typeof slot !== "string") {
    throw new ActError("act: slot: no text");
  }
  const a: Act = {
    ledger: name(ledger, "ledger"), trial: name(trial, "trial"), kind: uint32(number(kind), "kind") as Kind,
    version: uint32(number(version), "version"), formSet: name(formSet, "form set"), sequence: uint32(number(sequence), "sequence"),
    options: name(options, "options"), pass: name(pass, "pass"), successor: uint32(number(successor), "successor"),
    site: name(site, "site"), person: name(person, "person"), slot, rep: uint32(number(rep), "rep"), day: int32(number(day), "day"),
    kit: name(kit, "kit"), pay: name(pay, "pay"),
  };
  check(a);
  return a;
}

/** fields reads an array of n values. */
export function fields(v: Value, n: number, what: string): readonly Value[] {
  if (!Array.isArray(v) || v.length !== n) {
    throw new ActError(`${what}: no array of ${n}`);
  }
  return v;
}

/** name reads a name. */
export function name(v: Value, what: string): Name {
  if (!(v instanceof Uint8Array) || v.length !== nameBytes) {
    throw new ActError(`${what}: no byte string of ${nameBytes} bytes`);
  }
  return hex(v);
}

function number(v: Value): number {
  return typeof v === "number" ? v : NaN;
}

/** The trees of a trial by name. Names are public: devices ask for leaves by them. */
export const tree = {
  /** owing is N-v or E-v: those who owe consent to v. */
  owing: (v: number, set: "N" | "E"): string => `${set}-${v}`,
  /** both is X-v-w: those of v who also owe w. */
  both: (v: number, w: number): string => `X-${v}-${w}`,
  /** passes holds the passes of all versions from a floor on. */
  passes: (floor: number): string => `pass-${floor}`,
} as const;
