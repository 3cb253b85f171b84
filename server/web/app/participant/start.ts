// Puts the participant's steps on the page that the server made.

import { byId, h } from "../lib/dom";
import { language, words } from "../lib/language";
import { fill, para } from "../lib/parts";
import { live, Router, type Screen } from "../lib/screen";
import { type Agent } from "./agent";
import { failed, unable, type Context } from "./context";
import { Mine } from "./mine";
import { Take } from "./take";

/** Starts the page with a device: the real one, or a test's. */
export function start(agent: Agent): void {
  const app = byId("app"), l = language(), w = words(l);
  const c = { l, w, agent } as Context;
  const page = app.dataset.page === "my-consent" ? new Mine(c) : new Take(c);
  const resolve = async (step: string): Promise<Screen | string> => {
    const why = agent.unable();
    return why ? unable(c, why) : page.screen(step);
  };
  c.router = new Router(app, { back: w.back, name: "Trialith" }, resolve, (e) => failed(c, e));
  fill(app, para(w.loading));
  keepLanguages();
  watchConnection(c);
  c.router.start();
  tend(c);
}

// Steps that tell how things are, and ask nothing: they are shown again when things change.
const telling = ["", "receipt", "receipt-kept", "choices-done", "left"];

const often = 20_000; // milliseconds between looks at what waits

// Sends what waits and reads what came: when the page opens, when the connection
// comes back, and now and then while it is open.
function tend(c: Context): void {
  let busy = false;
  const look = async () => {
    if (busy || !navigator.onLine || c.agent.unable()) return;
    busy = true;
    try {
      let changed = false;
      // What is wrong with one study must not keep another's acts from going.
      for (const m of await c.agent.members()) changed = await m.tend().catch(() => false) || changed;
      if (changed && telling.includes(c.router.step)) c.router.again();
    } catch {
      // the steps themselves say what is wrong
    } finally {
      busy = false;
    }
  };
  addEventListener("online", () => void look());
  setInterval(() => void look(), often);
  void look();
}

// Another language shows the same step: its links carry the step along.
function keepLanguages(): void {
  for (const a of document.querySelectorAll<HTMLAnchorElement>("a[data-language]")) {
    a.addEventListener("click", () => {
      const to = new URL(a.href), here = new URLSearchParams(location.search);
      here.set("lang", a.dataset.language ?? "en");
      to.search = here.toString();
      to.hash = location.hash;
      a.href = to.href;
    });
  }
}

// Says when the connection goes and comes back; the acts that wait are the device's to send.
function watchConnection(c: Context): void {
  const place = byId("connection"), voice = live();
  const show = (back: boolean) => {
    const off = !navigator.onLine;
    fill(place, off && h("div", { class: "t-offline" }, c.w.offline), voice.element);
    voice.say(off ? c.w.offline : back ? c.w.online : "");
  };
  addEventListener("offline", () => show(false));
  addEventListener("online", () => show(true));
  show(false);
}

/** Registers the worker that keeps these pages when there is no connection, and offers a newer copy when there is one. */
export function keep(script: string): void {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  void navigator.serviceWorker.register(script, { scope: "/" }).catch(() => undefined); // without it the pages need a connection, and work
}
