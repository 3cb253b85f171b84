// This computer: its people, its backup, and where it works.

import { h } from "../../lib/dom";
import { button, heading, link, next, para, summary, title } from "../../lib/parts";
import type { Screen } from "../../lib/screen";
import type { Context, Step } from "../context";
import { isoDay, type Desk } from "../desk";
import * as node from "../node";
import { save } from "../parts";
import { stored } from "../safe";
import { registration } from "../sign";
import { person } from "./setup";

export const computer: Step = (c, d) => {
  const t = c.w.computer, p = d.tables.place;
  return { title: t.title, back: "today", body: [
    title(t.title),
    heading(t.people),
    summary(d.safe.people.map((x) => ({
      key: x.key === d.safe.holder.key ? `${x.name} (${t.you})` : x.name, value: h("code", { class: "t-hash" }, x.key),
    }))),
    next(t.add, "#person", "secondary"),
    heading(t.place),
    p && summary([{ key: c.w.study, value: p.study }, { key: c.w.site, value: p.siteName }, { key: c.w.card.contact, value: p.contact }]),
    para(link(c.w.change, "#place")),
    heading(t.backup), para(t.backupAbout),
    button(t.save, () => save(`trialith-site-${isoDay(Math.floor(Date.now() / 86_400_000))}.json`, "application/json", d.safe.backup())),
    para(link(c.w.restore.title, "#restore")),
  ] };
};

/** A further person: the second who signs, or a colleague. */
export function addPerson(c: Context, d: Desk): Screen {
  return person(c, "computer", async (name, seed, pass, fresh) => {
    const signer = await d.safe.add(name, seed, pass);
    c.state.file = await stored();
    if (fresh) c.state.made = await registration((await node.about()).ledger, name, signer);
    c.router.replace(fresh ? "made" : "computer");
  });
}
