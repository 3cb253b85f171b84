// First use, unlocking, and where one works.

import { random, type Bytes } from "../../device/bytes";
import { h } from "../../lib/dom";
import { button, field, form, group, lead, link, menu, para, radios, submitButton, summary, title, warning } from "../../lib/parts";
import type { Screen } from "../../lib/screen";
import { attempt, typed, wrong, type Context, type Step } from "../context";
import { Desk, empty, type Place } from "../desk";
import * as node from "../node";
import { chosen, save, select, tick, upload } from "../parts";
import { readBackup, readSeed, Safe, SafeError, shortest, store, stored } from "../safe";
import { registration } from "../sign";

export function start(c: Context): Screen {
  const t = c.w.start;
  return { title: t.title, body: [title(t.title), lead(t.lead), menu([
    { text: t.fresh, href: "#setup", about: t.freshAbout },
    { text: t.restore, href: "#restore", about: t.restoreAbout },
  ])] };
}

/** The questions about a person: name, key and passphrase; for the first of this computer and for each further one. */
export function person(c: Context, back: string, done: (name: string, seed: Bytes, pass: string, fresh: boolean) => Promise<void>): Screen {
  const t = c.w.setup;
  return { title: t.title, back, body: form((data, f) => {
    const name = typed(data, "who"), pass = String(data.get("pass") ?? ""), fresh = data.get("which") === "make";
    const mistakes = [
      !name && { field: "who", text: t.noName },
      !data.get("which") ? { field: "which", text: t.noWhich } : !fresh && !chosen(f, "file") && !typed(data, "key") && { field: "key", text: t.noKey },
      [...pass].length < shortest ? { field: "pass", text: t.short(shortest) } : pass !== data.get("pass2") && { field: "pass2", text: t.differ },
    ].filter((m) => m !== false);
    if (mistakes.length > 0) return wrong(c, ...mistakes);
    attempt(c, f, fresh ? "which" : "key", async () => done(name, fresh ? random(32) : await given(f, data), pass, fresh));
  },
    title(t.title),
    field({ name: "who", label: t.who, width: "govuk-input--width-20" }),
    radios({ name: "which", legend: t.which, small: true, items: [
      { value: "have", text: t.have, hint: t.haveHint }, { value: "make", text: t.make, hint: t.makeHint },
    ] }),
    h("div", { class: "t-when-have" },
      upload("file", t.file, ".key,.txt,.hex,text/plain"),
      field({ name: "key", label: t.or, attributes: { type: "password" } })),
    secret("pass", t.pass, "new-password", t.passHint(shortest)),
    secret("pass2", t.pass2, "new-password"),
    submitButton(t.create),
  ) };
}

async function given(f: HTMLFormElement, data: FormData): Promise<Bytes> {
  const file = chosen(f, "file");
  const text = file ? (file.size > 1024 ? "" : await file.text()) : typed(data, "key");
  return readSeed(text);
}

/** A field whose letters are not shown. */
export function secret(name: string, label: string, autocomplete: string, hint?: string): HTMLElement {
  return field({ name, label, hint, width: "govuk-input--width-20", attributes: { type: "password", autocomplete } });
}

export function setup(c: Context): Screen {
  return person(c, "start", async (name, seed, pass, fresh) => {
    const safe = await Safe.create(name, seed, pass, empty());
    c.state.desk = new Desk(safe);
    c.state.file = await stored();
    void navigator.storage?.persist?.(); // ask that the browser does not clear it when space is short
    if (fresh) c.state.made = await registration((await node.about()).ledger, name, safe.signer);
    c.router.go(fresh ? "made" : "place");
  });
}

/** Shows a key that was made here, to be registered. */
export function made(c: Context): Screen | string {
  const t = c.w.made, r = c.state.made;
  if (!r) return "today";
  return { title: t.title, body: [
    title(t.title), lead(t.lead), summary([{ key: t.name, value: r.name }, { key: t.key, value: h("code", { class: "t-hash" }, r.key) }]),
    group(button(t.save, () => save("registration.json", "application/json", JSON.stringify(r, null, 1))), button(t.go, () => c.router.go("place"), "secondary")),
  ] };
}

export function open(c: Context): Screen | string {
  const t = c.w.open, file = c.state.file;
  if (!file) return "start";
  const flash = c.state.flash;
  c.state.flash = "";
  return { title: t.title, body: form((data, f) => attempt(c, f, "pass", async () => {
    const who = String(data.get("person") ?? file.people[0]!.key);
    c.state.desk = new Desk(await Safe.open(file, who, String(data.get("pass") ?? "")));
    c.router.replace("today");
  }),
    title(t.title), flash && para(flash),
    file.people.length > 1
      ? select({ name: "person", label: t.who, items: file.people.map((p) => ({ value: p.key, text: p.name })) })
      : para(file.people[0]!.name),
    secret("pass", t.pass, "current-password"),
    group(submitButton(t.unlock), link(t.other, "#restore")),
  ) };
}

export function restore(c: Context): Screen {
  const t = c.w.restore, replaces = c.state.file !== undefined;
  return { title: t.title, back: replaces ? "open" : "start", body: form((data, f) => {
    const file = chosen(f, "file");
    if (!file) return wrong(c, { field: "file", text: t.none });
    if (replaces && !data.get("sure")) return wrong(c, { field: "sure", text: t.sure });
    attempt(c, f, "file", async () => {
      if (file.size > 64 << 20) throw new SafeError("file");
      const backup = readBackup(await file.text());
      await store(backup);
      Object.assign(c.state, { file: backup, desk: undefined, flash: c.w.computer.restored });
      c.router.go("open");
    });
  },
    title(t.title), replaces && warning(c.w.warning, t.lead), upload("file", t.file, ".json,application/json"),
    replaces && tick("sure", t.replace), submitButton(t.go, replaces ? "warning" : ""),
  ) };
}

/** Study and site, of those where the directory knows this key. */
export const place: Step = async (c, d) => {
  const t = c.w.place;
  const [about, people, trials] = await Promise.all([node.about(), node.actors(), node.trials()]);
  const me = people.find((a) => a.key === d.safe.signer.publicName && a.site);
  if (!me?.site) return notice(c, t.unknown, d.safe.signer.publicName);
  if (trials.length === 0) return notice(c, t.none);
  const siteName = people.find((a) => a.actor === me.site)?.name ?? me.site;
  const tasks = await tasksOf(me.site, me.actor);
  if (tasks === undefined) return notice(c, t.notHere(siteName));
  if (tasks.length === 0) return notice(c, t.noTask(siteName));
  const now = d.tables.place;
  return { title: t.title, back: now ? "computer" : undefined, body: form((data, f) => {
    const contact = typed(data, "contact");
    if (!contact) return wrong(c, { field: "contact", text: t.noContact });
    attempt(c, f, "study", async () => {
      const chosen = trials.find((x) => x.trial === data.get("study")) ?? trials[0]!;
      const p: Place = { ledger: about.ledger, trial: chosen.trial, study: chosen.title.slice(0, 500), site: me.site!, siteName, contact: contact.slice(0, 200) };
      d.tables.place = p;
      await d.safe.save();
      c.router.go("today");
    });
  },
    title(t.title),
    summary([
      { key: t.site, value: siteName },
      { key: t.tasks, value: tasks.map((x) => t.task[x] ?? x).join(", ") },
    ]),
    select({ name: "study", label: t.study, value: now?.trial, items: trials.map((x) => ({ value: x.trial, text: x.acronym ? `${x.acronym}: ${x.title}` : x.title })) }),
    field({ name: "contact", label: t.contact, hint: t.contactHint, attributes: { value: now?.contact ?? "" } }),
    submitButton(t.save),
  ) };
};

/** The tasks of a person today; undefined: not on the log. */
async function tasksOf(site: string, person: string): Promise<string[] | undefined> {
  const [log, now] = await Promise.all([node.delegations(site), node.clock()]);
  const mine = log.findLast((x) => x.person === person);
  if (!mine) return undefined;
  const today = new Date(now).toISOString().slice(0, 10);
  return mine.ended || mine.from > today || (mine.until && mine.until < today) ? [] : mine.tasks;
}

function notice(c: Context, text: string, key?: string): Screen {
  return { title: c.w.place.title, body: [
    title(c.w.place.title), warning(c.w.warning, text), key && summary([{ key: c.w.made.key, value: h("code", { class: "t-hash" }, key) }]),
    button(c.w.again, () => c.router.again()), para(link(c.w.computer.title, "#computer")),
  ] };
}
