// What waits for a person, and what they can do.

import { h, type Child } from "../../lib/dom";
import { button, heading, link, menu, next, para, title, warning } from "../../lib/parts";
import { ago, type Context, type Step } from "../context";
import { alarmAfter, type Desk, type Notice } from "../desk";

const every = 20_000; // milliseconds between two looks into the mailbox

export const today: Step = async (c, d) => {
  const t = c.w.today, p = d.place;
  const trouble = await look(c, d);
  const timer = setInterval(() => void poll(c, d), every);
  return { title: t.title, leave: () => clearInterval(timer), body: [
    title(t.title, [t.where(d.safe.holder.name, p.siteName)]),
    para(p.study),
    trouble && warning(c.w.warning, trouble),
    notices(c, d),
    waiting(c, d),
    heading(t.do),
    menu([
      { text: t.visit, href: "#visit", about: t.visitAbout },
      { text: t.newCard, href: "#card", about: t.newCardAbout },
      { text: t.cards, href: "#cards", about: t.cardsAbout },
      { text: t.table, href: "#table", about: t.tableAbout },
      { text: t.leave, href: "#leave", about: t.leaveAbout },
      { text: t.computer, href: "#computer", about: t.computerAbout },
    ]),
    button(t.lock, () => lock(c), "secondary"),
  ] };
};

/** Fetches letters. Without the mailbox the page still shows what it has. */
async function look(c: Context, d: Desk): Promise<string> {
  try {
    await d.fetch();
    await d.renew();
    return "";
  } catch {
    return c.w.offline;
  }
}

async function poll(c: Context, d: Desk): Promise<void> {
  const came = await d.fetch().catch(() => 0);
  if (came > 0) {
    c.say(c.w.today.came(came));
    c.router.again();
  }
}

export function lock(c: Context, why = ""): void {
  c.state.desk = undefined;
  c.state.flash = why;
  c.router.replace("open");
}

function notices(c: Context, d: Desk): Child {
  return d.tables.notices.filter((n) => n.seen === undefined).map((n, i) => red(c, d, n, i));
}

/** A withdrawal stands red above everything until somebody has seen it. */
function red(c: Context, d: Desk, n: Notice, i: number): Child {
  const t = c.w.today, subject = d.card(n.box)?.subject ?? "?", id = `notice-${i}`;
  const late = d.tables.clock - n.time > alarmAfter;
  return h("section", { class: "t-red", role: "alert", "aria-labelledby": id },
    h("h2", { class: "govuk-heading-m", id }, t.stop(subject)),
    para(t.stopSince(ago(c, n.time, d.tables.clock))),
    late && warning(c.w.warning, t.late),
    button(t.acknowledge, () => void d.acknowledge(n).then(() => { c.say(t.acknowledged); c.router.again(); }), "warning"));
}

/** Each thing that waits, with the one thing to do about it. */
function waiting(c: Context, d: Desk): Child {
  const t = c.w.today, now = d.tables.clock;
  const since = (time: number) => h("span", { class: "t-note" }, " ", t.since(ago(c, time, now)));
  const item = (subject: string, what: string, href: string, note: Child) => h("li", { class: "t-wait" },
    h("div", {}, h("strong", {}, subject), note), next(what, href, "secondary"));
  const requests = d.tables.requests.map((r) => item(d.card(r.box)?.subject ?? "?", t.check, `#request/${r.id}`, since(r.time)));
  const receipts = d.unsigned.map((r) => item(d.card(r.box)?.subject ?? "?", t.sign, `#sign/${d.tables.receipts.indexOf(r)}`,
    [" ", c.w.versionOf(r.version), since(r.time)]));
  const some = d.uncommitted > 0 || d.unsure;
  return [
    requests.length > 0 && [heading(t.requests), h("ul", { class: "t-waits" }, requests)],
    receipts.length > 0 && [heading(t.receipts), h("ul", { class: "t-waits" }, receipts)],
    d.unsure && para(t.unsure, " ", link(t.leave, "#leave")),
    d.uncommitted > 0 && para(t.commit(d.uncommitted), " ", link(t.table, "#table")),
    requests.length + receipts.length === 0 && !some && d.tables.notices.every((n) => n.seen !== undefined) && para(t.nothing),
  ];
}
