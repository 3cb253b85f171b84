// What the pages need of the device: everything that touches a secret, the
// prover, the site's mailbox or the ledger is behind this interface, and the
// pages are tested without any of it.

import { type Form } from "./study";

/** What a site's invitation says. Code names its card; nothing in it is secret from the site. */
export interface Card {
  code: string; ledger: string; trial: string; site: string; siteName: string; investigator: string;
  version: number; study: string; contact: string; subject: string;
}

/** The form that was read and the options taken, as the consent commits to them. */
export interface Choice { form: string; language: string; taken: readonly string[] }

/** A named part of the work behind a button, in the order in which they come. */
export type Stage = "ready" | "invited" | "prove" | "send" | "seen";
export type Tell = (stage: Stage, share: number) => void; // share of the stage that is done, 0 to 1

/** What a person may keep: the study, the version and the time on the ledger, where this device knows it. Never the account. */
export interface Receipt { version: number; epoch: number; day: string }

/** A consent on the ledger. Changed is the day on which its options were last changed; empty: never on this device. Countersigned: the site has said that it signed too. */
export interface Given extends Receipt { choice?: Choice; changed: string; countersigned: boolean }

export interface Status {
  invited: "no" | "asked" | "refused" | "yes"; // whether the site has put this device's leaf on the list
  reason: string;     // the site's, where it refused
  given: Given[];     // consents on the ledger, oldest first
  open: { version: number; deadline: string }[]; // waiting for an answer; deadline RFC 3339, empty: none
  sent: number[];     // versions agreed to here that the public list does not show yet
  waiting: number;    // decisions made here that the public list does not show yet
  changing?: Choice;  // options changed here, on their way
  held?: string;      // a decision made here gets through no messenger, and may be sent directly: why, in English for a technician; empty: it waits for long
  refusal: string;    // why a decision made here was refused; empty: none was
  left: "" | "going" | "left"; // going: told, and not on the public list yet
  told: boolean;      // the site has been told of leaving
  heard: boolean;     // and has answered
  now: string;        // the ledger's clock, RFC 3339: deadlines are measured by it, never by the phone's; empty: not reached
}

/** What is shown at a visit: a short code, where the site has the proof already, and the proof for a scanner. */
export interface Shown { code: string; text: string }

/** Where a person had got to; kept on this device only. */
export interface Saved { form: string; answers: Record<string, number>; options: Record<string, boolean>; today: boolean; version: number }

/** One study on this device. */
export interface Member {
  readonly card: Card;
  status(): Promise<Status>;
  saved(): Promise<Saved | undefined>;
  save(s: Saved): Promise<void>;
  /** Asks the site to be put on the list, and does all of the proof for a version that needs no decision. */
  ready(version: number, tell: Tell, signal: AbortSignal): Promise<void>;
  /** Agrees to the forms as they stood on the page; nothing: it is on its way and not on the ledger yet. Today says that a dose is due today, so it cannot wait to be mixed with others. */
  agree(version: number, read: readonly Form[], choice: Choice, today: boolean, tell: Tell, signal: AbortSignal): Promise<Receipt | undefined>;
  /** Changes the options of a consent given, in the forms as they stood on the page. It may still be on its way when this ends. */
  change(version: number, read: readonly Form[], choice: Choice, tell: Tell, signal: AbortSignal): Promise<void>;
  /** Leaves: the site is told at once, then it goes on the record. Told: the site was. */
  leave(tell: Tell, signal: AbortSignal): Promise<{ told: boolean; recorded: boolean }>;
  /** Sends what is held to the server itself, which then sees the address and the time. Only for a person who chose so. */
  sendDirectly(tell: Tell, signal: AbortSignal): Promise<void>;
  visit(slot: string, dose: boolean, rep: number, tell: Tell, signal: AbortSignal): Promise<Shown>;
  /** The recovery sheet: groups to read and type, and the same text for a scanner. */
  sheet(): Promise<{ groups: string[]; text: string }>;
  /** Sends what waits and reads what came; says whether anything is different now. */
  tend(): Promise<boolean>;
}

export interface Agent {
  /** Why this browser cannot do it at all; empty: it can. */
  unable(): "" | "insecure" | "unsupported";
  /** The studies on this device. */
  members(): Promise<Member[]>;
  /** Opens an invitation and keeps it. */
  open(code: string, signal: AbortSignal): Promise<Member>;
  /** Takes up a participation again from a recovery sheet and the invitation's code. */
  restore(sheet: string, code: string, tell: Tell, signal: AbortSignal): Promise<Member>;
  /** Whether acts go through a relay and are mixed with others, and how many at least. */
  way(): Promise<{ relayed: boolean; least: number; epochSeconds: number }>;
}

export type Trouble =
  | "offline"     // nothing could be reached
  | "card"        // no invitation under this code
  | "used"        // the card enrolled somebody on another device
  | "code"        // the code is mistyped
  | "sheet"       // the recovery sheet is mistyped; group says where
  | "nothing"     // the sheet is right, but nobody with it is in this study
  | "refused"     // the site or the ledger refused; the message says why
  | "unsupported" // this browser cannot run the prover
  | "keyless"     // this server lacks the proving key of its ledger
  | "storage"     // this browser does not keep what it must
  | "changed"     // a file of the prover is not the one that was pinned
  | "old"         // the page's script names files that the server has no more
  | "slow"        // the site has not answered yet
  | "cancelled"
  | "shown"       // this visit was shown before
  | "current"     // no current consent: a new version has to be answered first
  | "internal";

export class AgentError extends Error {
  constructor(readonly trouble: Trouble, message = "", readonly group = 0) {
    super(message || trouble);
  }
}
