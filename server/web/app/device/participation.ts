// What a device remembers of one person in one study. It is plain data, so that
// the store can seal it whole.

import { base64, hex, random, unbase64, unhex, type Name } from "./bytes";
import { type Code } from "./card";
import { type Choice } from "./form";
import { type Card } from "./mail";
import { masterBytes } from "./recovery";
import { type Owner } from "./credential";

/** Participation is one person's in one study. */
export interface Participation {
  id: string; // names it on this device alone; random
  master: string; // hexadecimal; the store keeps it sealed
  ledger: Name;
  trial: Name;
  enrolment: number; // counted from 1
  version: number; // enrolled under
  card: Code;
  box: string; // of the card
  site: Name;
  siteName: string;
  investigator: Name;
  subject: string; // study code
  study: string; // title
  contact: string;
  inbox: string; // the site's public key, base64
  read: number; // sequence of the last letter read
  enrolled: "no" | "asked" | "refused" | "yes"; // as the site's letters and the public list say
  reason: string; // of a refusal
  heard: boolean; // the site acknowledged the notice of leaving
  leaving: boolean; // the person leaves, or has left
  withdraws?: boolean; // by a decision on this device: each version that is owed an answer is withdrawn from
  told: boolean; // and the site's inbox has the notice
  printed: boolean; // the recovery sheet was made
  given: Given[]; // decisions that the ledger has, oldest first
  entries: Entry[];
  relayed?: boolean; // the node named relays: acts do not go to it directly any more
}

/** Given is a consent that the ledger accepted. */
export interface Given {
  version: number;
  epoch: number; // in which it was accepted; 0: not known, restored from a sheet
  day: number; // since 1970; 0: not known
  choice?: Choice; // unknown after a restore: it is on no ledger
  salt?: string;
  sequence?: number; // of the act that made this choice; none: that of the consent, 0
  changed?: number; // day on which the options were last changed, here
  receipted: boolean; // the site's inbox has the receipt
  countersigned: boolean; // the site says so
}

/** Entry is a visit that this device made a proof for. */
export interface Entry {
  slot: string;
  rep: number;
  day: number;
  account: Name;
  pass: number; // version of the consent that it shows
  body: string; // base64 of the entry
  code: string; // shown at the site
  recorded: boolean; // the site says so
}

/** join begins a participation with a fresh master secret, from a card's first letter. */
export function join(card: Card, code: Code, box: string): Participation {
  return {
    id: hex(random(16)), master: hex(random(masterBytes)), ledger: card.ledger, trial: card.trial, enrolment: 1, version: card.version,
    card: code, box, ...siteOf(card), read: 0, enrolled: "no", reason: "", heard: false, leaving: false, told: false, printed: false, given: [], entries: [],
  };
}

/** siteOf is what a card says of the site and the study. */
export function siteOf(card: Card): Pick<Participation, "site" | "siteName" | "investigator" | "subject" | "study" | "contact" | "inbox"> {
  return {
    site: card.site, siteName: card.siteName, investigator: card.investigator, subject: card.code, study: card.study, contact: card.contact,
    inbox: base64(unbase64(card.inbox, "inbox")),
  };
}

/** ownerOf is whose secrets are derived. */
export function ownerOf(p: Pick<Participation, "master" | "ledger" | "trial" | "enrolment">): Owner {
  return { master: unhex(p.master, masterBytes, "master secret"), ledger: p.ledger, trial: p.trial, enrolment: p.enrolment };
}
