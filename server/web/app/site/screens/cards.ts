// Invitation cards, and the requests that come of them.

import { formatCode } from "../../device/card";
import { h, type Child } from "../../lib/dom";
import { button, field, form, group, lead, link, next, para, submitButton, summary, title, warning } from "../../lib/parts";
import { qr } from "../../lib/qr";
import type { Screen } from "../../lib/screen";
import { attempt, typed, wordsFor, wrong, type Context, type Step } from "../context";
import { isoDay, type Card, type Desk, type Request } from "../desk";
import { table, tick } from "../parts";

export const newCard: Step = (c, d) => {
  const t = c.w.card;
  return { title: t.title, back: "today", body: form((data, f) => attempt(c, f, "subject", async () => {
    await d.newCard(typed(data, "subject"));
    c.router.replace(`card/${d.tables.cards.length - 1}`);
  }),
    title(t.title), field({ name: "subject", label: t.subject, hint: t.hint, width: "govuk-input--width-10" }), submitButton(t.make),
  ) };
};

/** The card itself, to be printed or scanned. */
export function showCard(c: Context, d: Desk, n: number): Screen | string {
  const t = c.w.card, card = d.tables.cards[n];
  if (!card) return "cards";
  return { title: t.made, back: "cards", body: [
    title(t.made, card.subject), para(t.give),
    local() && warning(c.w.warning, t.local),
    paper(c, d, card),
    group(button(c.w.print, () => print()), next(t.title, "#card", "secondary"), link(t.all, "#cards")),
  ] };
}

function local(): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
}

/** What goes on paper: nothing of the person but the study code, which the site gave. */
function paper(c: Context, d: Desk, card: Card): Child {
  const t = c.w.card, address = `${location.origin}/take-part`;
  return h("section", { class: "t-card", "aria-label": t.made },
    qr(`${address}#${card.code}`, t.alt(formatCode(card.code))),
    h("div", { class: "t-card__words" },
      h("p", { class: "t-card__study" }, d.place.study),
      para(t.scan, ", ", t.or), h("p", { class: "t-card__address" }, address),
      h("p", { class: "t-card__label" }, t.code), h("p", { class: "t-card__code" }, formatCode(card.code)),
      h("p", { class: "govuk-body-s" }, t.contact, " ", h("bdi", {}, d.place.siteName, ", ", d.place.contact)),
      h("p", { class: "govuk-body-s" }, c.w.subject, " ", h("bdi", {}, card.subject), " · ", c.w.versionOf(card.version))));
}

export const cards: Step = (c, d) => {
  const t = c.w.card;
  const rows = d.tables.cards.map((x, i): Child[] => [
    x.subject, state(c, d, x), c.w.versionOf(x.version), isoDay(x.day),
    x.leaf ? link(x.entry ?? "", `/studies/${d.place.trial}/leaves/${x.leaf}`) : link([t.show, h("span", { class: "govuk-visually-hidden" }, ` ${x.subject}`)], `#card/${i}`),
  ]);
  return { title: t.all, back: "today", body: [
    rows.length === 0 ? [title(t.all), para(t.allNone)] : [title(t.all), table(t.all, [c.w.subject, t.state, c.w.version, c.w.day, c.w.entry], rows.reverse(), true)],
    next(t.title, "#card"),
  ] };
};

function state(c: Context, d: Desk, x: Card): Child {
  const told = x.state === "enrolled" && d.tables.notices.some((n) => n.box === x.box);
  return h("strong", { class: `govuk-tag ${told ? colour.refused : colour[x.state]}` }, c.w.card.states[told ? "told" : x.state]);
}

const colour = { given: "govuk-tag--grey", asked: "govuk-tag--yellow", enrolled: "govuk-tag--green", refused: "govuk-tag--red", left: "govuk-tag--grey" };

/** A request, with what would be signed. */
export async function request(c: Context, d: Desk, id: number): Promise<Screen> {
  const t = c.w.request, r = d.tables.requests.find((x) => x.id === id);
  if (!r) return { title: t.title, back: "today", body: [title(t.title), para(t.gone)] };
  try {
    const { act, leaf, card } = await d.readRequest(r);
    return { title: t.title, back: "today", body: [
      title(t.title, card.subject), lead(t.lead),
      h("h2", { class: "govuk-heading-m" }, t.signs), para(h("strong", {}, t.meaning)),
      summary([
        { key: c.w.study, value: d.place.study }, { key: c.w.site, value: d.place.siteName }, { key: t.person, value: d.safe.holder.name },
        { key: c.w.version, value: act.version }, { key: c.w.day, value: isoDay(act.day) }, { key: t.leaf, value: h("code", { class: "t-hash" }, leaf) },
      ]),
      accept(c, d, r), decline(c, d, r),
    ] };
  } catch (e) {
    return { title: t.title, back: "today", body: [title(t.title), warning(c.w.warning, wordsFor(c, e)), decline(c, d, r)] };
  }
}

function accept(c: Context, d: Desk, r: Request): Child {
  const t = c.w.request;
  return form((data, f) => {
    if (!data.get("identity")) return wrong(c, { field: "identity", text: t.noIdentity });
    attempt(c, f, "identity", async () => {
      const outcome = await d.enrol(r);
      if (outcome.code !== 0) return wrong(c, { field: "identity", text: `${t.refused}: ${outcome.refusal}` });
      c.router.replace(`enrolled/${d.tables.cards.findIndex((x) => x.box === r.box)}`);
    });
  }, tick("identity", t.identity), submitButton(t.sign));
}

function decline(c: Context, d: Desk, r: Request): Child {
  const t = c.w.request;
  return h("details", { class: "govuk-details" },
    h("summary", { class: "govuk-details__summary" }, h("span", { class: "govuk-details__summary-text" }, t.refuse)),
    h("div", { class: "govuk-details__text" }, form((data, f) => {
      const why = typed(data, "why");
      if (!why) return wrong(c, { field: "why", text: t.noReason });
      attempt(c, f, "why", async () => {
        await d.refuse(r, why);
        c.router.replace("today");
      });
    }, field({ name: "why", label: t.why, lines: 3 }), submitButton(t.refuse, "warning"))));
}

export function enrolled(c: Context, d: Desk, n: number): Screen | string {
  const t = c.w.request, card = d.tables.cards[n];
  if (!card?.leaf) return "today";
  return { title: t.done, body: [
    title(t.done), lead(t.doneAbout(card.subject)),
    summary([{ key: c.w.entry, value: link(card.entry ?? "", `/studies/${d.place.trial}/leaves/${card.leaf}`) }]),
    next(t.today, "#today"),
  ] };
}
