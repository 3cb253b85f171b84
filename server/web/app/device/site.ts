// The letters between this device and the site: what comes is heeded, and what
// the site must hear of is sent until its inbox has it.

import { type Node } from "./api";
import { unbase64 } from "./bytes";
import { boxOf, fromOf, parseCode, type Code } from "./card";
import { DeviceError } from "./error";
import { inboxBox, openFromCard, sealToInbox, type Card, type FromSite, type ToSite } from "./mail";
import { siteOf, type Participation } from "./participation";

/** Invitation is a card that was read. */
export interface Invitation {
  code: Code;
  box: string;
  card: Card;
  used: boolean; // the site has enrolled somebody with it
}

/**
 * invitation opens a card's newest invitation by its code. Whoever has read the
 * card can write one: where answers go stands as the first one said.
 */
export async function invitation(node: Node, text: string, signal?: AbortSignal): Promise<Invitation> {
  const code = parseCode(text);
  const box = await boxOf(code);
  let card: Card | undefined;
  let used = false;
  for await (const { words } of letters(node, code, box, 0, signal)) {
    used ||= words?.type === "enrolled";
    card = words?.type === "card" && (!card || sameSite(card, words)) ? words : card;
  }
  if (!card) {
    throw new DeviceError("card", "no invitation under this code; compare it with the card, or ask the site for a new one");
  }
  if (card.ledger !== (await node.ledger(signal)).ledger) {
    throw new DeviceError("card", "this invitation is for another ledger; open the address that stands on the card");
  }
  if (!await known(node, card, signal)) {
    throw new DeviceError("card", "this invitation is for a study or site that is not on this ledger; ask the site for a new one");
  }
  return { code, box, card, used };
}

// known reports whether the ledger has a card's study, open at its site.
async function known(node: Node, { trial, site, version }: Card, signal?: AbortSignal): Promise<boolean> {
  const there = (await node.trials(signal)).some((t) => t.trial === trial);
  return there && (await node.sites(trial, signal)).some((s) => s.site === site && s.openings.some((o) => o.version === version));
}

function sameSite(a: Pick<Card, "trial" | "site" | "inbox">, b: Card): boolean {
  return a.trial === b.trial && a.site === b.site && a.inbox === b.inbox;
}

/** letters reads a card's mailbox after a sequence. Whoever knows the box can put noise into it: words is undefined for what does not open. */
export async function* letters(
  node: Node, code: Code, box: string, after: number, signal?: AbortSignal,
): AsyncGenerator<{ sequence: number; words: Card | FromSite | undefined }> {
  for (let full = true; full;) {
    const posted = await node.mail(box, after, signal);
    full = posted.length >= 100;
    for (const letter of posted) {
      after = Math.max(after, letter.sequence);
      yield { sequence: letter.sequence, words: await openFromCard(code, letter.body).catch(unread) };
    }
  }
}

function unread(e: unknown): undefined {
  if (!(e instanceof DeviceError)) {
    throw e;
  }
  return undefined;
}

/**
 * heed notes what a letter of the site says. Whoever has read the card can write
 * one, so none changes where this device's own letters go, and no card anything
 * once its bearer has asked to be enrolled: the site writes used cards no more.
 */
export function heed(p: Participation, words: Card | FromSite): void {
  switch (words.type) {
    case "card":
      if (words.ledger === p.ledger && sameSite(p, words) && (p.enrolled === "no" || p.enrolled === "refused")) {
        Object.assign(p, siteOf(words), { version: words.version });
      }
      break;
    case "refused":
      p.enrolled = p.enrolled === "yes" ? "yes" : "refused";
      p.reason = words.reason;
      break;
    case "countersigned":
      p.given.filter((g) => g.version === words.version).forEach((g) => (g.countersigned = true));
      break;
    case "visited":
      p.entries.filter((e) => e.slot === words.slot).forEach((e) => (e.recorded = true));
      break;
    case "acknowledged":
      p.heard ||= p.told;
      break;
    case "enrolled": // the public list says so itself
      break;
  }
}

/** post sends a letter to the site's inbox. */
export async function post(node: Node, p: Pick<Participation, "inbox" | "card">, letter: ToSite, signal?: AbortSignal): Promise<void> {
  const inbox = unbase64(p.inbox, "inbox");
  await node.post(await inboxBox(inbox), await sealToInbox(inbox, { ...letter, from: await fromOf(p.card) }), signal);
}
